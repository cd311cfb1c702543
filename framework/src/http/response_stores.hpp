// The stores that a run's conversations read and write.
#pragma once

#include <cstdint>

#include "http/answer_store.hpp"

namespace qsohost::inline v1 {

enum class StoreUse : std::uint8_t {
  Resume,  // responses that a later attempt can use are stored, and used by it
  Fetch,   // all are stored, so that the conversation can be repeated offline
  Offline  // all come from the store; no request is sent
};

struct ResponseStores {
  AnswerStore* answers = nullptr;  // of this run, and of the run that it resumes
  AnswerStore* recording = nullptr;
  StoreUse use = StoreUse::Resume;
};

}  // namespace qsohost::inline v1
