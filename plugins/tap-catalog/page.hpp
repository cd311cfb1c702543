// What a TAP service answers, checked before it is believed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <qsohost/column.hpp>
#include <qsohost/io/catalog_columns.hpp>
#include <qsohost/tap.hpp>

namespace tap_catalog {

struct Count {
  std::uint64_t rows = 0;
  std::uint64_t with_id = 0;
};
// The answer to count_query(). Throws TryAgain.
Count read_count(const qsohost::TapAnswer& answer);

// Rows of the selection, in the order of their identifiers, as columns of objects.
struct Page {
  std::vector<qsohost::Column> columns{};
  std::uint64_t rows = 0;
  bool is_cut = false;  // the service says that there are more rows
};

class PageReader {
 public:
  using Warn = std::function<void(const std::string&)>;

  // `answer`: what messages call it.
  PageReader(std::string answer, qsohost::CatalogNames names, Warn warn)
      : name_(std::move(answer)), names_(std::move(names)), warn_(std::move(warn)) {}

  // The answer to page_query(). A page that begins with the last identifier of the page before
  // (`begin`: its cell) must have that row, which shows that the service did not send an empty page
  // by mistake, and that no other row has that identifier; it is left out of what is returned. A
  // first page must have rows. Throws TryAgain if the answer cannot be trusted, and RunError if its
  // rows cannot be used.
  Page read(const qsohost::TapAnswer& answer, const std::optional<qsohost::Column>& begin);

  // The first page, of a selection without rows: its columns.
  void read_empty(const qsohost::TapAnswer& answer);

  // Known with the first page.
  const std::optional<qsohost::CatalogColumns>& columns() const { return chosen_; }

 private:
  void choose(const qsohost::InputTable& table);
  void check_rows(const std::vector<qsohost::Column>& columns) const;

  std::string name_;
  qsohost::CatalogNames names_;
  Warn warn_;
  std::optional<qsohost::CatalogColumns> chosen_;
  std::vector<qsohost::ColumnInfo> first_;  // the columns of the first page
};

// The last identifier, as a column of one cell.
qsohost::Column last_id(const Page& page);
// As a literal of ADQL.
std::string literal(const qsohost::Column& id);

}  // namespace tap_catalog
