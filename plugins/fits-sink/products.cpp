#include "products.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include <qsohost/io/fits.hpp>
#include <qsohost/names.hpp>

namespace products {

namespace {

using qsohost::DType;
using qsohost::GroupInfo;
using qsohost::Port;
using qsohost::Schema;

bool is_result_of(const std::string& name, const std::string& label) {
  return name.size() > label.size() + 1 && name.starts_with(label + ".");
}

ProductColumn object_column(const Schema& schema, const std::string& name) {
  const Schema::Entry* entry = schema.find("", name);
  return {entry == nullptr ? Port{"", name, std::nullopt} : entry->port, name};
}

Product start(const Schema& schema, const std::string& what,
              const std::vector<std::string>& objects) {
  Product product;
  product.what = what;
  for (const std::string& name : objects) product.columns.push_back(object_column(schema, name));
  return product;
}

void plan_catalog(const std::vector<std::string>& columns, const Schema& schema, Plan& plan) {
  Product product = start(schema, "catalog", {"source_id"});
  std::vector<std::string> names = columns;
  if (names.empty()) {
    for (const Schema::Entry& entry : schema.columns()) {
      const bool is_result = is_result_of(entry.port.name, entry.origin);
      if (entry.port.group.empty() && !is_result) names.push_back(entry.port.name);
    }
  }
  for (const std::string& name : names) {
    if (name != "source_id") product.columns.push_back(object_column(schema, name));
  }
  plan.products.push_back(std::move(product));
}

// A survey's groups; bands in the order in which columns of the default product are declared.
std::vector<GroupInfo> groups_of(const std::string& survey, const Schema& schema) {
  std::vector<GroupInfo> groups;
  for (const Schema::GroupEntry& entry : schema.groups()) {
    if (entry.info.survey == survey) groups.push_back(entry.info);
  }
  const auto place_of = [&](const GroupInfo& group) {
    const auto& columns = schema.columns();
    const auto is_first = [&](const Schema::Entry& entry) {
      return entry.port.in_product && entry.port.group == group.name;
    };
    return std::ranges::find_if(columns, is_first) - columns.begin();
  };
  std::ranges::stable_sort(groups, {}, place_of);
  return groups;
}

bool is_one_of(const std::vector<GroupInfo>& groups, const Port& port) {
  return std::ranges::find(groups, port.group, &GroupInfo::name) != groups.end();
}

// Whether a stage has declared which columns are in the default product of these groups.
bool has_usual_columns(const std::vector<GroupInfo>& groups, const Schema& schema) {
  return std::ranges::any_of(schema.columns(), [&](const Schema::Entry& entry) {
    return entry.port.in_product && is_one_of(groups, entry.port);
  });
}

// The default columns.
std::vector<Port> usual_columns(const std::vector<GroupInfo>& groups, const Schema& schema) {
  std::vector<Port> out;
  const auto take = [&](const auto& is_wanted) {
    for (const Schema::Entry& entry : schema.columns()) {
      if (is_wanted(entry.port)) out.push_back(entry.port);
    }
  };
  if (has_usual_columns(groups, schema)) {
    take([&](const Port& port) { return port.in_product && is_one_of(groups, port); });
    return out;
  }
  for (const GroupInfo& group : groups) {
    take([&](const Port& port) { return port.group == group.name && port.dtype != DType::String; });
  }
  return out;
}

// A column that only some bands have (Gaia's flags) is written only for these; one that no band has
// stays, so that the host reports it missing.
std::vector<Port> chosen_columns(const std::vector<GroupInfo>& groups,
                                 const std::vector<std::string>& columns, const Schema& schema) {
  std::vector<Port> out;
  for (const GroupInfo& group : groups) {
    for (const std::string& column : columns) {
      const bool is_elsewhere = std::ranges::any_of(groups, [&](const GroupInfo& other) {
        return schema.find(other.name, column) != nullptr;
      });
      if (const Schema::Entry* entry = schema.find(group.name, column)) {
        out.push_back(entry->port);
      } else if (!is_elsewhere) {
        out.push_back({group.name, column, std::nullopt});
      }
    }
  }
  return out;
}

ProductColumn epoch_column(Port port, const Schema& schema) {
  const GroupInfo& group = schema.find_group(port.group)->info;
  // Help texts from a product contain it already.
  if (port.name == group.time && !port.help.ends_with(name_of(group.time_system))) {
    port.help += fmt::format("{}{}", port.help.empty() ? "" : "; ", name_of(group.time_system));
  }
  std::string name = port.file_name;
  if (name.empty()) name = fmt::format("{}_{}", port.name, group.band);
  return {std::move(port), std::move(name)};
}

// FITS column names ignore case.
void check_names(const Product& product, Plan& plan) {
  std::map<std::string, const ProductColumn*> taken;
  for (const ProductColumn& column : product.columns) {
    const auto [it, is_new] = taken.try_emplace(qsohost::lower_case(column.name), &column);
    if (is_new) continue;
    const Port& one = it->second->from;
    const Port& other = column.from;
    plan.problems.push_back(fmt::format(
        "columns '{}' of group '{}' and '{}' of group '{}' would both be called '{}' in the file; "
        "leave one of them out (option 'columns')",
        one.name, one.group, other.name, other.group, column.name));
  }
}

// "" if a FITS table can store it.
std::string array_problem(const Port& port) {
  if (port.dtype != DType::String && port.width == 1) return "";
  return fmt::format(
      "column '{}' of group '{}' has {} for every epoch, which a FITS table cannot hold; leave it "
      "out of 'columns'",
      port.name, port.group, port.width == 1 ? "a text" : "several values");
}

// The stage that gives most of the product's columns.
std::string main_origin(const Product& product, const Schema& schema) {
  std::map<std::string, std::size_t> counts;
  for (const ProductColumn& column : product.columns) {
    const Schema::Entry* entry = schema.find(column.from.group, column.from.name);
    if (entry != nullptr) ++counts[entry->origin];
  }
  const auto most = std::ranges::max_element(counts, {}, [](const auto& c) { return c.second; });
  return most == counts.end() ? "" : most->first;
}

void plan_survey(const std::string& survey, const std::vector<std::string>& columns,
                 const Schema& schema, Plan& plan) {
  const std::vector<GroupInfo> groups = groups_of(survey, schema);
  std::vector<std::string> objects{"source_id"};
  for (const char* name : {"ra", "dec"}) {
    const bool is_there = schema.is_open() || schema.find("", name) != nullptr;
    if (is_there && std::ranges::all_of(groups, &GroupInfo::has_position)) {
      objects.emplace_back(name);
    }
  }
  Product product = start(schema, survey, objects);
  product.survey = survey;
  for (Port& from :
       columns.empty() ? usual_columns(groups, schema) : chosen_columns(groups, columns, schema)) {
    if (std::string problem = array_problem(from); !problem.empty()) {
      plan.problems.push_back(std::move(problem));
      continue;
    }
    product.columns.push_back(epoch_column(std::move(from), schema));
  }
  check_names(product, plan);
  for (const GroupInfo& group : groups) product.epochs.push_back(group.name);
  plan.products.push_back(std::move(product));
}

// The product of the group that a result is about: "loo.ztf.g.logD" is about "ztf.g".
Product& product_about(const std::string& group, const std::string& label, const Schema& schema,
                       Plan& plan) {
  const auto there = std::ranges::find(plan.products, group, &Product::group);
  if (there != plan.products.end()) return *there;
  Product product = start(schema, label, {"source_id"});
  product.group = group;
  const std::size_t dot = group.rfind('.');
  if (const Schema::GroupEntry* entry = schema.find_group(group)) {
    product.survey = entry->info.survey;
    product.band = entry->info.band;
    product.epochs.push_back(group);
  } else if (dot != std::string::npos) {
    product.survey = group.substr(0, dot);
    product.band = group.substr(dot + 1);
  }
  return plan.products.emplace_back(std::move(product));
}

// Whether `label` is the stage's or one of its tables of results, "STAGE.TABLE".
bool is_table_of(const std::string& label, const std::string& stage) {
  return label == stage || is_result_of(label, stage);
}

// A result of a fitter: "loo.ztf.g.logD" is "logD" of group "ztf.g".
struct Result {
  const Port* port;
  std::string group, name;
};

void plan_fitter(const std::string& label, const std::vector<std::string>& columns,
                 const Schema& schema, Plan& plan) {
  const auto chosen = [&](const std::string& name) {
    return columns.empty() || std::ranges::find(columns, name) != columns.end();
  };
  std::set<std::string> found;
  const auto take = [&](const std::string& group, const Port& port, const std::string& name) {
    found.insert(name);
    Product& product = product_about(group, label, schema, plan);
    if (!chosen(name)) return;
    std::string problem = port.group.empty() ? "" : array_problem(port);
    if (problem.empty()) {
      product.columns.push_back({port, name});
    } else {
      plan.problems.push_back(std::move(problem));
    }
  };
  const std::size_t skip = label.size() + 1;
  std::vector<Result> results;
  for (const Schema::Entry& entry : schema.columns()) {
    const Port& port = entry.port;
    const bool is_own = is_table_of(label, entry.origin);
    if (!is_own || !port.group.empty() || !is_result_of(port.name, label)) continue;
    const std::size_t dot = std::max(port.name.rfind('.'), skip - 1);
    results.push_back(
        {&port, dot < skip ? "" : port.name.substr(skip, dot - skip), port.name.substr(dot + 1)});
  }
  // A stage that has results of all light curves together writes one row an object: those of single
  // light curves are called "log_sigma_ztf_g" there.
  const bool is_joint =
      std::ranges::any_of(results, [](const Result& r) { return r.group.empty(); });
  for (const Result& r : results) {
    if (is_joint && !r.group.empty()) {
      std::string name = fmt::format("{}_{}", r.name, r.group);
      std::ranges::replace(name, '.', '_');
      take("", *r.port, name);
    } else {
      take(r.group, *r.port, r.name);
    }
  }
  for (const Schema::Entry& entry : schema.columns()) {
    const Port& port = entry.port;
    if (!is_table_of(label, entry.origin) || !is_result_of(port.group, label)) continue;
    take(port.group.substr(skip), port, port.name);
  }
  for (const std::string& name : columns) {
    if (found.contains(name)) continue;
    plan.problems.push_back(fmt::format(
        "'columns': the results of '{}' have no column '{}'{}", label, name,
        qsohost::did_you_mean(name, std::vector<std::string>(found.begin(), found.end()))));
  }
}

bool is_fitter(const std::string& label, const Schema& schema) {
  return std::ranges::any_of(schema.columns(), [&](const Schema::Entry& entry) {
    return is_table_of(label, entry.origin) &&
           (is_result_of(entry.port.name, label) || is_result_of(entry.port.group, label));
  });
}

void unknown(const std::string& what, const Schema& schema, Plan& plan) {
  std::vector<std::string> names{"catalog", "targets"};
  const auto add = [&](const std::string& name) {
    if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  for (const Schema::GroupEntry& entry : schema.groups()) add(entry.info.survey);
  for (const Schema::Entry& entry : schema.columns()) {
    if (is_fitter(entry.origin, schema)) add(entry.origin);
  }
  const bool is_like_one = !qsohost::nearest_names(what, names).empty();
  plan.problems.push_back(fmt::format(
      "what = \"{}\" is neither a survey nor a fitter at this place of the chain; "
      "there is {}{}",
      what, fmt::join(names, ", "), is_like_one ? qsohost::did_you_mean(what, names) : ""));
}

constexpr std::array<std::string_view, 5> kPlaceholders{"name", "what", "survey", "group", "band"};

std::string usual_path(const Product& product) {
  if (product.what == "catalog" || product.what == "targets") return "{name}_{what}.fits";
  if (product.what == product.survey) return "{name}_{survey}_lc.fits";
  return product.group.empty() ? "{name}_{what}.fits" : "{name}_{what}_{survey}_{band}.fits";
}

}  // namespace

Plan plan_products(const std::string& what, const std::vector<std::string>& columns,
                   const Schema& schema) {
  Plan plan;
  if (what == "catalog") {
    plan_catalog(columns, schema, plan);
  } else if (what == "targets") {
    plan.products.push_back(start(schema, what, {"source_id", "ra", "dec"}));
  } else if (!groups_of(what, schema).empty()) {
    plan_survey(what, columns, schema, plan);
  } else if (is_fitter(what, schema)) {
    plan_fitter(what, columns, schema, plan);
  } else if (!schema.is_open()) {
    unknown(what, schema, plan);
  }
  return plan;
}

std::string count_problem(const Product& product, bool has_key, const Schema& schema) {
  const std::size_t count = product.columns.size() + (has_key ? 1 : 0);
  if (count <= qsohost::kMostFitsColumns) return "";
  const std::string origin = main_origin(product, schema);
  return fmt::format(
      "would write {} columns{}, but a FITS table holds {}; choose with option 'columns'{}", count,
      has_key ? " (one of them to sort by)" : "", qsohost::kMostFitsColumns,
      origin.empty() ? "" : fmt::format(" here, or of stage '{}', which gives most", origin));
}

qsohost::FitsEpochs epochs_of(const Product& product, const Schema& schema) {
  qsohost::FitsEpochs epochs;
  for (const auto& [from, name] : product.columns) {
    const Schema::GroupEntry* group = schema.find_group(from.group);
    if (group == nullptr || group->info.survey.empty()) continue;
    if (!is_one_of(epochs.groups, from)) epochs.groups.push_back(group->info);
    const bool is_usual =
        from.in_product || !has_usual_columns(groups_of(group->info.survey, schema), schema);
    epochs.columns.push_back({name, from.group, from.name, is_usual});
  }
  return epochs;
}

std::string path_of(const Product& product, const std::string& pattern, const std::string& name) {
  std::string path = pattern.empty() ? usual_path(product) : pattern;
  const std::array<const std::string*, 5> values{&name, &product.what, &product.survey,
                                                 &product.group, &product.band};
  for (std::size_t i = 0; i < kPlaceholders.size(); ++i) {
    const std::string placeholder = fmt::format("{{{}}}", kPlaceholders[i]);
    for (std::size_t at = path.find(placeholder); at != std::string::npos;
         at = path.find(placeholder, at + values[i]->size())) {
      path.replace(at, placeholder.size(), *values[i]);
    }
  }
  return path;
}

std::vector<std::string> path_problems(const std::vector<Product>& products,
                                       const std::string& pattern) {
  std::vector<std::string> problems;
  std::set<std::string> paths;
  for (const Product& product : products) {
    for (const std::string* part :
         {&product.what, &product.survey, &product.group, &product.band}) {
      const bool is_name = part->find('/') == std::string::npos && *part != "." && *part != "..";
      if (is_name) continue;
      problems.push_back(
          fmt::format("'{}' would be part of the name of a file; rename it, without '/'", *part));
      return problems;
    }
    const std::string path = path_of(product, pattern, "name");
    const std::size_t brace = path.find_first_of("{}");
    if (brace != std::string::npos) {
      problems.push_back(fmt::format("path \"{}\" has an unknown placeholder; there is {{{}}}",
                                     pattern, fmt::join(kPlaceholders, "}, {")));
      return problems;
    }
    if (paths.insert(path).second) continue;
    problems.push_back(fmt::format(
        "path \"{}\" gives {} products the same file; put {{group}} or {{survey}} and {{band}} "
        "into it",
        pattern, products.size()));
    return problems;
  }
  return problems;
}

}  // namespace products
