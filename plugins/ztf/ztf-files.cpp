// Saved responses of the IRSA ZTF light-curve service, one file per object.
#include <qsohost/object_path.hpp>
#include <qsohost/plugin.hpp>

#include <fmt/format.h>

#include <filesystem>

#include "selection_options.hpp"
#include "stages.hpp"
#include "ztf_table.hpp"

namespace {

using qsohost::kSourceIdPlaceholder;

class ZtfFiles : public qsohost::Fetcher {
 public:
  qsohost::Option<qsohost::Path> path{
      this, "path", qsohost::required,
      "files with the archive's answers, e.g. \"answers/{source_id}.csv\": CSV, TSV, IPAC table, "
      "VOTable, ECSV or FITS, also gzipped"};
  ztf::SelectionOptions selection{this};
  qsohost::In<double> ra{this, "", "ra", "deg", "right ascension of the target, ICRS"};
  qsohost::In<double> dec{this, "", "dec", "deg", "declination of the target, ICRS"};

  void validate() const override {
    if (path->text.find(kSourceIdPlaceholder) == std::string::npos) {
      throw qsohost::UsageError(
          fmt::format("path: \"{}\" has no {} in it; write e.g. \"answers/{}.csv\"", path->text,
                      kSourceIdPlaceholder, kSourceIdPlaceholder));
    }
  }

  void declare(const qsohost::Schema& /*before*/, qsohost::Ports& ports) const override {
    ztf::declare_columns(ports, label(), ztf::kAllBands);
  }

  // A missing folder is one error, not one failure per object.
  void open(qsohost::Context& /*context*/) override {
    const std::string before = path->text.substr(0, path->text.find(kSourceIdPlaceholder));
    const std::filesystem::path folder = std::filesystem::path(before).parent_path();
    if (folder.empty() || std::filesystem::is_directory(folder)) return;
    throw qsohost::RunError(fmt::format(
        "path: there is no folder {}; check it (relative paths count from the chain file)",
        folder.string()));
  }

  int lanes() const override { return 2; }

  void fetch(qsohost::Batch& batch, qsohost::Outcomes& outcomes) override {
    const auto ras = ra(batch);
    const auto decs = dec(batch);
    const ztf::Selection selected = selection.value();
    outcomes.for_each(batch, [&](const qsohost::Object& object) {
      const std::string file = qsohost::object_path(path->text, object.id());
      const std::vector<ztf::Curve> curves = ztf::read_answer(file);
      try {
        outcomes.set_detail(
            object.row(),
            ztf::add_curves(ztf::pointers_to(curves), ras[object.row()], decs[object.row()],
                            selected, {batch, outcomes.counts(), label()}));
      } catch (const qsohost::NotFound& e) {
        throw qsohost::NotFound(fmt::format("{}: {}", file, e.what()));
      } catch (const qsohost::BadObject& e) {
        throw qsohost::BadObject(fmt::format("{}: {}", file, e.what()));
      }
    });
  }
};

}  // namespace

qsohost::Stage* ztf::make_ztf_files() {
  return new ZtfFiles;
}
