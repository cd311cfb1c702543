#include "run/stage_context.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

namespace {

using Json = nlohmann::json;

Json json_of(const Schema::Entry& entry) {
  const Port& p = entry.port;
  Json out{{"origin", entry.origin},   {"group", p.group},
           {"name", p.name},           {"unit", p.unit},
           {"help", p.help},           {"width", p.width},
           {"file_name", p.file_name}, {"in_product", p.in_product}};
  if (p.dtype) out["dtype"] = static_cast<int>(*p.dtype);
  return out;
}

Json json_of(const Schema::GroupEntry& entry) {
  const GroupInfo& g = entry.info;
  return {{"origin", entry.origin},
          {"name", g.name},
          {"survey", g.survey},
          {"band", g.band},
          {"time", g.time},
          {"mag", g.mag},
          {"mag_err", g.mag_err},
          {"time_system", name_of(g.time_system)},
          {"has_position", g.has_position}};
}

DType dtype_numbered(int number, const RunDb& db, const std::string& key) {
  if (number < 0 || number > static_cast<int>(DType::String)) {
    db.refuse(fmt::format("'{}': there is no type {}", key, number));
  }
  return static_cast<DType>(number);
}

}  // namespace

void StageContext::log(LogLevel level, std::string_view message) {
  if (log_) log_(level, fmt::format("{}: {}", label_, message));
}

bool StageContext::stop_requested() const {
  if (!stop_()) return false;
  was_stopped_ = true;
  return true;
}

RunInfo run_info(const Chain& chain, std::size_t index) {
  RunInfo info;
  info.chain_name = chain.settings().name;
  info.chain_hash = chain.hash();
  info.history.push_back(fmt::format("qsohost {}, chain hash {}", QSOHOST_VERSION, chain.hash()));
  for (const std::string& line : chain.effective()) {
    // A product's history covers what happened up to its sink, not later stages.
    const std::size_t next = index + 1;
    if (next < chain.stages().size() &&
        line.starts_with(fmt::format("stage {} = ", chain.stages()[next].label))) {
      break;
    }
    info.history.push_back(line);
  }
  info.schema = chain.stages()[index].before;
  return info;
}

std::string to_text(const Schema& schema) {
  Json out{{"columns", Json::array()}, {"groups", Json::array()}};
  for (const Schema::Entry& entry : schema.columns()) out["columns"].push_back(json_of(entry));
  for (const Schema::GroupEntry& entry : schema.groups()) out["groups"].push_back(json_of(entry));
  // Descriptions come from files, which may contain any bytes.
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Schema schema_from(const RunDb& db, const std::string& key) {
  Schema schema;
  try {
    const Json in = Json::parse(db.meta(key).value_or(""));
    for (const Json& g : in.at("groups")) {
      schema.add_group(
          {g.at("name"), g.at("survey"), g.at("band"), g.at("time"), g.at("mag"), g.at("mag_err"),
           time_system_of(g.at("time_system").get<std::string>()).value_or(TimeSystem()),
           g.at("has_position")},
          g.at("origin"));
    }
    for (const Json& c : in.at("columns")) {
      Port port{c.at("group"), c.at("name"), std::nullopt, c.at("unit"), c.at("help")};
      port.width = c.at("width");
      port.file_name = c.at("file_name");
      port.in_product = c.at("in_product");
      if (c.contains("dtype")) port.dtype = dtype_numbered(c.at("dtype"), db, key);
      schema.add(std::move(port), c.at("origin"));
    }
  } catch (const Json::exception& e) {
    db.refuse(fmt::format("'{}': {}", key, e.what()));
  }
  return schema;
}

}  // namespace qsohost::inline v1
