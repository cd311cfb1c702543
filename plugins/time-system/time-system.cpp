// Brings the times of light curves to one time system, in place: clocks, leap seconds, and the
// light travel from the object to Earth, Sun or barycentre.
#include <qsohost/plugin.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace {

using qsohost::GroupInfo;
using qsohost::TimeConverter;

// What became of the times of one object.
struct Row {
  std::int64_t converted = 0;
  std::int64_t after_leap_seconds = 0;
  std::string problem{};
};

Row convert(const TimeConverter& converter, std::span<double> times, double ra, double dec) {
  const std::vector<double> before(times.begin(), times.end());
  converter.convert(times, ra, dec);
  Row out;
  std::string reason;
  std::size_t lost = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (!std::isnan(times[i])) {
      ++out.converted;
      if (converter.is_after_leap_seconds(before[i])) ++out.after_leap_seconds;
    } else if (!std::isnan(before[i])) {
      if (++lost == 1) reason = converter.why_not(before[i]);
    }
  }
  if (lost == 0) return out;
  if (converter.needs_position() && !qsohost::is_position(ra, dec)) {
    reason = fmt::format("ra = {}, dec = {} is no position to correct light travel for", ra, dec);
  }
  out.problem = fmt::format("{} of {} times are NaN now: {}", lost, times.size(), reason);
  return out;
}

class TimeSystemFilter final : public qsohost::Filter {
 public:
  qsohost::Option<std::string> to{
      this, "to", "BJD TDB",
      "what times become: MJD, JD, GJD, HJD or BJD; UTC, TAI, TT, TCG, TDB or TCB; and what is "
      "subtracted, if anything: \"MJD UTC\", \"BJD TDB - 2400000.5\"; a whole Julian date holds "
      "40 us, one minus 2400000.5 holds 1 us"};
  qsohost::Option<std::vector<std::string>> groups{
      this, "groups", std::vector<std::string>{},
      "light curves whose times are converted; none named: all whose time system is known"};
  qsohost::Option<std::string> ra{
      this, "ra", "ra", "column of the objects' right ascension (ICRS, deg), for light travel"};
  qsohost::Option<std::string> dec{this, "dec", "dec",
                                   "column of the objects' declination (ICRS, deg)"};

  void validate() const override;
  void declare(const qsohost::Schema& before, qsohost::Ports& ports) const override;
  void open(qsohost::Context& context) override;
  std::vector<qsohost::NotDone> apply_where_possible(qsohost::Batch& batch,
                                                     qsohost::Counts& counts) const override;

 private:
  qsohost::TimeSystem target() const { return *qsohost::time_system_of(*to); }
  bool is_named(const std::string& group) const {
    return std::ranges::find(*groups, group) != groups->end();
  }
  // Whether the light curve is one of those to convert, if its time system is known.
  bool is_meant(const GroupInfo& group) const {
    return groups->empty() ? !group.time.empty() : is_named(group.name);
  }
  bool is_converted(const GroupInfo& group) const {
    return is_meant(group) && group.time_system.is_known() && group.time_system != target();
  }
  void declare_group(const GroupInfo& group, bool has_position, qsohost::Ports& ports) const;
  void convert_group(qsohost::Group& group, const qsohost::Batch& batch, qsohost::Counts& counts,
                     std::vector<std::string>& problems) const;
};

void TimeSystemFilter::validate() const {
  if (!qsohost::time_system_of(*to)) {
    throw qsohost::UsageError(
        fmt::format("to = \"{}\" is no time system; write e.g. \"BJD TDB\", \"MJD UTC\" or "
                    "\"BJD TCB - 2455197.5\"",
                    *to));
  }
  for (const std::string& name : *groups) {
    if (std::ranges::count(*groups, name) < 2) continue;
    throw qsohost::UsageError(fmt::format("groups: '{}' is named twice; name it once", name));
  }
}

