// A VOTable file, read from its beginning to its end, with the rows of one of its TABLEs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "files/opened_file.hpp"
#include "files/spool.hpp"
#include "qsohost/time_system.hpp"
#include "votable/votable_field.hpp"

namespace qsohost::inline io_v1 {

using VoParams = std::map<std::string, std::string>;  // by name in lower case; the first counts

struct VoTable {
  std::size_t number = 1;  // in the file
  std::string name;
  std::string id;
  std::string ref;                          // of a TABLE that has the FIELDs of another
  std::optional<std::uint64_t> promised{};  // its nrows
  std::vector<VoField> fields{};
  VoParams params{};
  bool has_data = false;
  std::uint64_t rows = 0;
};

// "TABLE 2 'gaia'".
std::string title_of(const VoTable& table);

struct VoDocument {
  std::vector<VoTable> tables;
  std::size_t chosen = 0;        // position of the table that was asked for
  std::unique_ptr<Spool> spool;  // of its rows; none if it has no rows
  VoParams params;               // those outside of TABLEs
  std::optional<TimeSystem> time_system;
  std::vector<std::string> warnings;
};

// `hdu`: as in open_votable(). The rows of other tables are counted only if it is empty.
VoDocument read_document(OpenedFile& file, std::string_view hdu);

}  // namespace qsohost::inline io_v1
