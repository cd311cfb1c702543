#include "cleaned_curves.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "qsohost/error.hpp"

namespace qsohost::skysim {
namespace {

constexpr double kSameEpoch = 1e-5;  // days; exposures are half a minute apart at least
constexpr std::int16_t kFailsCuts = 4;

bool is_same(double a, double b) {
  return std::abs(a - b) < kSameEpoch;
}

// The name of the time column in the surveys' files.
std::string time_column(const LightCurveName& curve) {
  if (curve.survey == "ztf") return "mjd_" + curve.band;
  return curve.band == "g" ? "g_transit_time" : curve.band + "_obs_time";
}

ProductTable curves_with(const std::string& column,
                         const std::vector<std::filesystem::path>& files) {
  for (const std::filesystem::path& file : files) {
    ProductTable table(file);
    if (table.has(column)) return table;
  }
  throw Error(fmt::format("none of the files of --curves has a column '{}'", column));
}

}  // namespace

CleanedCurves::CleanedCurves(const LightCurveName& name,
                             const std::vector<std::filesystem::path>& files, ProductTable& truth)
    : time_column_(time_column(name)),
      id_column_("epoch_id_" + name.band),
      curves_(curves_with(time_column_, files)),
      rows_(curves_.rows_by_id()),
      times_(curves_.arrays(time_column_)) {
  const std::string key = name.survey + "_" + name.band;
  outlier_times_ = truth.arrays("outlier_time_" + key);
  reasons_ = truth.arrays("outlier_why_" + key);
  if (name.survey != "ztf") return;  // Gaia has no epochs of neighbours
  neighbour_times_ = truth.arrays("neighbour_time_" + key);
  neighbour_mags_ = truth.arrays("neighbour_mag_" + key);
  mags_ = curves_.arrays("mag_" + name.band);
  if (curves_.has(id_column_)) ids_ = curves_.arrays(id_column_);
}

std::vector<CleanedEpoch> CleanedCurves::epochs(const Removal& removal,
                                                std::size_t row_of_truth) const {
  std::vector<CleanedEpoch> out = epochs_of(removal.source_id, row_of_truth);
  for (std::size_t k = 0; k < removal.times.size(); ++k) find(out, removal, k).is_removed = true;
  return out;
}

std::vector<CleanedEpoch> CleanedCurves::epochs_of(std::int64_t source_id,
                                                   std::size_t row_of_truth) const {
  const auto found = rows_.find(source_id);
  if (found == rows_.end())
    throw Error(fmt::format("{}: there is no object {}", curves_.file().string(), source_id));
  const std::size_t row = found->second;
  std::vector<CleanedEpoch> out;
  for (std::size_t k = 0; k < times_[row].size(); ++k) {
    CleanedEpoch& epoch = out.emplace_back();
    epoch.time = times_[row][k];
    if (!ids_.empty()) epoch.id = static_cast<std::int64_t>(ids_[row].at(k));
    const bool is_other =
        !mags_.empty() && is_of_neighbour(row_of_truth, epoch.time, mags_[row].at(k));
    epoch.kind = is_other ? Kind::Neighbour : kind_of_own(row_of_truth, epoch.time);
  }
  return out;
}

// An exposure has epochs of both sources: the magnitude tells them apart.
bool CleanedCurves::is_of_neighbour(std::size_t row_of_truth, double time, double mag) const {
  const auto& times = neighbour_times_[row_of_truth];
  const auto& mags = neighbour_mags_[row_of_truth];
  for (std::size_t k = 0; k < times.size(); ++k) {
    if (is_same(times[k], time) && static_cast<float>(mags[k]) == static_cast<float>(mag))
      return true;
  }
  return false;
}

Kind CleanedCurves::kind_of_own(std::size_t row_of_truth, double time) const {
  const auto& times = outlier_times_[row_of_truth];
  for (std::size_t k = 0; k < times.size(); ++k) {
    if (!is_same(times[k], time)) continue;
    return reasons_[row_of_truth][k] == kFailsCuts ? Kind::FailsCuts : Kind::Outlier;
  }
  return Kind::Good;
}

CleanedEpoch& CleanedCurves::find(std::vector<CleanedEpoch>& epochs, const Removal& removal,
                                  std::size_t removed) const {
  const double time = removal.times[removed];
  std::vector<CleanedEpoch*> found;  // more than one: of several sources in one exposure
  for (CleanedEpoch& epoch : epochs) {
    const bool is_other = epoch.id && *epoch.id != static_cast<std::int64_t>(removal.ids[removed]);
    if (!is_other && !epoch.is_removed && is_same(epoch.time, time)) found.push_back(&epoch);
  }
  if (found.empty()) {
    throw Error(fmt::format(
        "{}: object {} has no epoch at {:.7f} in column '{}', but {} says that one was removed; "
        "give --curves the epochs as they were before cleaning: the product of a fits-sink before "
        "ou-loo, not after drop-epochs",
        curves_.file().string(), removal.source_id, time, time_column_, removal.file.string()));
  }
  const auto still_to_find = static_cast<std::size_t>(
      std::count_if(removal.times.begin() + static_cast<std::ptrdiff_t>(removed),
                    removal.times.end(), [&](double t) { return is_same(t, time); }));
  const bool are_alike = std::ranges::all_of(
      found, [&](const CleanedEpoch* epoch) { return epoch->kind == found.front()->kind; });
  if (!are_alike && still_to_find < found.size()) {
    throw Error(fmt::format(
        "{}: object {} has epochs of two sources at {:.7f} in column '{}', and no column '{}' to "
        "tell which of them {} has as removed; write it: option columns = [\"mjd\", \"mag\", "
        "\"epoch_id\"] of the fits-sink",
        curves_.file().string(), removal.source_id, time, time_column_, id_column_,
        removal.file.string()));
  }
  return *found.front();
}

}  // namespace qsohost::skysim
