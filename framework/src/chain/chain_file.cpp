#include "chain/chain_file.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "base/toml_string.hpp"

namespace qsohost::inline v1 {

namespace {

using Scalar = OptionValue::Scalar;

std::optional<Scalar> scalar_of(const toml::node& node) {
  if (const auto* b = node.as_boolean()) return Scalar(b->get());
  if (const auto* i = node.as_integer()) return Scalar(i->get());
  if (const auto* d = node.as_floating_point()) return Scalar(d->get());
  if (const auto* s = node.as_string()) return Scalar(from_toml_string(s->get()));
  return std::nullopt;
}

// No place without a file: the value is from the command line.
Place place_in(const std::string& file, const toml::source_region& region) {
  if (file.empty()) return {};
  return {file, static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
}

std::optional<OptionValue> value_of(const toml::node& node, const std::string& file);

std::optional<OptionValue::Table> table_of(const toml::table& node, const std::string& file) {
  OptionValue::Table table{{}, place_in(file, node.source())};
  for (const auto& [key, element] : node) {
    auto value = value_of(element, file);
    if (!value) return std::nullopt;
    table.entries.push_back(
        {std::string(key.str()), *std::move(value), place_in(file, key.source())});
  }
  return table;
}

template <class T, class F>
std::optional<OptionValue> list_of(const toml::array& array, const F& element_of) {
  std::vector<T> list;
  for (const toml::node& node : array) {
    auto element = element_of(node);
    if (!element) return std::nullopt;
    list.push_back(*std::move(element));
  }
  return OptionValue{std::move(list)};
}

std::optional<OptionValue> value_of(const toml::node& node, const std::string& file) {
  if (const auto scalar = scalar_of(node)) return OptionValue{*scalar};
  const toml::array* array = node.as_array();
  if (array == nullptr) return std::nullopt;
  if (array->empty() || !array->front().is_table()) return list_of<Scalar>(*array, scalar_of);
  return list_of<OptionValue::Table>(*array, [&](const toml::node& element) {
    const toml::table* table = element.as_table();
    return table == nullptr ? std::nullopt : table_of(*table, file);
  });
}

class Reader {
 public:
  Reader(std::string file, std::vector<Problem>& problems)
      : file_(std::move(file)), problems_(problems) {}

  // Without a text the file is read.
  std::optional<RawChain> read(std::optional<std::string_view> text = std::nullopt) {
    RawChain chain;
    chain.place = {file_, 1, 1};
    toml::table root;
    try {
      root = text ? toml::parse(*text, file_) : toml::parse_file(file_);
    } catch (const toml::parse_error& e) {
      if (e.source().begin.line == 0) {
        complain({file_, 0, 0}, fmt::format("{}; check the path", e.description()));
      } else {
        complain(place_of(e.source()),
                 fmt::format("not TOML: {}; correct it, or see https://toml.io", e.description()));
      }
      return std::nullopt;
    }
    for (const auto& [key, node] : root) {
      if (key == "chain") {
        read_settings(node, chain);
      } else if (key == "stage") {
        read_stages(node, chain);
      } else {
        complain(place_of(key.source()), fmt::format("unknown key '{}'{}", key.str(),
                                                     did_you_mean(key.str(), {"chain", "stage"})));
      }
    }
    if (!root.contains("stage"))
      complain(chain.place,
               "no [[stage]]: the chain is empty; write one for each stage, a source first");
    number_labels(chain);
    return chain;
  }

 private:
  Place place_of(const toml::source_region& region) const { return place_in(file_, region); }

  void complain(Place place, std::string message) {
    problems_.push_back({std::move(place), std::move(message), false});
  }

  RawOption option(const toml::key& key, const toml::node& node) const {
    return {std::string(key.str()), place_of(key.source()), value_of(node, file_), false};
  }

  void read_settings(const toml::node& node, RawChain& chain) {
    chain.place = place_of(node.source());
    const toml::table* table = node.as_table();
    if (table == nullptr) return complain(chain.place, "'chain' must be a table: [chain]");
    for (const auto& [key, value] : *table) chain.settings.push_back(option(key, value));
  }

  void read_stages(const toml::node& node, RawChain& chain) {
    const toml::array* array = node.as_array();
    if (array == nullptr) {
      return complain(place_of(node.source()), "stages are a list: write [[stage]]");
    }
    for (const toml::node& element : *array) {
      const toml::table* table = element.as_table();
      if (table == nullptr) {
        complain(place_of(element.source()), "a stage must be a table: [[stage]]");
        continue;
      }
      chain.stages.push_back(read_stage(*table));
    }
  }

  RawStage read_stage(const toml::table& table) {
    RawStage stage;
    stage.place = place_of(table.source());
    stage.use_place = stage.place;
    for (const auto& [key, node] : table) {
      if (key != "use" && key != "label") {
        stage.options.push_back(option(key, node));
        continue;
      }
      const toml::value<std::string>* text = node.as_string();
      if (text == nullptr || text->get().empty()) {
        complain(place_of(node.source()), fmt::format("'{}' wants a name in quotes", key.str()));
        continue;
      }
      (key == "use" ? stage.use : stage.label) = text->get();
      if (key == "use")
        stage.use_place = place_of(node.source());
      else
        check_label(text->get(), place_of(node.source()));
    }
    if (!table.contains("use"))
      complain(stage.place, "a stage without 'use'; write use = \"NAME\", one of 'qsohost list'");
    return stage;
  }

  void check_label(const std::string& label, const Place& place) {
    const bool plain = std::ranges::all_of(
        label, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
    if (!plain)
      complain(place, fmt::format("label '{}' must be letters, digits, '_' and '-' only", label));
    if (label == "chain")
      complain(place, "label 'chain' is taken by the chain itself; choose another one");
    if (!labels_.insert(label).second) {
      complain(place, fmt::format("label '{}' is used twice; give every stage its own", label));
    }
  }

  // Stages without a label are called by their name; the second such one "name-2", and so on.
  void number_labels(RawChain& chain) {
    std::map<std::string, int> seen;
    for (RawStage& stage : chain.stages) {
      if (!stage.label.empty()) continue;
      int& n = seen[stage.use];
      do {
        ++n;
        stage.label = n == 1 ? stage.use : fmt::format("{}-{}", stage.use, n);
      } while (!stage.use.empty() && labels_.contains(stage.label));
      labels_.insert(stage.label);
    }
  }

  std::string file_;
  std::vector<Problem>& problems_;
  std::set<std::string> labels_;
};

}  // namespace

std::optional<RawChain> read_chain_file(const std::filesystem::path& file,
                                        std::vector<Problem>& problems) {
  return Reader(file.string(), problems).read();
}

std::optional<RawChain> read_chain_text(std::string_view text, const std::string& name,
                                        std::vector<Problem>& problems) {
  return Reader(name, problems).read(text);
}

OptionValue parse_option_value(const std::string& text) {
  try {
    const toml::table table = toml::parse("value = " + text);
    if (table.size() == 1) {
      if (auto value = value_of(*table.get("value"), "")) return std::move(*value);
    }
  } catch (const toml::parse_error&) {
    // Not TOML: on a command line that is an unquoted string.
  }
  return {Scalar(text)};
}

}  // namespace qsohost::inline v1
