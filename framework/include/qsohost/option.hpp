// Options declare themselves: one data member holds name, default, unit, range, choices and help,
// and everything that shows or checks options (inspect, --check, --set, README) uses it.
//
//   Option<double> radius{this, "radius_arcsec", 2.0, "cone around the target",
//                         {.unit = "arcsec", .min = 0.05, .max = 600}};
//   Option<std::string> table{this, "table", required, "where to look"};
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "qsohost/api.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

// Where something was written; line 0 means the command line, which `file` then quotes.
struct Place {
  std::string file{};
  int line = 0;
  int column = 0;
};

// A value as a chain file can hold it. Lists hold scalars of one type; tables ([[stage.NAME]]) hold
// scalars and lists.
struct OptionValue {
  using Scalar = std::variant<bool, std::int64_t, double, std::string>;
  struct Table;
  std::variant<Scalar, std::vector<Scalar>, std::vector<Table>> data;
};

struct OptionValue::Table {
  struct Entry;
  std::vector<Entry> entries;
  Place place{};
};

struct OptionValue::Table::Entry {
  std::string name;
  OptionValue value;
  Place place{};
};

// A file or folder. Relative paths in a chain file count from the folder of that file, on the
// command line from the current directory. `${NAME}` and `${NAME:-default}` are replaced from the
// environment. (Exported: templates of a hidden type would be hidden too.)
struct QSOHOST_API Path {
  std::string text;
};

// An http or https URL: a host, optionally a port, a path and a query; no fragment. Environment
// variables are replaced as in a Path. It is stored with the run and in every product, so one with
// a user name, a password or a token (?token=...) in it is refused: credentials are a Secret, sent
// in a header of the request. Empty only where that is the default.
struct QSOHOST_API Url {
  std::string text;
};

// Where a secret is: the name of an environment variable, or "file:PATH" (a path as in a Path). The
// value itself is read by Context::secret(), and never printed or stored.
struct QSOHOST_API Secret {
  std::string where;
};

struct OptionLimits {
  std::string unit{};
  std::optional<double> min{};
  std::optional<double> max{};
  std::vector<std::string> choices{};   // strings, or the members of a list of strings
  std::optional<std::size_t> length{};  // exact length of a list
  // False for what changes the speed or the load on a server, never the results (connections,
  // threads, timeouts): --resume accepts another value, and the provenance omits it. Not for
  // required options.
  bool affects_results = true;
};

struct Required {
  constexpr explicit Required(int /*never from {}*/) {}
};
inline constexpr Required required{0};

class OptionBase;

// Stages are option owners; options register with them as the stage is constructed.
class QSOHOST_API OptionOwner {
 public:
  const std::vector<OptionBase*>& options() const { return options_; }

 protected:
  OptionOwner() = default;
  ~OptionOwner() = default;
  OptionOwner(const OptionOwner&) = delete;
  OptionOwner& operator=(const OptionOwner&) = delete;

 private:
  friend class OptionBase;
  std::vector<OptionBase*> options_;
};

class QSOHOST_API OptionBase {
 public:
  virtual ~OptionBase();
  OptionBase(const OptionBase&) = delete;
  OptionBase& operator=(const OptionBase&) = delete;

  const std::string& name() const { return name_; }
  const std::string& help() const { return help_; }
  const OptionLimits& limits() const { return limits_; }
  bool is_required() const { return required_; }
  bool is_set() const { return set_; }

  // "bool", "integer", "number", "string", "path", "url", "secret", "list of strings", "list of
  // numbers", "list of paths", "list of tables"
  virtual std::string_view type_name() const = 0;
  // The value in force; for a required option that was not set, an empty value.
  virtual OptionValue value() const = 0;
  // For a list of tables, the options of each; else nullptr.
  virtual const OptionOwner* table() const { return nullptr; }

  // True if the values are files or folders: relative ones are made absolute before set().
  virtual bool holds_paths() const { return false; }
  // True if `${NAME}` in a value is replaced before set(); so it is in paths.
  virtual bool expands_environment() const { return false; }

  // Checks type, range, choices and length, then sets the value. Throws UsageError with a message
  // that says what the option expects, and keeps the old value. A list option accepts a scalar as a
  // list of one.
  void set(const OptionValue& value);

  // Throws UsageError if the value in force breaks the option's own limits.
  void check() const { check_value(value()); }

 protected:
  OptionBase(OptionOwner* owner, std::string name, std::string help, OptionLimits limits,
             bool is_required);
  // Sets a value of the right type that passes check_value(); throws UsageError for others.
  virtual void assign(const OptionValue& value) = 0;
  virtual void check_value(const OptionValue& value) const;

 private:
  std::string name_;
  std::string help_;
  OptionLimits limits_;
  bool required_;
  bool set_ = false;
};

// T: bool, std::int64_t, double, std::string, Path, Url, Secret, std::vector<std::string>,
// std::vector<double>, std::vector<Path>.
template <class T>
class QSOHOST_API Option final : public OptionBase {
 public:
  Option(OptionOwner* owner, std::string name, T otherwise, std::string help,
         OptionLimits limits = {})
      : OptionBase(owner, std::move(name), std::move(help), std::move(limits), false),
        value_(std::move(otherwise)) {}
  Option(OptionOwner* owner, std::string name, Required, std::string help, OptionLimits limits = {})
      : OptionBase(owner, std::move(name), std::move(help), std::move(limits), true), value_{} {}