void TimeSystemFilter::declare(const qsohost::Schema& before, qsohost::Ports& ports) const {
  ports.minds_time_systems();
  const auto has = [&](const std::string& column) {
    return before.is_open() || before.find("", column) != nullptr;
  };
  const bool has_position = has(*ra) && has(*dec);
  std::vector<std::string> known;
  for (const auto& entry : before.groups()) {
    if (!entry.info.time.empty()) known.push_back(entry.info.name);
    if (is_meant(entry.info)) declare_group(entry.info, has_position, ports);
  }
  const bool needs_position = std::ranges::any_of(before.groups(), [&](const auto& entry) {
    return is_converted(entry.info) &&
           TimeConverter(entry.info.time_system, target()).needs_position();
  });
  if (needs_position && has_position) {
    ports.reads({"", *ra, qsohost::DType::F64, "deg", "right ascension, ICRS"});
    ports.reads({"", *dec, qsohost::DType::F64, "deg", "declination, ICRS"});
  }
  if (before.is_open()) return;
  for (const std::string& name : *groups) {
    if (before.find_group(name) != nullptr) continue;
    ports.problem(fmt::format("groups: there is no group '{}' here; there is {}", name,
                              known.empty() ? "none" : fmt::to_string(fmt::join(known, ", "))));
  }
  const bool is_any_known = std::ranges::any_of(before.groups(), [&](const auto& entry) {
    return is_meant(entry.info) && entry.info.time_system.is_known();
  });
  if (groups->empty() && !is_any_known) {
    ports.problem(
        "no light curve here has a known time system, so there is nothing to convert; take the "
        "stage out");
  }
}

void TimeSystemFilter::declare_group(const GroupInfo& group, bool has_position,
                                     qsohost::Ports& ports) const {
  if (group.time.empty()) {
    ports.problem(
        fmt::format("group '{}' is no light curve: it has no times; name others by option 'groups'",
                    group.name));
    return;
  }
  // Those that nobody named stay as they are; open() tells.
  if (groups->empty() && !group.time_system.is_known()) return;
  const std::string problem = qsohost::why_not_combinable(target(), {&group, 1}, has_position);
  if (!problem.empty()) {
    ports.problem(problem);
    return;
  }
  ports.reads({group.name, group.time, qsohost::DType::F64, "d", "time"});
  ports.sets_time_system(group.name, target());
}

void TimeSystemFilter::open(qsohost::Context& context) {
  for (const auto& entry : context.run().schema.groups()) {
    if (!is_meant(entry.info) || entry.info.time_system.is_known()) continue;
    context.warn(
        fmt::format("the times of '{}' stay as they are: its time system is not known; say it "
                    "where the light curve comes from, e.g. by time_system in [[stage.band]]",
                    entry.info.name));
  }
}

void TimeSystemFilter::convert_group(qsohost::Group& group, const qsohost::Batch& batch,
                                     qsohost::Counts& counts,
                                     std::vector<std::string>& problems) const {
  const TimeConverter converter(group.info().time_system, target());
  std::span<const double> ras, decs;
  if (converter.needs_position()) {
    ras = batch.objects().at(*ra).values<double>();
    decs = batch.objects().at(*dec).values<double>();
  }
  const std::span<double> times = group.at(group.info().time).values<double>();
  Row sum;
  for (std::size_t i = 0; i < batch.rows(); ++i) {
    const auto [first, n] = group.slice(i);
    const Row row = ras.empty() ? convert(converter, times.subspan(first, n), 0, 0)
                                : convert(converter, times.subspan(first, n), ras[i], decs[i]);
    sum.converted += row.converted;
    sum.after_leap_seconds += row.after_leap_seconds;
    if (row.problem.empty()) continue;
    problems[i] +=
        fmt::format("{}{}: {}", problems[i].empty() ? "" : "; ", group.name(), row.problem);
  }
  counts.add(group.name(), "epochs in", static_cast<std::int64_t>(group.epochs()));
  counts.add(group.name(), "times converted", sum.converted);
  if (sum.after_leap_seconds == 0) return;
  counts.add(group.name(), "after the last known leap second, taken as the last",
             sum.after_leap_seconds);
}

std::vector<qsohost::NotDone> TimeSystemFilter::apply_where_possible(
    qsohost::Batch& batch, qsohost::Counts& counts) const {
  std::vector<std::string> problems(batch.rows());
  for (qsohost::Group& group : batch.groups()) {
    if (is_converted(group.info())) convert_group(group, batch, counts, problems);
  }
  std::vector<qsohost::NotDone> not_done;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    if (!problems[i].empty()) not_done.push_back({batch.id(i), std::move(problems[i])});
  }
  return not_done;
}

}  // namespace

QSOHOST_PLUGIN("time-system", QSOHOST_VERSION,
               qsohost::stage<TimeSystemFilter>(
                   "time-system", "times of all light curves in one time system, e.g. BJD TDB"));
