// Reading the tables that archives send: CSV, TSV, IPAC tables and VOTables (TABLEDATA), detected
// by content. Tables in files, with types: input_table.hpp.
//
// Formats: RFC 4180 (CSV); https://irsa.ipac.caltech.edu/applications/DDGEN/Doc/ipac_tbl.html;
// https://www.ivoa.net/documents/VOTable/.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/api.hpp"

namespace qsohost::inline io_v1 {

enum class TableFormat : std::uint8_t { Csv, Tsv, Ipac, VoTable };
QSOHOST_API std::string_view name_of(TableFormat format);  // "CSV", "TSV", "IPAC table", "VOTable"

// The origin of a table. An archive's response ends in a newline (or in </VOTABLE>): one that does
// not was cut, perhaps inside its last number, and has to be requested again. A user's file may end
// anywhere, and cannot be requested again.
enum class TableOrigin : std::uint8_t { Archive, User };

// Numbers as archives print them: blanks around are skipped, a leading "+" is allowed; for integers
// "0x1f" is hexadecimal; for floats "nan" is NaN and "1.5D+00" (Fortran) is 1.5. None for a missing
// value and for anything that is not a number of the type (is_missing() distinguishes the two).
// parse_float rounds once, from the text to the nearest float. A float out of range is, as in
// strtod, 0 (1e-400) or infinite (1e400).
QSOHOST_API std::optional<double> parse_double(std::string_view text);
QSOHOST_API std::optional<float> parse_float(std::string_view text);
QSOHOST_API std::optional<std::int64_t> parse_int(std::string_view text);

// Nothing but blanks, or one of null, NA, N/A, --, None, nan and \N. Case does not count.
QSOHOST_API bool is_missing(std::string_view text);

// A column as the header of a table describes it. CSV and TSV have only names.
struct TableField {
  std::string name;
  std::string unit{};         // as the table spells it
  std::string description{};  // one line
  bool is_text = false;       // declared as text: 0012 is not a number
};

// Rows of a table in memory. The text must outlive the reader. Cells are views into the text or
// into the reader, and valid as long as both.
//
// CSV (semicolons may stand for the commas) and TSV: '#' lines and blank lines before the header,
// quoted cells ("" is a quote; line ends allowed; blanks around do not count), CRLF, and blank
// lines at the end. IPAC: cells are cut at the bars of the header and stripped; cells equal to the
// column's null become "". VOTable: the first TABLE; cells equal to the FIELD's null value become
// "".
class QSOHOST_API TableReader {
 public:
  // Throws TryAgain when an archive's response is not a table but looks broken or refused: empty,
  // HTML, QUERY_STATUS ERROR or OVERFLOW (with the archive's own words), a cut header or cut XML.
  // BadObject for a malformed table and, for a user's file, for all of these.
  explicit TableReader(std::string_view text, TableOrigin origin = TableOrigin::Archive);
  ~TableReader();
  TableReader(TableReader&&) noexcept;

  TableFormat format() const;
  const std::vector<std::string>& columns() const;
  const std::vector<TableField>& fields() const;  // the same, with what the header says of them
  // Position of a column, by its exact name; none if there is no such column.
  std::optional<std::size_t> column(std::string_view name) const;

  // The next row's cells, as many as columns(). False at the end. Throws TryAgain when an archive's
  // response ends inside a row (no newline at its end), BadObject for a row with another number of
  // cells; both name the line.
  bool next(std::vector<std::string_view>& cells);
  std::size_t line() const;  // where the row that next() returned begins, from 1

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The rows of a table, cells by the names of their columns:
//
//   for (TableRow row(table); row.next();) mjd(batch).append(row.number("obsTime"));
//
// A column that the table lacks throws TryAgain: the archive's responses have changed. A cell that
// is not a number throws BadObject, which names line and column.
class QSOHOST_API TableRow {
 public:
  explicit TableRow(TableReader& table) : table_(&table) {}
  bool next() { return table_->next(cells_); }

  double number(std::string_view column) const;         // a missing value is NaN
  std::int64_t integer(std::string_view column) const;  // must not be missing
  std::string_view text(std::string_view column) const;

 private:
  TableReader* table_;
  std::vector<std::string_view> cells_;
};

}  // namespace qsohost::inline io_v1
