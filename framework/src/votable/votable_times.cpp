#include "votable/votable_times.hpp"

#include "qsohost/io/text.hpp"

namespace qsohost::inline io_v1 {

namespace {

// VOTable 1.4, section 3.4: a Julian date, or one of two words.
std::optional<double> origin_of(std::string_view text) {
  if (text == "MJD-origin") return kMjdZero;
  if (text == "JD-origin") return 0;
  return parse_double(text);
}

}  // namespace

void VoTimes::add(const XmlAttributes& timesys) {
  std::optional<TimeSystem> system =
      time_system_from_fits(timesys["timescale"], timesys["refposition"], 0);
  const std::optional<double> origin = origin_of(timesys["timeorigin"]);
  if (system && origin) system->zero = *origin;
  systems_.try_emplace(std::string(timesys["ID"]), origin ? system : std::nullopt);
}

std::optional<TimeSystem> VoTimes::of(const std::vector<VoField>& fields) const {
  std::optional<TimeSystem> found;
  bool refers = false;
  for (const VoField& field : fields) {
    const auto it = systems_.find(field.ref);
    if (field.ref.empty() || it == systems_.end()) continue;
    if (!it->second || (refers && found != it->second)) return std::nullopt;
    found = it->second;
    refers = true;
  }
  if (!refers && systems_.size() == 1) return systems_.begin()->second;
  return found;
}

}  // namespace qsohost::inline io_v1
