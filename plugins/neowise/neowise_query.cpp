#include "neowise_query.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <qsohost/error.hpp>
#include <qsohost/sphere.hpp>

#include <algorithm>

namespace neowise {

namespace {

using qsohost::BadObject;
using qsohost::TryAgain;

// Circles are asked for a little larger than the radius, so that only add_curves() decides what is
// inside.
constexpr double kMarginArcsec = 0.1;
// A service that cuts answers without a sign cuts them at a round number of rows.
constexpr std::size_t kPage = 1000;
constexpr int kTurnsOfRepeat = 100;  // more than there are rounds

std::string number(double degrees) {
  return fmt::format("{:.10f}", degrees);
}

std::vector<Target> asked_targets(const Lot& lot) {
  std::vector<Target> targets = lot.targets;
  if (lot.witness) targets.push_back(*lot.witness);
  return targets;
}

std::string table_of(const std::vector<Target>& targets) {
  const std::vector<qsohost::UploadColumn> columns{
      {"n", "int"}, {"ra", "double", "deg"}, {"dec", "double", "deg"}};
  std::vector<std::vector<std::string>> rows;
  rows.reserve(targets.size());
  for (const Target& t : targets) {
    rows.push_back({fmt::format("{}", t.n), number(qsohost::wrapped_ra(t.ra)), number(t.dec)});
  }
  return qsohost::to_votable(columns, rows);
}

std::string cone_adql(Ask ask, const Target& target, const std::string& radius) {
  return fmt::format(
      "SELECT {} FROM {} WHERE CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', {}, {}, {})) = 1",
      ask == Ask::Counts ? "COUNT(*) AS n_rows" : fmt::format("{}", fmt::join(kColumns, ", ")),
      kTable, number(qsohost::wrapped_ra(target.ra)), number(target.dec), radius);
}

std::string upload_adql(Ask ask, const std::string& radius) {
  const bool counts = ask == Ask::Counts;
  return fmt::format(
      "SELECT t.n, {}{} FROM {} p, TAP_UPLOAD.targets t WHERE CONTAINS(POINT('ICRS', p.ra, p.dec), "
      "CIRCLE('ICRS', t.ra, t.dec, {})) = 1{}",
      counts ? "" : "p.",
      counts ? "COUNT(*) AS n_rows" : fmt::format("{}", fmt::join(kColumns, ", p.")), kTable,
      radius, counts ? " GROUP BY t.n" : "");
}

qsohost::TapQuery tap_query(const Settings& settings, Ask ask, const Lot& lot,
                            std::chrono::milliseconds delay) {
  const std::vector<Target> targets = asked_targets(lot);
  const std::string radius = number((settings.radius_arcsec + kMarginArcsec) / 3600);
  qsohost::TapQuery query;
  query.url = settings.url;
  query.format = ask == Ask::Counted ? "csv" : "votable";
  query.about =
      fmt::format("{} near {} positions", ask == Ask::Counts ? "number of exposures" : "exposures",
                  targets.size());
  query.turn = lot.round + kTurnsOfRepeat * lot.repeats;
  query.delay = delay;
  if (lot.by_cone) {
    query.adql = cone_adql(ask, lot.targets.front(), radius);
    return query;
  }
  query.adql = upload_adql(ask, radius);
  query.uploads = {{"targets", table_of(targets)}};
  query.parameters_in_url = true;
  query.as_job = lot.targets.size() > kMostAtOnce;
  query.job_timeout = settings.job_timeout;
  query.deletes_job = true;
  return query;
}

std::size_t total(const Exposures& exposures) {
  std::size_t rows = 0;
  for (const auto& [n, of_target] : exposures) rows += of_target.size();
  return rows;
}

template <class Map>
std::vector<std::size_t> keys(const Map& map) {
  std::vector<std::size_t> out;
  for (const auto& [key, value] : map) out.push_back(key);
  return out;
}

}  // namespace

Query::Query(const Settings& settings, Ask ask, Lot lot, std::chrono::milliseconds delay)
    : ask_(ask),
      lot_(std::move(lot)),
      tap_(tap_query(settings, ask_, lot_, delay),
           [this](const qsohost::TapAnswer& answer) { read(answer); }) {}

void Query::read(const qsohost::TapAnswer& answer) {
  if (answer.is_overflow) {
    throw BadObject(
        fmt::format("the archive has more rows near {} positions than it sends; look whether "
                    "radius_arcsec is too large",
                    lot_.targets.size()));
  }
  const auto lone = lot_.by_cone ? std::optional(lot_.targets.front().n) : std::nullopt;
  if (ask_ == Ask::Counts) {
    RowCounts counts = parse_counts(answer.body, lone);
    is_answered_ = true;
    check_targets(keys(counts));
    counts_ = std::move(counts);
    return;
  }
  Exposures exposures = parse_exposures(answer.body, lone);
  is_answered_ = true;
  check_targets(keys(exposures));
  ask_ == Ask::Counted ? check_counts(exposures) : check_page(exposures);
  exposures_ = std::move(exposures);
}

void Query::check_targets(const std::vector<std::size_t>& answered) const {
  for (const std::size_t n : answered) {
    const bool is_asked = (lot_.witness && lot_.witness->n == n) ||
                          std::ranges::find(lot_.targets, n, &Target::n) != lot_.targets.end();
    if (!is_asked) throw TryAgain(fmt::format("the answer has n = {}, which was not asked for", n));
  }
  if (lot_.witness && std::ranges::find(answered, lot_.witness->n) == answered.end()) {
    throw TryAgain("the answer lacks rows that the archive has given before");
  }
}

// Fewer rows than counted are a cut answer. If another has as many, but some, it was cut at a
// limit: asking again would not help, asking for less may.
void Query::check_counts(const Exposures& exposures) {
  for (const Target& target : lot_.targets) {
    const auto found = exposures.find(target.n);
    const std::size_t rows = found == exposures.end() ? 0 : found->second.size();
    if (rows == static_cast<std::size_t>(target.rows)) continue;
    const std::size_t all = total(exposures);
    const std::string reason = fmt::format(
        "the archive counts {} rows near a position and sends {} ({} near all {} positions)",
        target.rows, rows, all, lot_.targets.size());
    if (all > 0 && ++wrong_totals_[all] > 1)
      throw BadObject(reason + "; look whether radius_arcsec is too large");
    throw TryAgain(reason);
  }
}

void Query::check_page(const Exposures& exposures) const {
  const std::size_t rows = total(exposures);
  if (rows == 0 || rows % kPage != 0) return;
  throw BadObject(
      fmt::format("an answer of {} rows may be cut, and their number could not be had; run again "
                  "with --retry-failed",
                  rows));
}

}  // namespace neowise
