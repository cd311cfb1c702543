#include "inspect.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "json_text.hpp"
#include "table.hpp"

namespace qsohost::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string range_text(const OptionLimits& limits) {
  if (limits.min && limits.max) return fmt::format("{} to {}", *limits.min, *limits.max);
  if (limits.min) return fmt::format("at least {}", *limits.min);
  if (limits.max) return fmt::format("at most {}", *limits.max);
  return {};
}

void merge(const Ports& from, Ports& into) {
  for (const Port& port : from.read()) into.reads(port);
  for (const Port& port : from.added()) into.adds(port);
  for (const GroupInfo& group : from.added_groups()) into.adds_group(group);
  for (const std::string& group : from.dropped_groups()) into.drops_group(group);
  if (from.has_unknown()) into.adds_unknown();
}

std::string default_text(const OptionBase& option) {
  return option.is_required() ? "(required)" : to_toml(option.value());
}

// The options of a stage, each list of tables followed by the options of its tables, "band[].time".
std::vector<std::pair<std::string, const OptionBase*>> with_tables(const OptionOwner& owner) {
  std::vector<std::pair<std::string, const OptionBase*>> out;
  for (const OptionBase* option : owner.options()) {
    out.emplace_back(option->name(), option);
    if (option->table() == nullptr) continue;
    for (const OptionBase* inner : option->table()->options())
      out.emplace_back(option->name() + "[]." + inner->name(), inner);
  }
  return out;
}

// "f64", "any", of several values per cell "f64[3]"
std::string dtype_text(const Port& port) {
  const std::string type = port.dtype ? std::string(name_of(*port.dtype)) : "any";
  return port.width > 1 ? fmt::format("{}[{}]", type, port.width) : type;
}

// A column that is the same in several groups.
struct SharedPort {
  std::vector<std::string> groups;
  Port port;
  std::string owners() const {
    return groups.front().empty() ? "object" : fmt::format("{}", fmt::join(groups, ", "));
  }
};

// In the order of first mention, so that columns shared by all bands of a survey are listed once.
std::vector<SharedPort> shared(const std::vector<Port>& ports) {
  std::vector<SharedPort> out;
  for (const Port& port : ports) {
    const auto same = std::find_if(out.begin(), out.end(), [&](const SharedPort& s) {
      return !port.group.empty() && !s.port.group.empty() && s.port.name == port.name &&
             s.port.dtype == port.dtype && s.port.width == port.width && s.port.unit == port.unit &&
             s.port.help == port.help;
    });
    if (same == out.end())
      out.push_back({{port.group}, port});
    else
      same->groups.push_back(port.group);
  }
  return out;
}

std::string group_text(const GroupInfo& group) {
  if (group.time.empty()) return "arrays per object";
  return fmt::format("light curve: time {} ({}), {}, {}", group.time, name_of(group.time_system),
                     group.mag, group.mag_err);
}

std::string port_table(const std::vector<Port>& ports) {
  Table table({{"of"}, {"column"}, {"type"}, {"unit"}, {"what"}});
  std::string last;
  for (const auto& entry : shared(ports)) {
    const Port& port = entry.port;
    const std::string owners = entry.owners();
    table.add({owners == last ? "" : owners, port.name, dtype_text(port), port.unit, port.help});
    last = owners;
  }
  return table.text(2);
}

std::string ports_as_text(const StageFacts& facts) {
  const Ports& ports = facts.ports;
  std::string out;
  if (!ports.read().empty()) out += "\nReads\n" + port_table(ports.read());
  if (!ports.added_groups().empty()) {
    Table table({{"group"}, {"what"}});
    for (const GroupInfo& group : ports.added_groups()) table.add({group.name, group_text(group)});
    out += "\nAdds groups\n" + table.text(2);
  }
  if (!ports.added().empty()) out += "\nAdds\n" + port_table(ports.added());
  if (!ports.dropped_groups().empty())
    out += fmt::format("\nDrops groups: {}\n", fmt::join(ports.dropped_groups(), ", "));
  if (ports.has_unknown()) out += "\nMore columns are known once the stage has been opened.\n";
  if (!facts.ports_note.empty()) out += "\n" + facts.ports_note + "\n";
  return out;
}

Json json_of(const OptionValue::Scalar& scalar) {
  return std::visit([](const auto& value) { return Json(value); }, scalar);
}

Json json_of(const OptionValue& value) {
  if (const auto* scalar = std::get_if<OptionValue::Scalar>(&value.data)) return json_of(*scalar);
  Json list = Json::array();
  if (const auto* scalars = std::get_if<std::vector<OptionValue::Scalar>>(&value.data)) {
    for (const auto& item : *scalars) list.push_back(json_of(item));
    return list;
  }
  for (const auto& table : std::get<std::vector<OptionValue::Table>>(value.data)) {
    Json item = Json::object();
    for (const auto& entry : table.entries) item[entry.name] = json_of(entry.value);
    list.push_back(std::move(item));
  }
  return list;
}

