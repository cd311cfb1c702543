// Saved responses of the IRSA ZTF light-curve service, one file per object.
#include <qsohost/plugin.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "selection_options.hpp"
#include "stages.hpp"

namespace {

constexpr std::string_view kPlaceholder = "{source_id}";

std::string read_file(const std::string& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = in ? static_cast<std::streamoff>(in.tellg()) : -1;
  std::string text(size > 0 ? static_cast<std::size_t>(size) : 0, '\0');
  if (size >= 0) in.seekg(0).read(text.data(), size);
  if (size >= 0 && in) return text;
  throw qsohost::TryAgain(fmt::format(
      "cannot read the file: {}; the archive has not been asked about this object, or its answer "
      "is elsewhere",
      std::strerror(errno != 0 ? errno : EIO)));
}

class ZtfFiles : public qsohost::Fetcher {
 public:
  qsohost::Option<qsohost::Path> path{
      this, "path", qsohost::required,
      "files with the archive's answers, e.g. \"answers/{source_id}.csv\": CSV, TSV, IPAC table or "
      "VOTable"};
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
    ztf::declare_columns(ports, ztf::kAllBands);
  }

  // A missing folder is one error, not one failure per object.
  void open(qsohost::Context& /*context*/) override {
    const std::string before = path->text.substr(0, path->text.find(kPlaceholder));
    const std::filesystem::path folder = std::filesystem::path(before).parent_path();
    if (folder.empty() || std::filesystem::is_directory(folder)) return;
    throw qsohost::RunError(fmt::format(
        "path: there is no folder {} (relative paths count from the chain file)", folder.string()));
  }

  int lanes() const override { return 2; }

  void fetch(qsohost::Batch& batch, qsohost::Outcomes& outcomes) override {
    const auto ras = ra(batch);
    const auto decs = dec(batch);
    const ztf::Selection selected = selection.value();
    outcomes.for_each(batch, [&](const qsohost::Object& object) {
      const std::string file = file_of(object.id());
      with_file_name(file, [&] {
        const std::vector<ztf::Curve> curves = ztf::parse_answer(read_file(file));
        ztf::add_curves(ztf::pointers_to(curves), ras[object.row()], decs[object.row()], selected,
                        batch, outcomes.counts());
      });
    });
  }

 private:
  std::string file_of(const std::string& id) const {
    if (id.empty() || id.find('/') != std::string::npos) {
      throw qsohost::BadObject(fmt::format("source_id '{}' cannot be part of a file name", id));
    }
    std::string file = path->text;
    for (auto at = file.find(kPlaceholder); at != std::string::npos;
         at = file.find(kPlaceholder, at + id.size())) {
      file.replace(at, kPlaceholder.size(), id);
    }
    return file;
  }

  template <class Work>
  static void with_file_name(const std::string& file, const Work& work) {
    const auto named = [&](const qsohost::Error& e) {
      return fmt::format("{}: {}", file, e.what());
    };
    try {
      work();
    } catch (const qsohost::NotFound& e) {
      throw qsohost::NotFound(named(e));
    } catch (const qsohost::TryAgain& e) {
      throw qsohost::TryAgain(named(e));
    } catch (const qsohost::BadObject& e) {
      throw qsohost::BadObject(named(e));
    }
  }
};

}  // namespace

qsohost::Stage* ztf::make_ztf_files() {
  return new ZtfFiles;
}
