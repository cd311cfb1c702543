// FITS tables (FITS standard 4.0, section 7): read in blocks of rows, and, as binary tables,
// written and merged in large pieces. One row is one quasar; epochs are variable-length arrays, the
// same layout as the groups of a batch.
//
// binary       column                                     missing values
// L            bool                                       byte 0 (arrays without QBOOLn, TDISP of
// L:
//                                                         beside a T or F only; else 0 and 1 are
//                                                         F and T, as astropy writes them)
// B            i16 (unsigned byte; TZERO -128: signed)    TNULL
// I, J, K      i16, i32, i64                              TNULL
// I, J, K u.   i32, i64, i64 (TZERO 2^15, 2^31, 2^63)     TNULL
// E, D         f32, f64                                   NaN
// A            string, blanks at its end removed          blank
//
// K with TZERO 2^63 and values beyond 2^63: string, with all digits. Any number with another TSCAL
// or TZERO: f64. X, C and M (bits, complex numbers) and PA cannot be read. TDIMn divides cells of A
// into several strings; it is ignored unless it fits the cell.
//
// text         column                                     missing values
// Iw           i32, i64 if w > 9; string if a value is    blank, TNULL
//              beyond 64 bits
// F, E, D      f64; a text without a point has d digits   blank, TNULL, NaN
//              behind it, as the standard says
// Aw           string, blanks at its end removed          blank, TNULL
//
// Every function throws RunError with file, table, row and column where they apply. A FitsTable
// may be used by one thread at a time; different tables by different threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/api.hpp"
#include "qsohost/column.hpp"
#include "qsohost/io/cells.hpp"
#include "qsohost/time_system.hpp"

namespace qsohost::inline io_v1 {

// A column as the header of a table describes it. Unit and description are TUNITn and TCOMMn (or,
// without TCOMMn, the comment of TTYPEn).
struct FitsField : InputColumn {
  std::size_t string_length = 0;       // bytes that an element of a string column takes
  std::optional<std::int64_t> null{};  // integers: TNULLn
  std::uint64_t longest = 0;           // elements of the longest array, if the header declares it
};

class OpenedFile;

class QSOHOST_API FitsTable {
 public:
  // Opens a table of the file (plain or gzipped): the first, or that of the HDU whose EXTNAME (case
  // does not count) or number (the primary is 0) is given. Refused are a tile-compressed table and
  // a file that is shorter than its headers promise.
  explicit FitsTable(const std::filesystem::path& file, std::string_view hdu = "");
  FitsTable(OpenedFile file, std::string_view hdu);
  ~FitsTable();
  FitsTable(FitsTable&&) noexcept;

  std::uint64_t rows() const;
  const std::string& extension() const;  // EXTNAME, or ""
  const std::vector<FitsField>& fields() const;
  std::optional<std::size_t> find(std::string_view column) const;  // position; exact spelling
  // The value of a keyword in the table's header, texts without quotes; none if it is missing.
  // HISTORY: all its cards, a line each; cards that are full go on in the next.
  std::optional<std::string> keyword(const std::string& name) const;
  bool is_text() const;
  // The tables in the other HDUs of the file.
  std::vector<OtherTable> others() const;
  // From TIMESYS, MJDREF (or JDREF) and TREFPOS; none if they are missing or unusual.
  std::optional<TimeSystem> time_system() const;

  // Rows first to first + count - 1, counted from 0, of the fields at these positions.
  std::vector<Cells> read(std::uint64_t first, std::uint64_t count,
                          std::span<const std::size_t> fields);
  // The rows listed (counted from 0), in the order listed; repeats are allowed.
  std::vector<Cells> read(std::span<const std::uint64_t> rows, std::span<const std::size_t> fields);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Columns that a table can have.
inline constexpr std::size_t kMostFitsColumns = 999;

struct FitsKeyword {
  std::string name;  // at most 8 characters
  std::string value;
  std::string comment;
  std::optional<double> number{};  // written in place of `value`
};

// The header besides the columns. FITS headers hold plain ASCII: other characters become '?'. No
// date is written, so equal tables are equal files.
struct FitsHeader {
  std::string extension;  // EXTNAME
  std::vector<FitsKeyword> keywords;
  std::vector<std::string> history;  // one HISTORY card a line; long lines take several
  // Bytes of arrays up to which descriptors have 32 bits (P, which some readers take as signed),
  // beyond 64 (Q).
  std::uint64_t most_for_p = 0x7fffffff;
};

// A column to be written: fixed cells (`offsets` empty), or arrays: that of row r is
// [offsets[r], offsets[r + 1]) of the values. Name, unit and description are those of `info`, its
// dtype and width those of `values`.
struct FitsColumn {
  ColumnInfo info;
  const Column* values = nullptr;
  std::span<const std::uint64_t> offsets{};
};

// A column with texts that are not printable ASCII, which is all that FITS holds.
struct FitsReplaced {
  std::string column;
  std::string first;  // of these texts
};

// Writes a file with one binary table: `rows` (positions, in this order) of the columns. Strings
// take the width of the longest one; their characters that FITS cannot hold become '?', and the
// columns where that happened are returned. Integers with nulls get a TNULLn: the least value that
// the column does not hold. The heap is in row order, TDISPn follows unit and type, CHECKSUM and
// DATASUM are written. An existing file is replaced; see publish_file. Also throws for more than
// kMostFitsColumns columns, for column names that headers cannot distinguish, for names and units
// that headers cannot hold, for arrays of strings, and for integers with nulls where no value is
// left to mark them.
QSOHOST_API std::vector<FitsReplaced> write_fits_table(const std::filesystem::path& file,
                                                       const FitsHeader& header,
                                                       std::span<const FitsColumn> columns,
                                                       std::span<const std::size_t> rows);

struct FitsOrder {
  std::string column;        // sorted by this (nulls and NaN last, ties in order); "": as they come
  bool drop_column = false;  // it is the last one, and used only for sorting
};

// Throws if a part, counted from 0, has not the rows that it should have.
using CheckPart = std::function<void(std::size_t part, std::uint64_t rows)>;

// Makes one table of many with the same columns, in bounded memory: string widths, TNULLn and the
// size of descriptors are chosen to fit all. Parts in a form that write_fits_table does not write
// are refused. Sorting needs some 30 bytes a row (strings: their length more) and as much disk
// again, in a file beside the destination. `check` is called for each part before anything is
// written.
QSOHOST_API void merge_fits_tables(std::span<const std::filesystem::path> parts,
                                   const std::filesystem::path& destination,
                                   const FitsHeader& header, const FitsOrder& order = {},
                                   const CheckPart& check = {});

// Reads a file back and compares it with the checksums in its headers.
QSOHOST_API void verify_fits(const std::filesystem::path& file);

}  // namespace qsohost::inline io_v1
