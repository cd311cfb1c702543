// Light curves of the Zwicky Transient Facility: from saved responses on disk, and from the service
// itself.
#include <qsohost/plugin.hpp>

#include "stages.hpp"

namespace {

constexpr qsohost::StageEntry fetcher(const char* name, const char* summary,
                                      qsohost::Stage* (*create)()) {
  return {name, summary, qsohost::Role::Fetcher, create,
          [](qsohost::Stage* stage) { delete stage; }};
}

}  // namespace

QSOHOST_PLUGIN("ztf", QSOHOST_VERSION,
               fetcher("ztf-files", "ZTF light curves from answers of the IRSA service on disk",
                       ztf::make_ztf_files),
               fetcher("irsa-ztf", "ZTF light curves from the IRSA service", ztf::make_irsa_ztf));
