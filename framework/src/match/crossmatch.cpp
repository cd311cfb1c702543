#include "qsohost/io/crossmatch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "qsohost/io/input_columns.hpp"
#include "qsohost/names.hpp"

namespace qsohost::inline io_v1 {

namespace {

// An entry of option `columns`: [-][PREFIX.]NAME, NAME being "*" for all; "all" is "*".
struct Choice {
  std::string text;  // as written
  bool leaves_out = false;
  bool of_left = true;
  bool of_right = true;
  std::string name{};  // "*" for all
};

Choice parse(const std::string& text, const std::vector<std::string>& prefixes) {
  Choice choice{.text = text};
  std::string_view rest = text;
  if (rest.starts_with('-')) {
    choice.leaves_out = true;
    rest.remove_prefix(1);
  }
  choice.name = rest;
  for (const bool is_right : {false, true}) {
    const std::string qualifier = lower_case(prefixes[is_right ? 1 : 0]) + '.';
    if (!lower_case(choice.name).starts_with(qualifier)) continue;
    choice.name.erase(0, qualifier.size());
    (is_right ? choice.of_left : choice.of_right) = false;
    break;
  }
  if (lower_case(choice.name) == "all") choice.name = "*";
  return choice;
}

// One side's columns and which of them are kept.
struct Side {
  const CrossmatchTable* table;
  bool is_right;
  std::string prefix;
  std::vector<bool> selected{};
  std::vector<std::string> names{};  // in the batch
};

Side side_of(const CrossmatchTable& table, bool is_right, const CrossmatchOptions& options) {
  Side side{&table, is_right, (*options.prefixes)[is_right ? 1 : 0]};
  const auto& entries = *options.columns;
  const bool only_leaves_out =
      std::ranges::all_of(entries, [](const std::string& e) { return e.starts_with('-'); });
  side.selected.assign(table.columns.size(), only_leaves_out);
  return side;
}

bool apply(const Choice& choice, Side& side) {
  if (!(side.is_right ? choice.of_right : choice.of_left)) return false;
  if (choice.name == "*") {
    side.selected.assign(side.selected.size(), !choice.leaves_out);
    return true;
  }
  const std::vector<std::size_t> called = columns_called(side.table->columns, choice.name);
  for (const std::size_t i : called) side.selected[i] = !choice.leaves_out;
  return !called.empty();
}

[[noreturn]] void fits_nothing(const Choice& choice, const Side& left, const Side& right) {
  std::vector<std::string> names;
  for (const Side* side : {&left, &right}) {
    if (!(side->is_right ? choice.of_right : choice.of_left)) continue;
    names.insert(names.end(), side->table->columns.begin(), side->table->columns.end());
  }
  const std::string where =
      choice.of_left && choice.of_right
          ? fmt::format("neither {} nor {} has", left.table->name, right.table->name)
          : fmt::format("{} does not have", (choice.of_left ? left : right).table->name);
  throw RunError(fmt::format("option 'columns': '{}' names a column that {}{}", choice.text, where,
                             did_you_mean(choice.name, names)));
}

void select(Side& left, Side& right, const CrossmatchOptions& options) {
  for (const std::string& entry : *options.columns) {
    const Choice choice = parse(entry, *options.prefixes);
    const bool in_left = apply(choice, left);
    const bool in_right = apply(choice, right);
    if (!in_left && !in_right) fits_nothing(choice, left, right);
  }
}

// Gives every column its name in the batch, selected or not; `id` is the identifier's position. A
// duplicate name gets a prefix; repeats until no prefixed name duplicates another.
void name_columns(Side& left, Side& right, std::size_t id) {
  for (Side* side : {&left, &right}) side->names = side->table->columns;
  right.names[id] = "source_id";
  for (bool changed = true; changed;) {
    changed = false;
    std::map<std::string, int> times{{"match_separation", 1}, {"n_matches", 1}};
    if (right.table->is_position_added) times.insert({{"ra", 1}, {"dec", 1}});
    for (const Side* side : {&left, &right}) {
      for (const std::string& name : side->names) ++times[lower_case(name)];
    }
    for (Side* side : {&left, &right}) {
      for (std::size_t i = 0; i < side->names.size(); ++i) {
        const bool is_as_in_table = side->names[i] == side->table->columns[i];
        const bool is_id = side->is_right && i == id;
        if (is_id || !is_as_in_table || times[lower_case(side->names[i])] == 1) continue;
        side->names[i] = fmt::format("{}_{}", side->prefix, side->names[i]);
        changed = true;
      }
    }
  }
}

bool fit_for_names(std::string_view prefix) {
  return !prefix.empty() && std::ranges::all_of(prefix, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  });
}

}  // namespace

void CrossmatchOptions::validate() const {
  for (const std::string& prefix : *prefixes) {
    if (fit_for_names(prefix)) continue;
    throw UsageError(fmt::format(
        "option 'prefixes': '{}' is no prefix of names; take letters, digits and '_'", prefix));
  }
  if (lower_case(prefixes->front()) == lower_case(prefixes->back())) {
    throw UsageError(
        "option 'prefixes': both are the same (FITS has no case); they must tell the tables apart");
  }
}

std::size_t crossmatch_id(const CrossmatchTable& right, const CrossmatchOptions& options) {
  return find_column(right.columns, right.id.empty() ? *options.id : right.id, right.name, "id");
}

CrossmatchLayout crossmatch_layout(const CrossmatchTable& left, const CrossmatchTable& right,
                                   const CrossmatchOptions& options) {
  const std::size_t id = crossmatch_id(right, options);
  Side on_left = side_of(left, false, options);
  Side on_right = side_of(right, true, options);
  select(on_left, on_right, options);
  on_right.selected[id] = true;

  name_columns(on_left, on_right, id);

  CrossmatchLayout layout;
  ObjectNames taken("leave one out with option 'columns', or choose other 'prefixes'");
  for (const Side* side : {&on_left, &on_right}) {
    for (std::size_t i = 0; i < side->names.size(); ++i) {
      if (!side->selected[i]) continue;
      taken.add(side->names[i], side->table->columns[i], side->table->name);
      layout.columns.push_back({side->is_right, i, side->names[i]});
    }
  }
  layout.adds_ra = !taken.has("ra");
  layout.adds_dec = !taken.has("dec");
  return layout;
}

std::vector<Port> crossmatch_ports(const CrossmatchLayout& layout) {
  std::vector<Port> ports{
      {"", "match_separation", DType::F64, "arcsec", "distance of the two positions on the sky"},
      {"", "n_matches", DType::I32, "", "right-hand rows within the radius of the left-hand row"}};
  if (layout.adds_ra) {
    ports.push_back({"", "ra", DType::F64, "deg", "right ascension of the right-hand row, ICRS"});
  }
  if (layout.adds_dec) {
    ports.push_back({"", "dec", DType::F64, "deg", "declination of the right-hand row, ICRS"});
  }
  return ports;
}

}  // namespace qsohost::inline io_v1
