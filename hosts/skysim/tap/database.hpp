// The tables of a TAP service in SQLite: one connection, which queries use in turn.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tap/table.hpp"

struct sqlite3;

namespace qsohost::skysim {

// Creates the functions of ADQL that SQLite lacks: adql_distance(ra1, dec1, ra2, dec2), degrees.
void add_geometry(sqlite3* database);

class TapDatabase {
 public:
  // Also makes TAP_SCHEMA, which describes the tables.
  explicit TapDatabase(std::vector<TapTable> tables);

  const std::vector<TapTable>& tables() const { return tables_; }

  struct Upload {
    std::string name;
    std::vector<TapColumn> columns;
    std::vector<std::vector<TapCell>> rows;
  };
  // At most `limit` rows of a query in ADQL. Throws BadRequest. Thread-safe.
  TapRows query(const std::string& adql, const std::vector<Upload>& uploads, std::size_t limit);

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  void execute(const std::string& sql);
  void create(const TapTable& table);
  void insert_into(const TapTable& table, const std::function<void(const TapInsert&)>& fill);
  void fill(const std::string& name);
  void upload(const std::vector<Upload>& uploads);
  TapColumn column_of(const std::string& schema, const std::string& table,
                      const std::string& column) const;

  std::unique_ptr<sqlite3, Close> database_;
  std::vector<TapTable> tables_;
  std::vector<bool> is_filled_;
  std::vector<TapTable> uploaded_;  // of the query that runs
  std::mutex mutex_;
};

// "a"b" as an identifier of SQL.
std::string sql_name(std::string_view name);

}  // namespace qsohost::skysim
