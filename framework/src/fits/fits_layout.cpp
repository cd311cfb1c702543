#include "fits/fits_layout.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

namespace qsohost::inline io_v1 {

namespace {

std::size_t size_of(char code) {
  switch (code) {
    case 'L':
    case 'B':
    case 'A':
      return 1;
    case 'I':
      return 2;
    case 'J':
    case 'E':
      return 4;
    case 'K':
    case 'D':
    case 'C':
      return 8;
    case 'M':
      return 16;
    default:
      return 0;
  }
}

char code_of(DType dtype) {
  constexpr std::string_view codes = "LIJKEDA";  // in the order of DType
  return codes[static_cast<std::size_t>(dtype)];
}

constexpr std::uint64_t kBlock = 2880;
constexpr std::uint64_t kMostElements = std::uint64_t{1} << 31;  // of a fixed cell

struct Form {
  std::uint64_t repeat = 1;
  char code = 0;
  bool is_array = false;
  bool wide = false;
  std::uint64_t argument = 0;  // rAw: w; rPt(max): max
};

std::optional<Form> parse_form(std::string_view text) {
  Form form;
  const auto number = [&text](std::uint64_t& value) {
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    text.remove_prefix(static_cast<std::size_t>(result.ptr - text.data()));
  };
  number(form.repeat);
  if (text.empty()) return std::nullopt;
  form.code = text[0];
  text.remove_prefix(1);
  if (form.code == 'P' || form.code == 'Q') {
    form.is_array = true;
    form.wide = form.code == 'Q';
    if (text.empty() || form.repeat > 1) return std::nullopt;
    form.code = text[0];
    text.remove_prefix(1);
  }
  if (text.starts_with('(')) text.remove_prefix(1);
  number(form.argument);
  return form;
}

// The type of a stored number in memory: scaled ones are f64, unsigned ones the next wider integer.
DType number_type(char code, double scale, double zero) {
  const bool plain = scale == 1 && zero == 0;
  if (code == 'E') return plain ? DType::F32 : DType::F64;
  if (code == 'D' || scale != 1) return DType::F64;
  if (code == 'B' && (plain || zero == -128)) return DType::I16;
  if (code == 'I') return plain ? DType::I16 : zero == 0x1p15 ? DType::I32 : DType::F64;
  if (code == 'J') return plain ? DType::I32 : zero == 0x1p31 ? DType::I64 : DType::F64;
  if (code == 'K' && (plain || zero == 0x1p63)) return DType::I64;
  return DType::F64;
}

std::string description(const FitsCards& cards, int n) {
  const std::string text = cards.text(fmt::format("TCOMM{}", n));
  if (!text.empty()) return text;
  const std::string comment = cards.comment(fmt::format("TTYPE{}", n));
  return comment.starts_with("label for field") ? "" : comment;
}

void read_field(const OpenedFile& file, const FitsCards& cards, int n, FitsLayout& layout) {
  FitsField field;
  FieldPlace place;
  field.info.name = cards.text(fmt::format("TTYPE{}", n));
  if (field.info.name.empty()) field.info.name = fmt::format("col{}", n);
  field.info.unit = cards.text(fmt::format("TUNIT{}", n));
  field.info.description = description(cards, n);
  const std::string text = cards.text(fmt::format("TFORM{}", n));
  const auto form = parse_form(text);
  if (!form || form->repeat > kMostElements || (size_of(form->code) == 0 && form->code != 'X')) {
    file.fail(
        fmt::format("column '{}' has the unknown format TFORM{} = '{}'", field.info.name, n, text));
  }
  place.code = form->code;
  place.wide = form->wide;
  place.element_bytes = size_of(form->code);
  field.is_array = form->is_array;
  if (field.is_array) field.longest = form->argument;
  place.offset = layout.row_bytes;
  if (field.is_array) {
    place.bytes = form->repeat * (form->wide ? 16 : 8);
  } else {
    place.bytes = form->code == 'X' ? (form->repeat + 7) / 8 : form->repeat * place.element_bytes;
    field.info.width = form->repeat;
  }
  if (form->code == 'A') {
    field.info.dtype = DType::String;
    const bool several = !field.is_array && form->argument > 0 && form->argument < form->repeat;
    place.element_bytes = several ? form->argument : std::max<std::uint64_t>(1, form->repeat);
    field.info.width = several ? form->repeat / form->argument : 1;
    field.string_length = place.element_bytes;
  } else if (form->code == 'L') {
    field.info.dtype = DType::Bool;
    place.letters = cards.text(fmt::format("TDISP{}", n)).starts_with('L');
  } else {
    place.scale = cards.number(fmt::format("TSCAL{}", n)).value_or(1);
    place.zero = cards.number(fmt::format("TZERO{}", n)).value_or(0);
    field.info.dtype = number_type(form->code, place.scale, place.zero);
    if (form->code != 'E' && form->code != 'D') {
      place.null = cards.integer(fmt::format("TNULL{}", n));
    }
    field.nullable = place.null.has_value();
  }
  if (form->code == 'X' || form->code == 'C' || form->code == 'M') {
    const bool is_bits = form->code == 'X';
    field.problem = fmt::format(
        "{} (TFORM{} = '{}') cannot be read; {}", is_bits ? "bits" : "complex numbers", n, text,
        is_bits ? "write them as integers" : "write real and imaginary parts as two columns");
  } else if (field.is_array && form->code == 'A') {
    field.problem = fmt::format("texts of any length (TFORM{} = '{}') cannot be read", n, text);
  } else if (place.bytes == 0) {
    field.problem = fmt::format("its cells have no elements (TFORM{} = '{}')", n, text);
  }
  layout.row_bytes += place.bytes;
  layout.fields.push_back(std::move(field));
  layout.places.push_back(place);
}

bool is_table(const FitsHdu& hdu) {
  return hdu.cards.text("XTENSION") == "BINTABLE";
}

// "1 'ztf' (table, 98 rows)"
std::string described(const FitsHdu& hdu, int number) {
  std::string out = std::to_string(number);
  const std::string name = hdu.cards.text("EXTNAME");
  if (!name.empty()) out += fmt::format(" '{}'", name);
  if (is_table(hdu)) return out + fmt::format(" (table, {} rows)", hdu.cards.count("NAXIS2"));
  const std::string kind = hdu.cards.text("XTENSION");
  return out + (kind.empty()      ? " (primary)"
                : kind == "TABLE" ? " (text table)"
                : kind == "IMAGE" ? " (image)"
                                  : fmt::format(" ({})", kind));
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::toupper(x) == std::toupper(y); });
}

