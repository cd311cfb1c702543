// BINARY and BINARY2: rows of big-endian values.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/big_endian.hpp"
#include "text/unicode.hpp"
#include "votable/base64.hpp"
#include "votable/votable_data.hpp"
#include "votable/votable_values.hpp"

namespace qsohost::inline io_v1 {

namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t kLengthBytes = 4;

struct Cell {
  std::size_t start = 0;
  std::uint64_t elements = 0;
  std::size_t end = 0;
};

// The cell at `at`; none if it reaches beyond the data.
std::optional<Cell> cell_at(const VoField& field, Bytes data, std::size_t at) {
  Cell cell{at, field.elements, 0};
  if (field.is_variable) {
    if (data.size() - at < kLengthBytes) return std::nullopt;
    const auto length = load_be<std::int32_t>(data.data() + at);
    if (length < 0)
      bad_cell(field,
               fmt::format("an array of {} elements; the file is damaged, get it again", length));
    cell.elements *= static_cast<std::uint64_t>(length);
    cell.start += kLengthBytes;
  }
  const std::uint64_t bytes = field.bytes_of(cell.elements);
  if (bytes > data.size() - cell.start) return std::nullopt;
  cell.end = cell.start + static_cast<std::size_t>(bytes);
  return cell;
}

template <class T, class Raw = T>
void append_numbers(Bytes data, const VoField& field, Column& to) {
  for (; !data.empty(); data = data.subspan(sizeof(Raw))) {
    append_number(static_cast<T>(load_be<Raw>(data.data())), field, to);
  }
}

void append_booleans(Bytes data, const VoField& field, Column& to) {
  for (const std::byte b : data) {
    const char c = static_cast<char>(b);
    if (c == 'T' || c == 't' || c == '1') {
      to.append(true);
    } else if (c == 'F' || c == 'f' || c == '0') {
      to.append(false);
    } else if (c == '\0' || c == ' ' || c == '?') {
      append_missing<bool>(to);
    } else {
      bad_cell(field, fmt::format("byte {} must be T, F, 1, 0, ? or blank", static_cast<int>(b)));
    }
  }
}

// Texts end at a zero character, if there is one.
//
// The standard has ASCII in them, and since 1.5 UTF-8; archives send others.
std::string text_of_chars(Bytes data, std::size_t field, VoRows& to) {
  std::string text(reinterpret_cast<const char*>(data.data()), data.size());
  text.resize(std::min(text.find('\0'), text.size()));
  if (is_utf8(text)) return text;
  to.warn(field, "bytes that are not UTF-8 were read as ISO-8859-1");
  return utf8_of(text);
}

// One character of UTF-16; half of a surrogate pair stays what it is.
std::uint32_t take_utf16(Bytes& data) {
  const std::uint32_t unit = load_be<std::uint16_t>(data.data());
  data = data.subspan(2);
  if (data.empty() || unit < 0xD800 || unit >= 0xDC00) return unit;
  const std::uint32_t low = load_be<std::uint16_t>(data.data());
  if (low < 0xDC00 || low >= 0xE000) return unit;
  data = data.subspan(2);
  return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
}

std::string text_of_unicode(Bytes data, std::size_t field, VoRows& to) {
  std::string text;
  while (!data.empty()) {
    const std::uint32_t character = take_utf16(data);
    if (character == 0) break;
    append_utf8(character, text);
  }
  if (text.find("\uFFFD") != text.npos) to.warn(field, "characters that are none in UTF-16");
  return text;
}

void append_texts(Bytes data, std::size_t field, VoRows& to) {
  const VoField& f = to.fields()[field];
  Column& values = to.cells(field).values;
  const std::size_t one =
      f.text_length == 0 ? data.size() : static_cast<std::size_t>(f.bytes_of(f.text_length));
  for (std::size_t i = 0; i < values.width(); ++i) {
    const Bytes text = data.subspan(i * one, one);
    append_text(
        f.type == VoType::Char ? text_of_chars(text, field, to) : text_of_unicode(text, field, to),
        f, values);
  }
}

void append_cell(Bytes data, std::size_t field, VoRows& to) {
  const VoField& f = to.fields()[field];
  Column& values = to.cells(field).values;
  switch (f.type) {
    case VoType::Boolean:
      return append_booleans(data, f, values);
    case VoType::Bit:  // of which astropy sets another one than the standard says
      return values.append(data[0] != std::byte{0});
    case VoType::UnsignedByte:
      return append_numbers<std::int16_t, std::uint8_t>(data, f, values);
    case VoType::Short:
      return append_numbers<std::int16_t>(data, f, values);
    case VoType::Int:
      return append_numbers<std::int32_t>(data, f, values);
    case VoType::Long:
      return append_numbers<std::int64_t>(data, f, values);
    case VoType::Float:
      return append_numbers<float>(data, f, values);
    case VoType::Double:
      return append_numbers<double>(data, f, values);
    case VoType::Char:
    case VoType::UnicodeChar:
      return append_texts(data, field, to);
    case VoType::Unknown:
    case VoType::FloatComplex:
    case VoType::DoubleComplex:
      break;  // columns with a problem are passed over
  }
}

bool is_null(Bytes row, std::size_t field) {
  return std::to_integer<unsigned>(row[field / 8] &
                                   std::byte{0x80} >> static_cast<int>(field % 8)) != 0;
}

class Binary final : public VoData {
 public:
  Binary(const std::vector<VoField>& fields, bool has_null_flags, VoRows* to);

