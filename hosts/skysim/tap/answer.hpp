// Rows of a query in the formats of TAP services, as each archive writes them.
#pragma once

#include <string>
#include <string_view>

#include "tap/table.hpp"

namespace qsohost::skysim {

enum class TapFormat { Csv, Tsv, Ipac, VoTable, VoTableBinary };

// How a service writes tables.
struct TapStyle {
  std::string null_word;           // of CSV, TSV and IPAC tables, in place of an empty cell
  std::string true_word = "True";  // "False", "false" or "f" follow it
  bool quotes_texts = false;       // texts and booleans in CSV
  bool has_ipac = false;           // the format ipac_table
  bool votable_is_binary = false;  // "votable" means BINARY2, compressed, as at ESA
  bool states_time = false;        // VOTables hold the time of the query
};

// The format that FORMAT or RESPONSEFORMAT names. Throws BadRequest.
TapFormat tap_format(std::string_view name, const TapStyle& style);
std::string_view content_type(TapFormat format);

struct TapInfo {
  std::string query;
  std::string job;  // "": sync
};
std::string write_rows(const TapRows& rows, TapFormat format, const TapStyle& style,
                       const TapInfo& info);

// The text of a cell; "" for null. Arrays as they are.
std::string cell_text(const TapColumn& column, const TapCell& cell, const TapStyle& style);

std::string write_votable(const TapRows& rows, bool is_binary, const TapStyle& style,
                          const TapInfo& info);
// Only its element TABLE, with elements PARAM.
std::string votable_table(const TapRows& rows, bool is_binary, const TapStyle& style,
                          const std::string& parameters);
std::string escaped_xml(std::string_view text);

// Compressed by gzip.
std::string gzipped(std::string_view text);
// Throws BadRequest if it is not gzip, or longer than this.
std::string gunzipped(std::string_view bytes, std::size_t most);

}  // namespace qsohost::skysim
