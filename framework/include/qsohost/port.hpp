// Ports declare which columns a stage reads and which it adds, so that a chain can be checked from
// end to end before anything is opened.
//
//   In<double> ra{this, "", "ra", "deg", "right ascension, ICRS"};
//
//   void declare(const Schema&, Ports& ports) const override {
//     ports.adds_group({"ps1.g", "ps1", "g", "mjd", "mag", "mag_err", kMjdTai},
//                      {{"mjd", DType::F64, "d", "time of the exposure"}, ...});
//   }
//
// Every group and column that a stage adds is created by the host before the stage is called:
// columns of the stage's own groups empty, to append to; all others with a cell for every existing
// row or epoch, to write to (a Source's are empty: there are no rows yet). A column that a Fitter
// adds to a light curve replaces one of the same name that an earlier Fitter added to it, so that
// fits can be repeated in one chain; any other column that is there already is an error.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "qsohost/batch.hpp"

namespace qsohost::inline v1 {

// The width of a port that reads cells of any width.
inline constexpr std::size_t kAnyWidth = 0;

struct Port {
  std::string group;  // "" for one cell per object
  std::string name;
  std::optional<DType> dtype;  // none: any type (reading), or not known yet (adding)
  std::string unit{};
  std::string help{};
  double fill = 0;          // an integer or bool column starts as this; floats start as NaN
  std::size_t width = 1;    // values per cell; a port that is read requires as many
  std::string fill_text{};  // a string column starts as this
  // What files call a column of epochs; "": <name>_<band>.
  std::string file_name{};
  // A column of epochs that is written when the user names none. The product of a survey has these
  // in the order of declaration; if none of the survey's is marked, all numeric columns.
  bool in_product = false;
  // Of a column that a Filter reads: the host removes it from the batch after the Filter.
  bool used_up = false;
};

// The columns and groups that a batch has at one place of the chain.
class QSOHOST_API Schema {
 public:
  struct Entry {
    Port port;
    std::string origin;  // label of the stage that added it
    bool from_fitter = false;
  };
  struct GroupEntry {
    GroupInfo info;
    std::string origin;
  };

  // True while the source has not been opened, so that more columns may exist than are listed.
  bool is_open() const { return open_; }
  const Entry* find(std::string_view group, std::string_view name) const;
  const GroupEntry* find_group(std::string_view name) const;
  const std::vector<Entry>& columns() const { return columns_; }
  const std::vector<GroupEntry>& groups() const { return groups_; }

  void add(Port port, std::string origin, bool from_fitter = false);
  void add_group(GroupInfo info, std::string origin);
  void drop_group(std::string_view name);
  void drop_column(std::string_view group, std::string_view name);
  // The description of its times then says what they were before.
  void set_time_system(std::string_view group, const TimeSystem& system);
  void set_open(bool open) { open_ = open; }

 private:
  std::vector<Entry> columns_;
  std::vector<GroupEntry> groups_;
  bool open_ = false;
};

// What a stage declares in Stage::declare().
class QSOHOST_API Ports {
 public:
  void reads(Port port) { reads_.push_back(std::move(port)); }
  void adds(Port port) { adds_.push_back(std::move(port)); }
  void adds_group(GroupInfo info) { groups_.push_back(std::move(info)); }
  // A group with these columns.
  void adds_group(GroupInfo info, std::initializer_list<ColumnInfo> columns);
  void drops_group(std::string name) { drops_.push_back(std::move(name)); }
  // A Filter converts the times of this group, in place, to another system. The host notes the
  // system in the batch after the Filter.
  void sets_time_system(std::string group, const TimeSystem& system) {
    time_systems_.emplace_back(std::move(group), system);
  }
  // For a Source or a Fetcher that has not been opened: there will be columns (of a Source groups,
  // too) besides those declared.
  void adds_unknown() { unknown_ = true; }
  // A file that a Sink will write, as a pattern in which {name} is replaced; relative paths are
  // resolved against the run directory. Two sinks with the same file are an error.
  void writes(std::string product) { products_.push_back(std::move(product)); }
  // Which rows a Sink writes and in which order, in terms that a user knows, such as its options:
  // `sort_by = "ra"`. The host warns where the sinks of a chain differ, because row i of their
  // products is then not the same object.
  void rows(std::string key) { rows_ = std::move(key); }
  // A stage that reads the times of several groups is refused where their time systems differ,
  // unless it declares here that it keeps the groups apart, or converts their times.
  void minds_time_systems() { minds_time_systems_ = true; }
  // Anything else that cannot work at this place of the chain; shown with the stage's line.
  void problem(std::string message) { problems_.push_back(std::move(message)); }

  const std::vector<Port>& read() const { return reads_; }
  const std::vector<Port>& added() const { return adds_; }
  const std::vector<GroupInfo>& added_groups() const { return groups_; }
  const std::vector<std::string>& dropped_groups() const { return drops_; }
  const std::vector<std::pair<std::string, TimeSystem>>& time_systems() const {
    return time_systems_;
  }
  const std::vector<std::string>& products() const { return products_; }
  const std::string& row_key() const { return rows_; }  // "": not declared
  const std::vector<std::string>& problems() const { return problems_; }
  bool has_unknown() const { return unknown_; }
  bool time_systems_are_minded() const { return minds_time_systems_; }

 private:
  std::vector<Port> reads_;
  std::vector<Port> adds_;
  std::vector<GroupInfo> groups_;
  std::vector<std::string> drops_;
  std::vector<std::pair<std::string, TimeSystem>> time_systems_;
  std::vector<std::string> products_;
  std::string rows_;
  std::vector<std::string> problems_;
  bool unknown_ = false;
  bool minds_time_systems_ = false;
};

// Stages are port owners; ports that are data members register as the stage is constructed.
class QSOHOST_API PortOwner {
 public:
  const Ports& member_ports() const { return ports_; }

 protected:
  PortOwner() = default;
  ~PortOwner() = default;
  PortOwner(const PortOwner&) = delete;
  PortOwner& operator=(const PortOwner&) = delete;

 private:
  template <class, std::size_t>
  friend class In;
  Ports ports_;
};

// A required column. in(batch) is the whole column: `width` values per row or epoch, consecutively.
template <class T, std::size_t width = 1>
class In {
  static_assert(width != kAnyWidth, "who reads cells of any width declares it in Stage::declare()");

 public:
  In(PortOwner* owner, std::string group, std::string name, std::string unit, std::string help)
      : group_(std::move(group)), name_(std::move(name)) {
    owner->ports_.reads({group_, name_, dtype_of<T>(), std::move(unit), std::move(help), 0, width});
  }
  std::span<const Stored<T>> operator()(const Batch& batch) const {
    const ColumnSet& set = group_.empty() ? batch.objects() : batch.group(group_);
    const Column& column = set.at(name_);
    column.require_width(width);
    return column.template values<T>();
  }

 private:
  std::string group_;
  std::string name_;
};

}  // namespace qsohost::inline v1