FitsHdu find_table(const OpenedFile& file, std::string_view wanted, int& number) {
  std::vector<std::string> there;
  number = 0;
  for (auto hdu = std::optional(first_hdu(file)); hdu; hdu = next_hdu(file, *hdu), ++number) {
    const bool is_wanted = wanted.empty() ? is_table(*hdu)
                                          : wanted == std::to_string(number) ||
                                                same_name(wanted, hdu->cards.text("EXTNAME"));
    if (is_wanted && is_table(*hdu)) return *std::move(hdu);
    if (is_wanted) {
      file.fail(fmt::format("HDU {} is no binary table", described(*hdu, number)));
    }
    if (number < 20) there.push_back(described(*hdu, number));
  }
  if (number > 20) there.emplace_back("...");
  file.fail(fmt::format(
      "holds no {}; its HDUs are {}{}",
      wanted.empty() ? "binary table" : fmt::format("HDU '{}'", wanted), fmt::join(there, ", "),
      file.size() % kBlock == 0 ? ""
                                : "; its size is no multiple of 2880 bytes, so it is cut short"));
}

// The last block of data is padded with zeros (some writers: blanks), and an HDU or nothing
// follows: with a header that declares too little we would read arrays as rows.
void check_end(const OpenedFile& file, std::uint64_t end_of_data) {
  constexpr std::string_view kNext = "XTENSION";
  std::array<std::byte, kBlock + kNext.size()> bytes{};
  const std::uint64_t next = (end_of_data + kBlock - 1) / kBlock * kBlock;
  const std::uint64_t there = std::min(next + kNext.size(), file.size());
  const auto rest = std::span(bytes).first(there - std::min(there, end_of_data));
  file.read(end_of_data, rest);
  const auto is_fill = [](std::byte b) { return b == std::byte{0} || b == std::byte{' '}; };
  const auto fill = rest.first(std::min<std::size_t>(next - end_of_data, rest.size()));
  const auto behind = rest.subspan(fill.size());
  const bool ends_well = std::ranges::all_of(behind, is_fill) ||
                         std::memcmp(behind.data(), kNext.data(), behind.size()) == 0;
  if (ends_well && std::ranges::all_of(fill, is_fill)) return;
  file.fail(
      "there is more data than its header promises: the number of rows (NAXIS2) or the size of "
      "the arrays (PCOUNT) is wrong; copy or make the file again");
}

