// Saved responses of the IRSA ZTF light-curve service, one file per object.
#include <qsohost/plugin.hpp>

#include <fmt/format.h>

#include <filesystem>

#include "selection_options.hpp"
#include "stages.hpp"
#include "ztf_table.hpp"

namespace {

constexpr std::string_view kPlaceholder = "{source_id}";

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
    if (path->text.find(kPlaceholder) == std::string::npos) {
      throw qsohost::UsageError(
          fmt::format("path: \"{}\" has no {} in it; write e.g. \"answers/{}.csv\"", path->text,
                      kPlaceholder, kPlaceholder));
    }
  }

  void declare(const qsohost::Schema& /*before*/, qsohost::Ports& ports) const override {
    ztf::declare_columns(ports, label(), ztf::kAllBands);
  }

  // A missing folder is one error, not one failure per object.
  void open(qsohost::Context& /*context*/) override {
    const std::string before = path->text.substr(0, path->text.find(kPlaceholder));
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
      const std::string file = file_of(object.id());
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

 private:
  std::string file_of(const std::string& id) const {
    if (id.empty() || id.find('/') != std::string::npos) {
      throw qsohost::BadObject(fmt::format(
          "source_id '{}' cannot be part of a file name; change it in the catalogue", id));
    }
    std::string file = path->text;
    for (auto at = file.find(kPlaceholder); at != std::string::npos;
         at = file.find(kPlaceholder, at + id.size())) {
      file.replace(at, kPlaceholder.size(), id);
    }
    return file;
  }
};

}  // namespace

qsohost::Stage* ztf::make_ztf_files() {
  return new ZtfFiles;
}
