#include "ztf_curves.hpp"

#include <qsohost/error.hpp>
#include <qsohost/io/text.hpp>

#include <algorithm>
#include <tuple>

namespace ztf {

std::map<std::int64_t, Curve> by_object(const Answer& answer) {
  if (!answer.has_all) {
    throw qsohost::BadObject("the answer does not have all 24 columns of the light-curve service");
  }
  std::map<std::int64_t, Curve> curves;
  std::vector<Curve*> places;
  for (const Source& source : answer.sources) {
    Curve& curve = curves[source.oid];
    curve.source = source;
    curve.epochs.reserve(source.epochs);
    places.push_back(&curve);
  }
  for (const Epoch& epoch : answer.epochs) places[epoch.source]->epochs.push_back(epoch);
  for (auto& [oid, curve] : curves) {
    std::ranges::stable_sort(curve.epochs, [](const Epoch& a, const Epoch& b) {
      return std::tie(a.mjd, a.expid) < std::tie(b.mjd, b.expid);
    });
  }
  return curves;
}

std::map<std::int64_t, std::size_t> rows_by_object(std::string_view votable) {
  qsohost::TableReader table(votable);
  if (table.format() != qsohost::TableFormat::VoTable) {
    throw qsohost::TryAgain("a VOTable was asked for, and the answer is none");
  }
  std::map<std::int64_t, std::size_t> rows;
  for (qsohost::TableRow row(table); row.next();) ++rows[row.integer("oid")];
  return rows;
}

Answer put_together(const std::vector<const Curve*>& curves) {
  Answer answer;
  answer.has_quadrants = true;
  std::size_t epochs = 0;
  for (const Curve* curve : curves) epochs += curve->epochs.size();
  answer.epochs.reserve(epochs);
  for (const Curve* curve : curves) {
    const auto source = static_cast<std::uint32_t>(answer.sources.size());
    answer.sources.push_back(curve->source);
    for (Epoch epoch : curve->epochs) {
      epoch.source = source;
      answer.epochs.push_back(epoch);
    }
  }
  return answer;
}

void number_epochs(Answer& answer) {
  std::int64_t place = 0;
  for (Epoch& epoch : answer.epochs) {
    if (answer.sources[epoch.source].is_inside) epoch.epoch_id = place++;
  }
}

}  // namespace ztf