Json json_of(const OptionBase& option) {
  const OptionLimits& limits = option.limits();
  Json out{{"name", option.name()},
           {"type", option.type_name()},
           {"required", option.is_required()},
           {"default", option.is_required() ? Json() : json_of(option.value())},
           {"unit", limits.unit},
           {"help", option.help()}};
  if (limits.min) out["min"] = *limits.min;
  if (limits.max) out["max"] = *limits.max;
  if (!limits.choices.empty()) out["choices"] = limits.choices;
  if (limits.length) out["length"] = *limits.length;
  if (const OptionOwner* table = option.table()) {
    out["table"] = Json::array();
    for (const OptionBase* inner : table->options()) out["table"].push_back(json_of(*inner));
  }
  return out;
}

Json json_of(const std::vector<Port>& ports) {
  Json out = Json::array();
  for (const Port& port : ports) {
    out.push_back({{"group", port.group},
                   {"name", port.name},
                   {"type", dtype_text(port)},
                   {"unit", port.unit},
                   {"help", port.help}});
  }
  return out;
}

Json json_of(const GroupInfo& group) {
  return {{"name", group.name},
          {"survey", group.survey},
          {"band", group.band},
          {"time", group.time},
          {"mag", group.mag},
          {"mag_err", group.mag_err},
          {"time_system", name_of(group.time_system)}};
}

// A cell of a Markdown table.
std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
    text.insert(at, "\\");
  return text;
}

std::string code(const std::string& text) {
  return text.empty() ? "" : "`" + cell(text) + "`";
}

// Words in angle brackets would be read as HTML.
std::string prose(std::string text) {
  for (std::size_t at = 0; (at = text.find('<', at)) != std::string::npos; at += 2)
    text.insert(at, "\\");
  return text;
}

std::string markdown_ports(const std::string& title, const std::vector<Port>& ports) {
  if (ports.empty()) return {};
  std::string out =
      fmt::format("\n{}\n\n| of | column | type | unit | what |\n|---|---|---|---|---|\n", title);
  for (const auto& entry : shared(ports)) {
    const Port& port = entry.port;
    const std::string owners = port.group.empty() ? "object" : code(entry.owners());
    out += fmt::format("| {} | `{}` | {} | {} | {} |\n", owners, port.name, dtype_text(port),
                       cell(port.unit), cell(port.help));
  }
  return out;
}

// Names that a chain must provide, such as groups, are not known here: the option `groups` gets the
// value ["<groups>"], and a light curve of that name is declared. So the stage's ports show how
// they depend on the option. Returns the options that were set.
std::vector<std::string> set_stand_ins(const Stage& stage, Schema& before) {
  std::vector<std::string> names;
  for (OptionBase* option : stage.options()) {
    const std::string_view type = option->type_name();
    const bool is_list = type == "list of strings";
    if (!option->is_required() || !option->limits().choices.empty()) continue;
    if (!is_list && type != "string") continue;
    const OptionValue::Scalar name = fmt::format("<{}>", option->name());
    option->set(is_list ? OptionValue{std::vector(option->limits().length.value_or(1), name)}
                        : OptionValue{name});
    GroupInfo light_curve;
    light_curve.name = std::get<std::string>(name);
    light_curve.time = "<time>";
    light_curve.mag = "<mag>";
    light_curve.mag_err = "<mag_err>";
    before.add_group(light_curve, "");
    names.push_back(option->name());
  }
  return names;
}

bool mentions(const Ports& ports, const std::string& word) {
  const auto in_port = [&](const Port& port) {
    return port.group.find(word) != std::string::npos || port.name.find(word) != std::string::npos;
  };
  const auto in_group = [&](const GroupInfo& group) {
    return group.name.find(word) != std::string::npos;
  };
  return std::ranges::any_of(ports.read(), in_port) ||
         std::ranges::any_of(ports.added(), in_port) ||
         std::ranges::any_of(ports.added_groups(), in_group);
}

std::string ports_note(const Ports& declared, const std::vector<std::string>& stand_ins) {
  std::vector<std::string> shown;
  for (const std::string& name : stand_ins) {
    if (mentions(declared, "<" + name + ">")) shown.push_back("<" + name + ">");
  }
  std::string out;
  if (!shown.empty())
    out =
        fmt::format("For {} put what the option of that name holds{}.", fmt::join(shown, ", "),
                    mentions(declared, "<time>") ? ", for <time>, <mag>, <mag_err> the columns of "
                                                   "that light curve"
                                                 : "");
  if (!declared.problems().empty())
    out += fmt::format("{}With nothing set: {}.", out.empty() ? "" : " ",
                       fmt::join(declared.problems(), "; "));
  return out;
}

}  // namespace

