// The rows of the TABLE that is read, on their way from the file into a spool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "files/spool.hpp"
#include "votable/votable_field.hpp"

namespace qsohost::inline io_v1 {

class VoRows {
 public:
  // `file`: its name, for messages. `most_blank`: see append_blank().
  VoRows(const std::vector<VoField>& fields, std::string file, std::uint64_t most_blank);

  const std::vector<VoField>& fields() const { return fields_; }
  Cells& cells(std::size_t field) { return cells_[field]; }
  // A missing cell. A few bytes of a file can stand for as many values as its header likes, so the
  // values of missing cells in a block have a limit; throws BadData.
  void append_blank(std::size_t field);
  // What the user should know of a column; the first warning of each is kept.
  void warn(std::size_t field, std::string_view what);
  void finish_row();

  std::uint64_t rows() const { return rows_; }
  // After the last row. None if there was no row.
  std::unique_ptr<Spool> finish();
  std::vector<std::string> warnings() const;

 private:
  void finish_block();

  std::vector<VoField> fields_;
  std::string file_;
  std::vector<Cells> cells_;  // of the block that has begun
  std::unique_ptr<Spool> spool_;
  std::uint64_t most_blank_;
  std::uint64_t blank_ = 0;  // values of missing cells in this block
  std::uint64_t rows_ = 0;
  std::map<std::size_t, std::string> warnings_;  // by field
};

}  // namespace qsohost::inline io_v1
