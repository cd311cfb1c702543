// For tests of plugins: one stage, its options, canned input; run it and check the results. No
// chain file, no run directory but a temporary one, no network.
//
//   Harness h("ztf-quality", {{"chi", "[0.5, 1.5]"}});
//   h.batch().objects()...; h.batch().add_group(...)...   // or h.targets({...})
//   h.run();
//   CHECK(h.batch().group("ztf.g").epochs() == 3);
//
// The stage is searched for as the host does it (QSOHOST_PLUGIN_PATH).
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "qsohost/http.hpp"
#include "qsohost/stage.hpp"

namespace qsohost::inline v1 {

struct Target {
  std::int64_t source_id = 0;
  double ra = 0;   // deg
  double dec = 0;  // deg
};

class QSOHOST_API Harness {
 public:
  // Options as in a chain file: {"radius_arcsec", "2.0"}. Throws UsageError for what --check would
  // refuse.
  Harness(std::string stage, const std::vector<std::pair<std::string, std::string>>& options = {});
  ~Harness();
  Harness(const Harness&) = delete;
  Harness& operator=(const Harness&) = delete;

  // The batch that the stage receives; after run(), with its changes.
  Batch& batch();
  void targets(const std::vector<Target>& targets);
  // Objects with one light curve each in `group` (survey and band from its name, "ztf.g"): columns
  // mjd (f64), mag and magerr (f32), epoch_id.
  void light_curves(std::string_view group, const std::vector<LightCurve>& curves);

  Stage& stage();

  // Simulates an archive, for an HttpFetcher. Status 0 is a broken connection; 429, 5xx and the
  // like are retried at once, as often as the stage's policy allows. RunError ends the test.
  void answers(std::function<Response(const Request&)> archive);
  // The body of the first entry whose text is in the URL or in the body of the request; none: 404.
  void answers(std::vector<std::pair<std::string, std::string>> bodies);
  const std::vector<Request>& requests() const;  // in the order in which they were sent

  // Declares, opens, and calls the stage on the batch. A Source reads until it has no more or until
  // `max_rows`; a Sink writes the batch and finishes. May be called once.
  void run(std::size_t max_rows = 1000000);

  const std::vector<Outcomes::State>& outcomes() const;  // of a Fetcher
  const std::vector<std::string>& bad_objects() const;   // of a Fitter or Filter: "id: reason"
  std::vector<Counts::Entry> counts() const;
  std::int64_t count(std::string_view item, std::string_view what) const;
  const std::vector<std::filesystem::path>& products() const;  // of a Sink
  const std::filesystem::path& folder() const;                 // temporary, removed at the end
  const std::vector<std::string>& messages() const;            // what the stage logged

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qsohost::inline v1