void check_size(const OpenedFile& file, const FitsLayout& layout) {
  const std::uint64_t room = file.size() > layout.data_start ? file.size() - layout.data_start : 0;
  const bool rows_fit = layout.row_bytes == 0 || layout.rows <= room / layout.row_bytes;
  if (rows_fit && layout.heap_start <= room && layout.heap_bytes <= room - layout.heap_start) {
    return;
  }
  file.fail(fmt::format(
      "is cut short: its header promises {} rows of {} bytes and {} bytes of arrays, but only {} "
      "bytes follow; copy or make the file again",
      layout.rows, layout.row_bytes, layout.heap_bytes, room));
}

std::optional<TimeSystem> time_system_in(const FitsCards& cards) {
  if (!cards.has("TIMESYS")) return std::nullopt;
  double mjdref = 0;
  try {
    if (cards.has("JDREF")) mjdref = cards.number("JDREF").value_or(0) - kMjdZero;
    mjdref = cards.number("MJDREF").value_or(mjdref);
    mjdref = cards.number("MJDREFI").value_or(mjdref) + cards.number("MJDREFF").value_or(0);
  } catch (const RunError&) {
    return std::nullopt;  // the table is still readable
  }
  return time_system_from_fits(cards.text("TIMESYS"), cards.text("TREFPOS"), mjdref);
}

}  // namespace

FitsLayout read_layout(const OpenedFile& file, std::string_view wanted) {
  FitsLayout layout;
  FitsHdu hdu = find_table(file, wanted, layout.hdu);
  const FitsCards& cards = layout.cards.emplace(std::move(hdu.cards));
  layout.data_start = hdu.data;
  layout.extension = cards.text("EXTNAME");
  layout.time_system = time_system_in(cards);
  layout.rows = cards.count("NAXIS2");
  const auto fields = static_cast<int>(std::min<std::uint64_t>(cards.count("TFIELDS"), 9999));
  for (int n = 1; n <= fields; ++n) read_field(file, cards, n, layout);
  const std::uint64_t row_bytes = cards.count("NAXIS1");
  if (row_bytes != layout.row_bytes) {
    file.fail(fmt::format("its columns take {} bytes a row, but NAXIS1 is {}: the file is damaged",
                          layout.row_bytes, row_bytes));
  }
  const auto room = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (row_bytes > 0 && layout.rows > room / row_bytes) file.fail("has an impossible row count");
  const std::uint64_t fixed = layout.rows * layout.row_bytes;
  layout.heap_start = cards.count("THEAP", fixed);
  const std::uint64_t extra = cards.count("PCOUNT", 0);
  if (layout.heap_start < fixed || layout.heap_start - fixed > extra) {
    if (extra > 0) file.fail("THEAP and PCOUNT contradict each other: the file is damaged");
    layout.heap_start = fixed;
  }
  layout.heap_bytes = extra - (layout.heap_start - fixed);
  check_size(file, layout);
  check_end(file, layout.data_start + layout.heap_start + layout.heap_bytes);
  return layout;
}

