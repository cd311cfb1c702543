// Columns of a VOTable: what its FIELD elements declare.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/io/cells.hpp"
#include "votable/xml_reader.hpp"

namespace qsohost::inline io_v1 {

enum class VoType : std::uint8_t {
  Unknown,  // nothing is known of its cells
  Boolean,
  Bit,
  UnsignedByte,
  Short,
  Int,
  Long,
  Char,
  UnicodeChar,
  Float,
  Double,
  FloatComplex,
  DoubleComplex
};

struct VoField {
  // The FIELD at `position`, counted from 1.
  VoField(const XmlAttributes& attributes, std::size_t position);

  bool is_text() const { return type == VoType::Char || type == VoType::UnicodeChar; }
  // Takes the null value of its VALUES element.
  void set_null(std::string_view text);
  // Bytes in BINARY of so many elements.
  std::uint64_t bytes_of(std::uint64_t count) const;

  InputColumn column;
  std::string ref;  // the ID of another element, such as a TIMESYS
  VoType type = VoType::Unknown;
  // Of a cell of fixed size; else of each slice ("3x*": 3), of which a cell has any number.
  std::uint64_t elements = 1;
  bool is_variable = false;
  std::uint64_t text_length = 0;  // arrays of texts: characters of each; else 0

  std::string null;  // as the file spells it; "" if none is declared
  std::optional<std::int64_t> null_integer;
  std::optional<double> null_number;

 private:
  void set_arraysize(std::string_view text);
  void set_column();
};

// Data that cannot be read; who knows the line adds it.
class BadData : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
// Throws BadData: "column 'NAME': what".
[[noreturn]] void bad_cell(const VoField& field, std::string_view what);

}  // namespace qsohost::inline io_v1
