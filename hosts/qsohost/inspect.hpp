// `qsohost inspect STAGE`: describes a stage, its options and its ports, in four formats.
#pragma once

#include <string>

#include "arguments.hpp"
#include "qsohost/host/loader.hpp"

namespace qsohost::cli {

// What is shown of a stage. Its ports are declared with the options' defaults, "<groups>" and the
// like for names that a chain must provide, and without the earlier stages.
struct StageFacts {
  StageOffer offer;
  StagePtr stage;
  Ports ports;
  std::string ports_note;  // how to read names like "<groups>", or why ports may be missing
};

// Loads the plugin if needed; throws UsageError if the stage does not exist.
StageFacts look_at(Plugins& plugins, const std::string& stage);

// `arcsec; 0.05 to 600`, `"all", "nearest"`, `2 values`
std::string limits_text(const OptionLimits& limits);

std::string as_text(const StageFacts& facts);
std::string as_json(const StageFacts& facts);
std::string as_markdown(const StageFacts& facts);  // a section of the plugin's README.md
std::string as_toml(const StageFacts& facts);      // an entry for a chain file

std::string inspect(Plugins& plugins, const Arguments& arguments);

}  // namespace qsohost::cli
