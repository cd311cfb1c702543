#include "base/secrets.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/percent.hpp"

namespace qsohost::inline v1 {

namespace {

// The leak checker of sanitizers attaches to its own process, which must be dumpable for that.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kIsCheckedForLeaks = true;
#elif defined(__has_feature)
constexpr bool kIsCheckedForLeaks = __has_feature(address_sanitizer);
#else
constexpr bool kIsCheckedForLeaks = false;
#endif

constexpr std::size_t kLong = 8;
constexpr std::string_view kMask = "***";
constexpr std::string_view kMarkBegin = "***{";
constexpr std::string_view kMarkEnd = "}***";

struct Form {
  std::string value;
  std::string mark;  // in what is stored
};

struct Noted {
  std::mutex mutex;
  std::vector<Form> forms;  // the longest first: one may be part of another
  std::atomic<bool> has_any{false};
};

Noted& noted() {
  static Noted all;
  return all;
}

bool is_word_character(const std::string& text, std::size_t at) {
  return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) != 0;
}

bool is_hidden_at(const std::string& text, std::size_t at, const std::string& value) {
  if (value.size() >= kLong) return true;
  return !(at > 0 && is_word_character(text, at - 1)) &&
         !is_word_character(text, at + value.size());
}

void hide(std::string& text, const std::string& value, std::string_view by) {
  for (auto at = text.find(value); at != std::string::npos;) {
    const bool is_hidden = is_hidden_at(text, at, value);
    if (is_hidden) text.replace(at, value.size(), by);
    at = text.find(value, at + (is_hidden ? by.size() : 1));
  }
}

// Masks marks of secrets that this run reads from another place, or does not have.
void hide_marks(std::string& text) {
  for (auto at = text.find(kMarkBegin); at != std::string::npos;
       at = text.find(kMarkBegin, at + 1)) {
    const auto end = text.find(kMarkEnd, at);
    if (end == std::string::npos) return;
    text.replace(at, end + kMarkEnd.size() - at, kMask);
  }
}

template <class Change>
std::string changed(std::string text, const Change& change) {
  Noted& all = noted();
  if (!all.has_any || text.empty()) return text;
  const std::lock_guard lock(all.mutex);
  for (const Form& form : all.forms) change(text, form);
  return text;
}

}  // namespace

void note_secret(const std::string& value, const std::string& where) {
  Noted& all = noted();
  if (!kIsCheckedForLeaks) ::prctl(PR_SET_DUMPABLE, 0);
  const std::lock_guard lock(all.mutex);
  const Form plain{value, fmt::format("{}{}{}", kMarkBegin, where, kMarkEnd)};
  const Form escaped{percent_encoded(value), fmt::format("{}%{}{}", kMarkBegin, where, kMarkEnd)};
  for (const Form& form : {plain, escaped}) {
    const auto is_it = [&](const Form& f) { return f.value == form.value && f.mark == form.mark; };
    if (std::ranges::none_of(all.forms, is_it)) all.forms.push_back(form);
  }
  std::ranges::stable_sort(all.forms, std::ranges::greater(),
                           [](const Form& form) { return form.value.size(); });
  all.has_any = true;
}

std::string without_secrets(std::string text) {
  std::string out = changed(std::move(text),
                            [](std::string& t, const Form& form) { hide(t, form.value, kMask); });
  hide_marks(out);
  return out;
}

std::string for_storage(std::string data) {
  return changed(std::move(data), [](std::string& t, const Form& form) {
    if (form.value.size() >= kLong) hide(t, form.value, form.mark);
  });
}

std::string from_storage(std::string data) {
  return changed(std::move(data),
                 [](std::string& t, const Form& form) { hide(t, form.mark, form.value); });
}

}  // namespace qsohost::inline v1