std::string limits_text(const OptionLimits& limits) {
  std::vector<std::string> parts;
  if (!limits.unit.empty()) parts.push_back(limits.unit);
  if (const std::string range = range_text(limits); !range.empty()) parts.push_back(range);
  if (!limits.choices.empty())
    parts.push_back(fmt::format("\"{}\"", fmt::join(limits.choices, "\", \"")));
  if (limits.length) parts.push_back(fmt::format("{} values", *limits.length));
  return fmt::format("{}", fmt::join(parts, "; "));
}

StageFacts look_at(Plugins& plugins, const std::string& name) {
  StageFacts facts;
  facts.stage = plugins.create(name);
  facts.offer = *plugins.find(name);
  facts.stage->set_label(name);
  merge(facts.stage->member_ports(), facts.ports);
  Schema before;
  before.set_open(true);
  const std::vector<std::string> stand_ins = set_stand_ins(*facts.stage, before);
  Ports declared;
  try {
    facts.stage->declare(before, declared);
    facts.ports_note = ports_note(declared, stand_ins);
  } catch (const std::exception& error) {
    facts.ports_note = fmt::format("Its columns depend on its options ({}).", error.what());
  }
  merge(declared, facts.ports);
  return facts;
}

std::string as_text(const StageFacts& facts) {
  const StageOffer& offer = facts.offer;
  std::string out =
      fmt::format("{} ({})\n  {}\n  from plugin {} {}, {}\n", offer.stage, name_of(offer.role),
                  offer.summary, offer.plugin, offer.version, offer.file.string());
  if (facts.stage->max_parallel() == 1)
    out += "  serial: one batch at a time, on a thread of its own\n";
  const auto options = with_tables(*facts.stage);
  if (options.empty()) {
    out += "\nNo options\n";
  } else {
    Table table({{"option"}, {"type"}, {"default"}, {"limits"}, {"what"}});
    for (const auto& [name, option] : options) {
      table.add({name, std::string(option->type_name()), default_text(*option),
                 limits_text(option->limits()), option->help()});
    }
    out += "\nOptions\n" + table.text(2);
  }
  return out + ports_as_text(facts);
}

std::string as_json(const StageFacts& facts) {
  const StageOffer& offer = facts.offer;
  Json out{{"stage", offer.stage},   {"role", name_of(offer.role)}, {"summary", offer.summary},
           {"plugin", offer.plugin}, {"version", offer.version},    {"file", offer.file.string()}};
  out["max_parallel"] = facts.stage->max_parallel();
  out["options"] = Json::array();
  for (const OptionBase* option : facts.stage->options())
    out["options"].push_back(json_of(*option));
  out["reads"] = json_of(facts.ports.read());
  out["adds_groups"] = Json::array();
  for (const GroupInfo& group : facts.ports.added_groups())
    out["adds_groups"].push_back(json_of(group));
  out["adds"] = json_of(facts.ports.added());
  out["drops_groups"] = facts.ports.dropped_groups();
  out["adds_more_when_opened"] = facts.ports.has_unknown();
  if (!facts.ports_note.empty()) out["note"] = facts.ports_note;
  return to_json_text(out) + "\n";
}

std::string as_markdown(const StageFacts& facts) {
  std::string out = fmt::format("## `{}` ({})\n\n{}.\n", facts.offer.stage,
                                name_of(facts.offer.role), facts.offer.summary);
  const auto options = with_tables(*facts.stage);
  if (!options.empty())
    out += "\n| option | type | default | limits | what |\n|---|---|---|---|---|\n";
  for (const auto& [name, option] : options) {
    out += fmt::format("| `{}` | {} | {} | {} | {} |\n", name, option->type_name(),
                       option->is_required() ? "required" : code(to_toml(option->value())),
                       cell(limits_text(option->limits())), cell(option->help()));
  }
  out += markdown_ports("Reads:", facts.ports.read());
  if (!facts.ports.added_groups().empty()) out += "\nAdds the groups:\n\n";
  for (const GroupInfo& group : facts.ports.added_groups())
    out += fmt::format("- `{}`: {}\n", group.name, group_text(group));
  out += markdown_ports("Adds:", facts.ports.added());
  if (!facts.ports.dropped_groups().empty())
    out +=
        fmt::format("\nDrops the groups `{}`.\n", fmt::join(facts.ports.dropped_groups(), "`, `"));
  if (facts.ports.has_unknown())
    out += "\nMore columns are known once the stage has been opened.\n";
  if (!facts.ports_note.empty()) out += "\n" + prose(facts.ports_note) + "\n";
  return out;
}

std::string inspect(Plugins& plugins, const Arguments& arguments) {
  const StageFacts facts = look_at(plugins, arguments.stage);
  switch (arguments.format) {
    case InspectFormat::Text:
      return as_text(facts);
    case InspectFormat::Json:
      return as_json(facts);
    case InspectFormat::Markdown:
      return as_markdown(facts);
    case InspectFormat::Toml:
      return as_toml(facts);
  }
  return {};
}

}  // namespace qsohost::cli
