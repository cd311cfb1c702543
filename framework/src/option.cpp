#include "qsohost/option.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

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
    throw ChainError(fmt::format("wants {}", with_article(wanted)));
  };
  if (const auto* scalar = std::get_if<Scalar>(&value.data)) {
    take(*scalar);
  } else {
    for (const Scalar& scalar : std::get<std::vector<Scalar>>(value.data)) take(scalar);
  }
  return out;
}

template <class T>
T as_scalar(const OptionValue& value, std::string_view wanted) {
  const auto* scalar = std::get_if<Scalar>(&value.data);
  if (scalar == nullptr)
    throw ChainError(fmt::format("wants {}, not a list", with_article(wanted)));
  return as_list<T>(value, wanted).front();
}

// The numbers and strings in a value, for range and choices.
std::vector<double> numbers_in(const OptionValue& value) {
  std::vector<double> out;
  const auto take = [&](const Scalar& s) {
    if (const auto* d = std::get_if<double>(&s)) out.push_back(*d);
    if (const auto* i = std::get_if<std::int64_t>(&s)) out.push_back(static_cast<double>(*i));
  };
  if (const auto* s = std::get_if<Scalar>(&value.data))
    take(*s);
  else
    std::ranges::for_each(std::get<std::vector<Scalar>>(value.data), take);
  return out;
}

std::vector<std::string> strings_in(const OptionValue& value) {
  std::vector<std::string> out;
  const auto take = [&](const Scalar& s) {
    if (const auto* text = std::get_if<std::string>(&s)) out.push_back(*text);
  };
  if (const auto* s = std::get_if<Scalar>(&value.data))
    take(*s);
  else
    std::ranges::for_each(std::get<std::vector<Scalar>>(value.data), take);
  return out;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out + '"';
}

std::string to_toml(const Scalar& scalar) {
  if (const auto* b = std::get_if<bool>(&scalar)) return *b ? "true" : "false";
  if (const auto* i = std::get_if<std::int64_t>(&scalar)) return std::to_string(*i);
  if (const auto* text = std::get_if<std::string>(&scalar)) return quoted(*text);
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
  check_limits();
  set_ = true;
}

void OptionBase::check_limits() const {
  const OptionValue now = value();
  const double low = limits_.min.value_or(-HUGE_VAL);
  const double high = limits_.max.value_or(HUGE_VAL);
  const std::string unit = limits_.unit.empty() ? "" : " " + limits_.unit;
  for (const double number : numbers_in(now)) {
    if (number >= low && number <= high) continue;
    if (limits_.min && limits_.max) {
      throw ChainError(fmt::format("must lie in {} .. {}{}, not {}", low, high, unit, number));
    }
    throw ChainError(limits_.min ? fmt::format("must be at least {}{}, not {}", low, unit, number)
                                 : fmt::format("must be at most {}{}, not {}", high, unit, number));
  }
  if (!limits_.choices.empty()) {
    for (const std::string& text : strings_in(now)) {
      if (std::ranges::find(limits_.choices, text) != limits_.choices.end()) continue;
      throw ChainError(fmt::format("must be one of \"{}\", not \"{}\"",
                                   fmt::join(limits_.choices, "\", \""), text));
    }
  }
  const auto* list = std::get_if<std::vector<Scalar>>(&now.data);
  if (limits_.length && list != nullptr && list->size() != *limits_.length) {
    throw ChainError(fmt::format("wants {} values, not {}", *limits_.length, list->size()));
  }
}

namespace {

// One overload a type: its name, how it is taken from a value, how it is given back.
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
std::string_view type_name_of(const Secret&) {
  return "secret";
}
std::string_view type_name_of(const std::vector<std::string>&) {
  return "list of strings";
}
std::string_view type_name_of(const std::vector<double>&) {
  return "list of numbers";
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
void take(const OptionValue& value, Secret& into) {
  into.variable =
      as_scalar<std::string>(value, "name of an environment variable that holds the secret");
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
OptionValue give(const Secret& value) {
  return {Scalar(value.variable)};
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
  take(value, value_);
}

template class Option<bool>;
template class Option<std::int64_t>;
template class Option<double>;
template class Option<std::string>;
template class Option<Path>;
template class Option<Secret>;
template class Option<std::vector<std::string>>;
template class Option<std::vector<double>>;

std::string to_toml(const OptionValue& value) {
  if (const auto* scalar = std::get_if<Scalar>(&value.data)) return to_toml(*scalar);
  std::vector<std::string> parts;
  for (const Scalar& s : std::get<std::vector<Scalar>>(value.data)) parts.push_back(to_toml(s));
  return fmt::format("[{}]", fmt::join(parts, ", "));
}

}  // namespace qsohost::inline v1