std::vector<OtherTable> tables_behind(const OpenedFile& file, const FitsLayout& layout) {
  std::vector<OtherTable> out;
  try {
    int number = 0;
    for (auto hdu = std::optional(first_hdu(file)); hdu; hdu = next_hdu(file, *hdu), ++number) {
      if (number <= layout.hdu || !is_table(*hdu)) continue;
      const std::string name = hdu->cards.text("EXTNAME");
      OtherTable& table = out.emplace_back();
      table.name = name.empty() ? std::to_string(number) : name;
      table.rows = hdu->cards.count("NAXIS2");
      const std::uint64_t fields = std::min<std::uint64_t>(hdu->cards.count("TFIELDS"), 9999);
      for (std::uint64_t n = 1; n <= fields; ++n) {
        table.columns.push_back(hdu->cards.text(fmt::format("TTYPE{}", n)));
      }
    }
  } catch (const RunError&) {
    // What is behind the table is damaged, and nobody asked for it.
  }
  return out;
}

FitsLayout make_layout(std::vector<FitsField> fields, std::uint64_t rows, std::uint64_t heap_bytes,
                       std::uint64_t most_for_p) {
  FitsLayout layout;
  layout.rows = rows;
  layout.heap_bytes = heap_bytes;
  const bool wide = heap_bytes > most_for_p;
  for (FitsField& field : fields) {
    FieldPlace place;
    place.offset = layout.row_bytes;
    place.code = code_of(field.info.dtype);
    const bool is_text = field.info.dtype == DType::String;
    field.string_length = is_text ? std::max<std::size_t>(1, field.string_length) : 0;
    place.element_bytes = is_text ? field.string_length : size_of(place.code);
    place.wide = wide;
    place.bytes = field.is_array ? (wide ? 16 : 8) : field.info.width * place.element_bytes;
    if (field.nullable) place.null = null_marker(field.info.dtype);
    layout.row_bytes += place.bytes;
    layout.places.push_back(place);
  }
  layout.fields = std::move(fields);
  layout.heap_start = layout.rows * layout.row_bytes;
  return layout;
}

std::string place_in(const FitsLayout& layout, std::size_t field, std::uint64_t row) {
  const std::string name = layout.extension.empty() ? "" : fmt::format(" '{}'", layout.extension);
  return fmt::format("HDU {}{}, row {}, column '{}'", layout.hdu, name, row + 1,
                     layout.fields[field].info.name);
}

Descriptor array_of(const OpenedFile& file, const FitsLayout& layout, std::size_t field,
                    std::uint64_t row, const std::byte* row_bytes) {
  const FieldPlace& place = layout.places[field];
  const Descriptor d = load_descriptor(row_bytes + place.offset, place.wide);
  if (d.length > 0 && (d.offset > layout.heap_bytes ||
                       d.length > (layout.heap_bytes - d.offset) / place.element_bytes)) {
    file.fail(fmt::format(
        "{}: its array ({} elements at byte {}) lies outside the heap of {} bytes: the file is "
        "damaged",
        place_in(layout, field, row), d.length, d.offset, layout.heap_bytes));
  }
  return d;
}

std::string display_format(const ColumnInfo& info) {
  if (info.dtype == DType::Bool) return "L1";  // for readers: the values are letters
  const bool is_double = info.dtype == DType::F64;
  if (!is_double && info.dtype != DType::F32) return "";
  if (info.unit == "deg") return is_double ? "F13.8" : "F10.5";
  if (info.unit == "d") return is_double ? "F14.7" : "F12.4";
  if (info.unit == "mag") return "F9.5";
  return "";
}

std::string tform(const FitsField& field, const FieldPlace& place) {
  if (field.is_array) {
    return fmt::format("1{}{}({})", place.wide ? 'Q' : 'P', place.code, field.longest);
  }
  if (field.info.dtype != DType::String) return fmt::format("{}{}", field.info.width, place.code);
  if (field.info.width == 1) return fmt::format("{}A", field.string_length);
  return fmt::format("{}A{}", field.info.width * field.string_length, field.string_length);
}

std::int64_t null_marker(DType dtype) {
  switch (dtype) {
    case DType::I16:
      return std::numeric_limits<std::int16_t>::min();
    case DType::I32:
      return std::numeric_limits<std::int32_t>::min();
    default:
      return std::numeric_limits<std::int64_t>::min();
  }
}

}  // namespace qsohost::inline io_v1
