// TIMESYS elements: what the times in a VOTable mean.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "qsohost/time_system.hpp"
#include "votable/votable_field.hpp"
#include "votable/xml_reader.hpp"

namespace qsohost::inline io_v1 {

class VoTimes {
 public:
  void add(const XmlAttributes& timesys);
  // The one that these fields refer to; if they refer to none, the only one of the file. None if
  // there are several, or if it is none that the project knows.
  std::optional<TimeSystem> of(const std::vector<VoField>& fields) const;

 private:
  std::map<std::string, std::optional<TimeSystem>> systems_;  // by ID
};

}  // namespace qsohost::inline io_v1
