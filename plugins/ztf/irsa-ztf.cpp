// Light curves from the ZTF light-curve service of IRSA.
#include <qsohost/http_options.hpp>
#include <qsohost/plugin.hpp>

#include <fmt/format.h>

#include <algorithm>

#include "irsa_conversation.hpp"
#include "irsa_examination.hpp"
#include "selection_options.hpp"
#include "stages.hpp"

namespace {

// "ztf_dr24" to "ztf_objects_dr24"; "" for a collection that is not a release.
std::string objects_table_of(const std::string& collection) {
  const std::string start = "ztf_dr";
  const bool is_release =
      collection.size() > start.size() && collection.starts_with(start) &&
      std::all_of(collection.begin() + static_cast<std::ptrdiff_t>(start.size()), collection.end(),
                  [](unsigned char c) { return std::isdigit(c) != 0; });
  return is_release ? "ztf_objects_dr" + collection.substr(start.size()) : "";
}

class IrsaZtf final : public qsohost::HttpFetcher {
 public:
  qsohost::Option<qsohost::Url> url{this,
                                    "url",
                                    {"https://irsa.ipac.caltech.edu"},
                                    "where the archive is; light curves are asked for at "
                                    "URL/cgi-bin/ZTF/nph_light_curves"};
  qsohost::Option<qsohost::Url> tap_url{
      this, "tap_url", {}, "the archive's TAP service; empty: URL/TAP"};
  qsohost::Option<std::string> collection{
      this, "collection", "ztf_dr24",
      "the data release. Answers do not say which one they are of, so it is always asked for and "
      "recorded; the archive keeps the newest five"};
  qsohost::Option<std::string> objects_table{
      this, "objects_table", "",
      "TAP table of the release's objects; empty: ztf_objects_dr24 for ztf_dr24 and so on"};
  ztf::SelectionOptions selection{this};
  qsohost::Option<std::vector<std::string>> bands{
      this, "bands", {"g", "r", "i"}, "bands to fetch", {.choices = {"g", "r", "i"}}};
  qsohost::Option<std::int64_t> bad_catflags_mask{
      this,
      "bad_catflags_mask",
      0,
      "the archive leaves out epochs that have any of these bits set in catflags; 0: none (32768: "
      "those that are bad as a whole)",
      {.min = 0, .max = 65535}};
  qsohost::Choice<ztf::QueryBy> query_by{
      this,
      "query_by",
      ztf::QueryBy::Auto,
      {{"position", ztf::QueryBy::Position},
       {"ids", ztf::QueryBy::Ids},
       {"auto", ztf::QueryBy::Auto}},
      "position: one request a target; ids: the table of objects says which ZTF objects there are, "
      "and light curves are asked by id, many in a request; auto: ids for more than 30 targets in "
      "a "
      "batch, while that works"};
  qsohost::Option<std::int64_t> ids_per_request{
      this, "ids_per_request", 200, "objects asked for in one request", {.min = 1, .max = 400}};
  qsohost::Option<std::int64_t> confirmations{
      this,
      "confirmations",
      5,
      "answers without epochs, one after another, before an object counts as not found",
      {.min = 1, .max = 21}};
  qsohost::Option<double> confirm_after{
      this,
      "confirm_after",
      2,
      "before an answer without epochs is asked for again; each further time it is twice as long",
      {.unit = "s", .min = 0, .max = 600, .affects_results = false}};
  qsohost::HttpOptions http_options{this, {.max_attempts = 12}, 64};
  qsohost::In<double> ra{this, "", "ra", "deg", "right ascension of the target, ICRS"};
  qsohost::In<double> dec{this, "", "dec", "deg", "declination of the target, ICRS"};

  void validate() const override {
    if (bands->empty()) throw qsohost::UsageError("bands: there must be one at least");
    if (*query_by == ztf::QueryBy::Ids && table_name().empty()) {
      throw qsohost::UsageError(
          fmt::format("objects_table: set it for query_by = \"ids\", for '{}' is no release like "
                      "ztf_dr24",
                      *collection));
    }
  }

  void declare(const qsohost::Schema& /*before*/, qsohost::Ports& ports) const override {
    ztf::declare_columns(ports, label(), wanted_bands());
  }

  void open(qsohost::Context& context) override {
    settings_ = settings();
    // No warning about an incomplete table if the user stopped the run.
    shared_.warn = [&context](const std::string& text) {
      if (!context.stop_requested()) context.warn(text);
    };
  }

  void examine(qsohost::Examination& archive) const override {
    ztf::examine_irsa(settings(), archive);
  }

  qsohost::HttpPolicy policy() const override { return http_options.policy(); }

  std::unique_ptr<qsohost::Conversation> converse(const qsohost::Batch& batch,
                                                  qsohost::Counts& counts) const override {
    return std::make_unique<ztf::IrsaConversation>(settings_, shared_, batch, ra(batch), dec(batch),
                                                   counts);
  }

 private:
  std::vector<std::uint8_t> wanted_bands() const {
    std::vector<std::uint8_t> wanted;
    for (const std::uint8_t band : ztf::kAllBands) {
      if (std::ranges::count(*bands, ztf::kBands[band]) > 0) wanted.push_back(band);
    }
    return wanted;
  }

  std::string table_name() const {
    return objects_table->empty() ? objects_table_of(*collection) : *objects_table;
  }

  ztf::IrsaSettings settings() const {
    std::string base = url->text;
    while (base.ends_with('/')) base.pop_back();
    std::string tap = tap_url->text.empty() ? base + "/TAP" : tap_url->text;
    while (tap.ends_with('/')) tap.pop_back();
    ztf::IrsaSettings settings;
    settings.label = label();
    settings.curves_url = base + "/cgi-bin/ZTF/nph_light_curves";
    settings.tap_url = tap;
    settings.collection = *collection;
    settings.objects_table = table_name();
    settings.selection = selection.value();
    settings.bands = wanted_bands();
    settings.bad_catflags_mask = *bad_catflags_mask;
    settings.ids_per_request = *ids_per_request;
    settings.confirmations = static_cast<int>(*confirmations);
    settings.confirm_after = qsohost::to_milliseconds(*confirm_after);
    settings.query_by = *query_by;
    return settings;
  }

  ztf::IrsaSettings settings_;
  mutable ztf::Shared shared_;  // information that batches share
};

}  // namespace

qsohost::Stage* ztf::make_irsa_ztf() {
  return new IrsaZtf;
}
