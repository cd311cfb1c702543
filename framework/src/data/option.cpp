#include "qsohost/option.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <string>
#include <vector>

#include "base/toml_string.hpp"
#include "data/url_check.hpp"

namespace qsohost::inline v1 {

namespace {

using Scalar = OptionValue::Scalar;

std::string with_article(std::string_view noun) {
  return fmt::format("{} {}", noun.front() == 'i' ? "an" : "a", noun);
}

template <class T>
std::vector<T> as_list(const OptionValue& value, std::string_view wanted) {
  std::vector<T> out;
  const auto take = [&](const Scalar& scalar) {
    if (const T* exact = std::get_if<T>(&scalar)) {
      out.push_back(*exact);
      return;
    }
    if constexpr (std::is_same_v<T, double>) {
      if (const auto* whole = std::get_if<std::int64_t>(&scalar)) {
        out.push_back(static_cast<double>(*whole));
        return;
      }
    }
    throw UsageError(fmt::format("wants {}", with_article(wanted)));
  };
  if (const auto* scalar = std::get_if<Scalar>(&value.data)) {
    take(*scalar);
  } else if (const auto* list = std::get_if<std::vector<Scalar>>(&value.data)) {
    for (const Scalar& element : *list) take(element);
  } else {
    throw UsageError(fmt::format("wants {}, not tables", with_article(wanted)));
  }
  return out;
}

template <class T>
T as_scalar(const OptionValue& value, std::string_view wanted) {
  const auto* scalar = std::get_if<Scalar>(&value.data);
  if (scalar == nullptr)
    throw UsageError(fmt::format("wants {}, not a list", with_article(wanted)));
  return as_list<T>(value, wanted).front();
}

// The scalars of type T in a value, for range and choices; tables check their own.
template <class T>
std::vector<T> scalars_in(const OptionValue& value) {
  std::vector<T> out;
  const auto take = [&](const Scalar& s) {
    if (const auto* exact = std::get_if<T>(&s)) out.push_back(*exact);
    if constexpr (std::is_same_v<T, double>) {
      if (const auto* i = std::get_if<std::int64_t>(&s)) out.push_back(static_cast<double>(*i));
    }
  };
  if (const auto* s = std::get_if<Scalar>(&value.data)) take(*s);
  if (const auto* list = std::get_if<std::vector<Scalar>>(&value.data)) {
    std::ranges::for_each(*list, take);
  }
  return out;
}

std::string to_toml(const Scalar& scalar) {
  if (const auto* b = std::get_if<bool>(&scalar)) return *b ? "true" : "false";
  if (const auto* i = std::get_if<std::int64_t>(&scalar)) return std::to_string(*i);
  if (const auto* text = std::get_if<std::string>(&scalar)) return toml_string(*text);
  const double number = std::get<double>(scalar);
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  std::string out = fmt::format("{}", number);
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

}  // namespace

OptionBase::OptionBase(OptionOwner* owner, std::string name, std::string help, OptionLimits limits,
                       bool is_required)
    : name_(std::move(name)),
      help_(std::move(help)),
      limits_(std::move(limits)),
      required_(is_required) {
  owner->options_.push_back(this);
}

OptionBase::~OptionBase() = default;

void OptionBase::set(const OptionValue& value) {
  assign(value);
  set_ = true;
}

void OptionBase::check_value(const OptionValue& value) const {
  const double low = limits_.min.value_or(-HUGE_VAL);
  const double high = limits_.max.value_or(HUGE_VAL);
  const std::string unit = limits_.unit.empty() ? "" : " " + limits_.unit;
  if (low > high) {
    throw UsageError(
        fmt::format("has limits that nothing satisfies, {} .. {}{}; its plugin must declare others",
                    low, high, unit));
  }
  for (const double number : scalars_in<double>(value)) {
    if (number >= low && number <= high) continue;
    if (limits_.min && limits_.max) {
      throw UsageError(fmt::format("must lie in {} .. {}{}, not {}", low, high, unit, number));
    }
    throw UsageError(limits_.min ? fmt::format("must be at least {}{}, not {}", low, unit, number)
                                 : fmt::format("must be at most {}{}, not {}", high, unit, number));
  }
  for (const std::string& text : scalars_in<std::string>(value)) {
    if (text.find('\0') == std::string::npos) continue;
    throw UsageError("must have no zero byte: the system reads no further; take it out");
  }
  if (!limits_.choices.empty()) {
    for (const std::string& text : scalars_in<std::string>(value)) {
      if (std::ranges::find(limits_.choices, text) != limits_.choices.end()) continue;
      throw UsageError(fmt::format("must be one of \"{}\", not \"{}\"",
                                   fmt::join(limits_.choices, "\", \""), text));
    }
  }
  const auto* list = std::get_if<std::vector<Scalar>>(&value.data);
  if (limits_.length && list != nullptr && list->size() != *limits_.length) {
    throw UsageError(fmt::format("wants {} values, not {}", *limits_.length, list->size()));
  }
}

namespace {

// One overload per type: its name, conversion from a value, conversion back.
std::string_view type_name_of(const bool&) {
  return "bool";
}
std::string_view type_name_of(const std::int64_t&) {
  return "integer";
}
std::string_view type_name_of(const double&) {
  return "number";
}
std::string_view type_name_of(const std::string&) {
  return "string";
}
std::string_view type_name_of(const Path&) {
  return "path";
}
std::string_view type_name_of(const Url&) {
  return "url";
}
std::string_view type_name_of(const Secret&) {
  return "secret";
}
std::string_view type_name_of(const std::vector<std::string>&) {
  return "list of strings";
}
std::string_view type_name_of(const std::vector<double>&) {
  return "list of numbers";
}
std::string_view type_name_of(const std::vector<Path>&) {
  return "list of paths";
}

template <class T>
void take(const OptionValue& value, T& into) {
  into = as_scalar<T>(value, type_name_of(into));
}
template <class T>
void take(const OptionValue& value, std::vector<T>& into) {
  into = as_list<T>(value, type_name_of(into));
}
void take(const OptionValue& value, Path& into) {
  into.text = as_scalar<std::string>(value, "path (a string)");
}
void take(const OptionValue& value, Url& into) {
  into.text = as_scalar<std::string>(value, "URL (a string)");
}
void take(const OptionValue& value, std::vector<Path>& into) {
  into.clear();
  for (std::string& text : as_list<std::string>(value, "list of paths (strings)")) {
    into.push_back({std::move(text)});
  }
}
void take(const OptionValue& value, Secret& into) {
  into.where = as_scalar<std::string>(
      value, "name of an environment variable that holds the secret, or file:PATH");
}

// A wrong value may be the secret itself, so it is not shown.
void check_secret(const std::string& where) {
  const auto is_plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  const bool is_variable = !where.empty() &&
                           std::isdigit(static_cast<unsigned char>(where[0])) == 0 &&
                           std::ranges::all_of(where, is_plain);
  const bool is_file = where.starts_with("file:") && where.size() > 5;
  if (is_variable || is_file) return;
  throw UsageError(
      "wants the name of an environment variable (letters, digits and _) that holds the secret, or "
      "\"file:PATH\"; never the secret itself: options are stored and shown");
}

template <class T>
OptionValue give(const T& value) {
  return {Scalar(value)};
}
template <class T>
OptionValue give(const std::vector<T>& values) {
  return {std::vector<Scalar>(values.begin(), values.end())};
}
OptionValue give(const Path& value) {
  return {Scalar(value.text)};
}
OptionValue give(const Url& value) {
  return {Scalar(value.text)};
}
OptionValue give(const Secret& value) {
  return {Scalar(value.where)};
}
OptionValue give(const std::vector<Path>& values) {
  std::vector<Scalar> texts;
  for (const Path& path : values) texts.emplace_back(path.text);
  return {std::move(texts)};
}

}  // namespace

template <class T>
std::string_view Option<T>::type_name() const {
  return type_name_of(value_);
}

template <class T>
OptionValue Option<T>::value() const {
  return give(value_);
}

template <class T>
void Option<T>::assign(const OptionValue& value) {
  T taken = value_;
  take(value, taken);
  if constexpr (std::is_same_v<T, Url>) {
    if (taken.text.empty() && (is_required() || !value_.text.empty())) {
      throw UsageError("wants a URL, not an empty text");
    }
  }
  if constexpr (std::is_same_v<T, Secret>) check_secret(taken.where);
  check_value(give(taken));
  value_ = std::move(taken);
}

template <class T>
void Option<T>::check_value(const OptionValue& value) const {
  OptionBase::check_value(value);
  if constexpr (std::is_same_v<T, Url>) {
    for (const std::string& text : scalars_in<std::string>(value)) {
      if (!text.empty()) check_url(text);
    }
  }
  if constexpr (std::is_same_v<T, Secret>) {
    for (const std::string& where : scalars_in<std::string>(value)) {
      if (!is_required() || !where.empty()) check_secret(where);
    }
  }
}

ChoiceBase::ChoiceBase(OptionOwner* owner, std::string name, std::string help, OptionLimits limits,
                       bool is_required, std::size_t index)
    : OptionBase(owner, std::move(name), std::move(help), std::move(limits), is_required),
      index_(index) {}

ChoiceBase::~ChoiceBase() = default;

OptionValue ChoiceBase::value() const {
  const std::vector<std::string>& names = limits().choices;
  const bool is_empty = (is_required() && !is_set()) || index_ >= names.size();
  return {Scalar(is_empty ? std::string() : names[index_])};
}

void ChoiceBase::assign(const OptionValue& value) {
  const auto text = as_scalar<std::string>(value, type_name());
  check_value(value);
  const std::vector<std::string>& names = limits().choices;
  index_ = static_cast<std::size_t>(std::ranges::find(names, text) - names.begin());
}

template class Option<bool>;
template class Option<std::int64_t>;
template class Option<double>;
template class Option<std::string>;
template class Option<Path>;
template class Option<Url>;
template class Option<Secret>;
template class Option<std::vector<std::string>>;
template class Option<std::vector<double>>;
template class Option<std::vector<Path>>;

std::string to_toml(const OptionValue& value) {
  if (const auto* scalar = std::get_if<Scalar>(&value.data)) return to_toml(*scalar);
  std::vector<std::string> parts;
  if (const auto* list = std::get_if<std::vector<Scalar>>(&value.data)) {
    for (const Scalar& s : *list) parts.push_back(to_toml(s));
    return fmt::format("[{}]", fmt::join(parts, ", "));
  }
  for (const OptionValue::Table& table : std::get<std::vector<OptionValue::Table>>(value.data)) {
    std::vector<std::string> entries;
    for (const auto& entry : table.entries) {
      entries.push_back(fmt::format("{} = {}", entry.name, to_toml(entry.value)));
    }
    parts.push_back(fmt::format("{{ {} }}", fmt::join(entries, ", ")));
  }
  return fmt::format("[{}]", fmt::join(parts, ", "));
}

}  // namespace qsohost::inline v1
