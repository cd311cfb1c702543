// epoch_photometry over HTTP: from DataLink of ESA's archive, or from a TAP service.
#pragma once

#include <span>

#include <qsohost/context.hpp>
#include <qsohost/http.hpp>

#include "answer.hpp"
#include "remote.hpp"

namespace gaia {

class RemoteArchive final : public Archive {
 public:
  RemoteArchive(RemoteSettings settings, qsohost::HttpPolicy policy, qsohost::Http& http,
                qsohost::Context& context);

  // Any thread. Sources without rows have an ending.
  LookUp look_up(std::span<const std::int64_t> ids, const BatchInfo& batch) override;

 private:
  RemoteSettings settings_;
  qsohost::HttpPolicy policy_;
  qsohost::Http& http_;
  RemoteState state_;
};

}  // namespace gaia