  void start(std::string_view element, const XmlAttributes& attributes) override;
  void text(std::string_view piece) override;
  void end(std::string_view element) override;
  void finish() override;

 private:
  std::optional<std::size_t> row_size(Bytes data) const;
  void append(Bytes row);

  const std::vector<VoField>& fields_;
  std::size_t flags_;                // bytes of null flags in a row
  std::optional<std::size_t> size_;  // of a row, if all have the same
  VoRows* to_;
  Base64Decoder base64_;
  bool has_stream_ = false;
  bool in_stream_ = false;
  std::vector<std::byte> bytes_;  // of rows that are not yet complete
};

Binary::Binary(const std::vector<VoField>& fields, bool has_null_flags, VoRows* to)
    : fields_(fields),
      flags_(has_null_flags ? (fields.size() + 7) / 8 : 0),
      size_(flags_),
      to_(to) {
  for (const VoField& field : fields) {
    if (field.type == VoType::Unknown) {
      bad_cell(field, fmt::format("{}, so where the next one begins in the rows is not known; save "
                                  "the table without it",
                                  field.column.problem));
    }
    if (field.is_variable) size_.reset();
    if (size_) *size_ += static_cast<std::size_t>(field.bytes_of(field.elements));
  }
  if (size_ == 0) throw BadData("the columns have no bytes; there must be a column with values");
}

// Bytes of the row at the beginning of `data`; none if not all of it is there.
std::optional<std::size_t> Binary::row_size(Bytes data) const {
  if (size_) return *size_ <= data.size() ? size_ : std::nullopt;
  std::size_t at = flags_;
  if (at > data.size()) return std::nullopt;
  for (const VoField& field : fields_) {
    const std::optional<Cell> cell = cell_at(field, data, at);
    if (!cell) return std::nullopt;
    at = cell->end;
  }
  return at;
}

void Binary::append(Bytes row) {
  std::size_t at = flags_;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const VoField& field = fields_[i];
    const Cell cell = *cell_at(field, row, at);
    at = cell.end;
    if (!field.column.problem.empty()) continue;
    if (flags_ > 0 && is_null(row, i)) {
      to_->append_blank(i);
      continue;
    }
    append_cell(row.subspan(cell.start, cell.end - cell.start), i, *to_);
    if (field.column.is_array) to_->cells(i).lengths.push_back(cell.elements);
  }
  to_->finish_row();
}

void Binary::start(std::string_view element, const XmlAttributes& attributes) {
  if (element != "STREAM") return;
  if (has_stream_)
    throw BadData("a second STREAM in one DATA, which must have one; save the table anew");
  const std::string_view href = attributes["href"];
  if (!href.empty()) {
    throw BadData(
        fmt::format("the data are elsewhere: {}; get the table with its data (TOPCAT and "
                    "STILTS can save it so)",
                    href));
  }
  const std::string_view encoding = attributes["encoding"];
  if (!encoding.empty() && encoding != "base64") {
    throw BadData(
        fmt::format("the data are encoded in '{}', of which only base64 is read", encoding));
  }
  has_stream_ = true;
  in_stream_ = true;
}

void Binary::text(std::string_view piece) {
  if (!in_stream_) return;
  const std::string_view problem = base64_.decode(piece, bytes_);
  if (!problem.empty()) {
    throw BadData(fmt::format("the base64 text after row {} has {}; get it again", rows_, problem));
  }
  std::size_t begin = 0;
  try {
    while (const auto size = row_size(Bytes(bytes_).subspan(begin))) {
      if (to_ != nullptr) append(Bytes(bytes_).subspan(begin, *size));
      begin += *size;
      ++rows_;
    }
  } catch (const BadData& e) {
    throw BadData(fmt::format("row {}: {}", rows_ + 1, e.what()));
  }
  bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin));
}

void Binary::end(std::string_view element) {
  if (element == "STREAM") in_stream_ = false;
}

void Binary::finish() {
  if (!has_stream_) throw BadData("DATA without a STREAM, which it must have; save the table anew");
  if (!base64_.is_whole()) {
    throw BadData(fmt::format(
        "the base64 text ends too early, in row {} (cut transfer); get it again", rows_ + 1));
  }
  if (!bytes_.empty()) {
    throw BadData(
        fmt::format("the data end {} bytes into row {}: they were cut, or are not what the FIELDs "
                    "declare; get it again",
                    bytes_.size(), rows_ + 1));
  }
}

}  // namespace

std::unique_ptr<VoData> read_binary(const std::vector<VoField>& fields, bool has_null_flags,
                                    VoRows* to) {
  return std::make_unique<Binary>(fields, has_null_flags, to);
}

}  // namespace qsohost::inline io_v1