  const T& operator*() const { return value_; }
  const T* operator->() const { return &value_; }

  std::string_view type_name() const override;
  OptionValue value() const override;
  bool holds_paths() const override {
    return std::is_same_v<T, Path> || std::is_same_v<T, std::vector<Path>>;
  }
  bool expands_environment() const override { return std::is_same_v<T, Url>; }

 private:
  void assign(const OptionValue& value) override;
  void check_value(const OptionValue& value) const override;
  T value_;
};

extern template class Option<bool>;
extern template class Option<std::int64_t>;
extern template class Option<double>;
extern template class Option<std::string>;
extern template class Option<Path>;
extern template class Option<Url>;
extern template class Option<Secret>;
extern template class Option<std::vector<std::string>>;
extern template class Option<std::vector<double>>;
extern template class Option<std::vector<Path>>;

class QSOHOST_API ChoiceBase : public OptionBase {
 public:
  ~ChoiceBase() override;
  std::string_view type_name() const final { return "string"; }
  OptionValue value() const final;

 protected:
  // `index`: of the default among limits.choices.
  ChoiceBase(OptionOwner* owner, std::string name, std::string help, OptionLimits limits,
             bool is_required, std::size_t index);
  std::size_t index() const { return index_; }

 private:
  void assign(const OptionValue& value) final;
  std::size_t index_;
};

// One of several named values of an enum:
//
//   enum class Mean { Median, Profiled };
//   Choice<Mean> mean{this, "mean", Mean::Median,
//                     {{"median", Mean::Median}, {"profiled", Mean::Profiled}}, "which mean"};
//
// and the chain file has mean = "profiled".
template <class E>
class Choice final : public ChoiceBase {
 public:
  struct Named {
    const char* name;
    E value;
  };
  Choice(OptionOwner* owner, std::string name, E otherwise, std::initializer_list<Named> choices,
         std::string help, OptionLimits limits = {})
      : ChoiceBase(owner, std::move(name), std::move(help), named(std::move(limits), choices),
                   false, index_of(otherwise, choices)),
        values_(values_of(choices)) {}
  Choice(OptionOwner* owner, std::string name, Required, std::initializer_list<Named> choices,
         std::string help, OptionLimits limits = {})
      : ChoiceBase(owner, std::move(name), std::move(help), named(std::move(limits), choices), true,
                   0),
        values_(values_of(choices)) {}

  E operator*() const { return values_.at(index()); }

 private:
  static OptionLimits named(OptionLimits limits, std::initializer_list<Named> choices) {
    for (const Named& choice : choices) limits.choices.emplace_back(choice.name);
    return limits;
  }
  // Past the end if it is not among them, which is detected when the plugin is loaded.
  static std::size_t index_of(E value, std::initializer_list<Named> choices) {
    std::size_t i = 0;
    for (const Named& choice : choices) {
      if (choice.value == value) break;
      ++i;
    }
    return i;
  }
  static std::vector<E> values_of(std::initializer_list<Named> choices) {
    std::vector<E> values;
    for (const Named& choice : choices) values.push_back(choice.value);
    return values;
  }
  std::vector<E> values_;
};

// What is wrong inside a list of tables, with places in the chain file.
class QSOHOST_API TableError : public UsageError {
 public:
  struct Problem {
    Place place;
    std::string message;
  };
  explicit TableError(std::vector<Problem> problems);
  ~TableError() override;
  const std::vector<Problem>& problems() const { return problems_; }

 private:
  std::vector<Problem> problems_;
};

class QSOHOST_API OptionTablesBase : public OptionBase {
 public:
  ~OptionTablesBase() override;
  std::string_view type_name() const final { return "list of tables"; }
  OptionValue value() const final;
  bool empty() const { return tables_.empty(); }
  std::size_t size() const { return tables_.size(); }

 protected:
  OptionTablesBase(OptionOwner* owner, std::string name, std::string help);
  const OptionOwner& table_at(std::size_t i) const { return *tables_[i]; }

 private:
  void assign(const OptionValue& value) final;  // throws TableError
  virtual std::shared_ptr<OptionOwner> make() const = 0;
  std::vector<std::shared_ptr<OptionOwner>> tables_;
};

// A list of tables, none if not given. Each table declares its options as a stage does:
//
//   struct Band : qsohost::OptionOwner {
//     qsohost::Option<std::string> time{this, "time", qsohost::required, "column of times"};
//   };
//   qsohost::OptionTables<Band> bands{this, "band", "light curves of a file"};
//
// and the chain file has [[stage.band]] with `time = "mjd"`.
template <class T>
class OptionTables final : public OptionTablesBase {
 public:
  OptionTables(OptionOwner* owner, std::string name, std::string help)
      : OptionTablesBase(owner, std::move(name), std::move(help)) {}

  const T& operator[](std::size_t i) const { return static_cast<const T&>(table_at(i)); }
  const OptionOwner* table() const override { return &prototype_; }

 private:
  std::shared_ptr<OptionOwner> make() const override { return std::make_shared<T>(); }
  T prototype_;
};

// As it would stand in a chain file: true, 2.0, "text", ["g", "r"].
QSOHOST_API std::string to_toml(const OptionValue& value);

}  // namespace qsohost::inline v1
