// Tables in files that stages read, in any form that archives and programs write:
//
//   FITS     binary and text tables; see fits.hpp for types and missing values
//   VOTable  TABLEDATA, BINARY and BINARY2
//   IPAC     types, units and nulls of the header
//   ECSV     delimiter, types and units of the header
//   text     CSV, TSV, or separated by semicolons or blanks, with a line of names (which may be
//            behind a '#'); types are those that all cells allow
//
// each also gzipped, told apart by content. What a file declares (types, units, nulls) is taken as
// declared. Missing values are nulls (floats: NaN).
//
// https://fits.gsfc.nasa.gov/fits_standard.html; https://www.ivoa.net/documents/VOTable/;
// https://irsa.ipac.caltech.edu/applications/DDGEN/Doc/ipac_tbl.html;
// https://docs.astropy.org/en/stable/io/ascii/ecsv.html; RFC 4180.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/api.hpp"
#include "qsohost/io/cells.hpp"
#include "qsohost/time_system.hpp"

namespace qsohost::inline io_v1 {

class TableInput;

// Memory does not grow with the file; text forms and VOTables take temporary disk space (TMPDIR).
// One thread at a time may use an InputTable; different ones may be used by different threads.
// Every function throws RunError, which names the file and the place in it.
class QSOHOST_API InputTable {
 public:
  // `hdu`: name (case does not count) or number of an HDU (the primary is 0) or of a VOTable's
  // TABLE (the first is 1); empty: the first table of the file. See warnings().
  explicit InputTable(const std::filesystem::path& file, std::string_view hdu = "");
  // The table in a response of an archive, which messages call `name`.
  static InputTable in_response(std::string name, std::string_view body);
  ~InputTable();
  InputTable(InputTable&&) noexcept;

  const std::string& name() const { return name_; }  // of the file
  std::string_view form() const;                     // "FITS table", "CSV", ...
  std::uint64_t rows() const;
  const std::vector<InputColumn>& columns() const;
  std::vector<std::string> column_names() const;

  // Rows first to first + count - 1, counted from 0, of the columns at these positions. Throws
  // RunError for a column that cannot be read (InputColumn::problem).
  std::vector<Cells> read(std::uint64_t first, std::uint64_t count,
                          std::span<const std::size_t> columns);
  // The rows listed (counted from 0), in the order listed; repeats are allowed.
  std::vector<Cells> read(std::span<const std::uint64_t> rows,
                          std::span<const std::size_t> columns);

  // Where a row (counted from 0) is in the file: "row 12", or "line 13" of a text.
  std::string place(std::uint64_t row) const;
  // The value of a keyword in the table's header, texts without quotes; none if it is missing.
  // HISTORY: all its cards, a line each; cards that are full go on in the next.
  std::optional<std::string> keyword(const std::string& name) const;
  // Of its times, if the header says it and it is one that the project knows.
  std::optional<TimeSystem> time_system() const;

  // The file's other tables, if none was asked for by `hdu`.
  std::vector<OtherTable> others() const;
  // What the user should know of what was read: other tables in the file, columns that are texts
  // because of single cells, characters that were replaced.
  std::vector<std::string> warnings() const;

 private:
  InputTable(std::string name, std::unique_ptr<TableInput> input);

  std::string name_;
  std::unique_ptr<TableInput> input_;
};

}  // namespace qsohost::inline io_v1
