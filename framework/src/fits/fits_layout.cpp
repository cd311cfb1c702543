#include "fits/fits_layout.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include "fits/fits_block.hpp"
#include "fits/fits_form.hpp"
#include "fits/fits_hdus.hpp"
#include "qsohost/names.hpp"

namespace qsohost::inline io_v1 {

namespace {

constexpr std::uint64_t kMostElements = std::uint64_t{1} << 31;  // of a fixed cell
constexpr std::uint64_t kMostFields = 9999;

std::string description(const FitsCards& cards, int n) {
  const std::string text = cards.text(fmt::format("TCOMM{}", n));
  if (!text.empty()) return text;
  const std::string comment = cards.comment(fmt::format("TTYPE{}", n));
  return comment.starts_with("label for field") ? "" : comment;
}

// What binary and text tables declare in the same way.
FitsField named_field(const FitsCards& cards, int n) {
  FitsField field;
  field.info.name = trimmed(cards.text(fmt::format("TTYPE{}", n)));
  if (field.info.name.empty()) field.info.name = fmt::format("col{}", n);
  field.info.unit = trimmed(cards.text(fmt::format("TUNIT{}", n)));
  field.info.description = description(cards, n);
  return field;
}

// A keyword that holds no number is a problem of its column alone.
void read_scale(const FitsCards& cards, int n, FitsField& field, FieldPlace& place) {
  try {
    place.scale = cards.number(fmt::format("TSCAL{}", n)).value_or(1);
    place.zero = cards.number(fmt::format("TZERO{}", n)).value_or(0);
    const bool is_float = place.code == 'E' || place.code == 'D';
    if (!is_float && !place.is_text) field.null = cards.integer(fmt::format("TNULL{}", n));
    place.null = field.null;
  } catch (const RunError&) {
    field.problem =
        fmt::format("its TSCAL{0}, TZERO{0} or TNULL{0} is no number; correct the header", n);
  }
}

void read_type(const FitsCards& cards, int n, FitsField& field, FieldPlace& place) {
  if (place.code == 'L') {
    field.info.dtype = DType::Bool;
    place.letters = cards.has(fmt::format("{}{}", kLettersKey, n)) ||
                    cards.text(fmt::format("TDISP{}", n)).starts_with('L');
    return;
  }
  read_scale(cards, n, field, place);
  field.info.dtype = number_type(place.code, place.scale, place.zero);
}

// Several texts in a cell: TDIMn, or rAw.
void divide_texts(const FitsForm& form, std::vector<std::size_t> axes, FitsField& field,
                  FieldPlace& place) {
  place.element_bytes = std::max<std::uint64_t>(1, form.repeat);
  if (axes.size() > 1) {
    place.element_bytes = axes[0];
    axes.erase(axes.begin());
    if (axes.size() > 1) field.info.shape = std::move(axes);
  } else if (form.argument > 0 && form.argument < form.repeat) {
    place.element_bytes = form.argument;
  }
  field.info.width = std::max<std::uint64_t>(1, form.repeat / place.element_bytes);
  field.string_length = place.element_bytes;
}

std::string form_problem(const FitsForm& form) {
  if (form.code == 'X') return "bits cannot be read; write them as integers";
  if (form.code == 'C' || form.code == 'M') {
    return "complex numbers cannot be read; write real and imaginary parts as two columns";
  }
  if (form.is_array && form.code == 'A') {
    return "texts of any length cannot be read; write them with a fixed width";
  }
  return form.repeat == 0 ? "its cells have no elements" : "";
}

void read_field(const OpenedFile& file, const FitsCards& cards, int n, FitsLayout& layout) {
  FitsField field = named_field(cards, n);
  FieldPlace place;
  const std::string text = cards.text(fmt::format("TFORM{}", n));
  const auto form = parse_form(text);
  if (!form || form->repeat > kMostElements ||
      (element_size(form->code) == 0 && form->code != 'X')) {
    file.fail(fmt::format(
        "column '{}' has the unknown format TFORM{} = '{}'; convert it, e.g. by TOPCAT or STILTS",
        field.info.name, n, text));
  }
  place.code = form->code;
  place.wide = form->wide;
  place.element_bytes = element_size(form->code);
  place.offset = layout.row_bytes;
  field.is_array = form->is_array;
  std::vector<std::size_t> axes;
  if (field.is_array) {
    field.longest = form->argument;
    place.bytes = form->repeat * (form->wide ? 16 : 8);
  } else {
    place.bytes = form->code == 'X' ? (form->repeat + 7) / 8 : form->repeat * place.element_bytes;
    field.info.width = std::max<std::uint64_t>(1, form->repeat);
    axes = parse_axes(cards.text(fmt::format("TDIM{}", n)), field.info.width);
  }
  if (form->code == 'A') {
    field.info.dtype = DType::String;
    if (!field.is_array) divide_texts(*form, std::move(axes), field, place);
  } else {
    if (axes.size() > 1) field.info.shape = std::move(axes);
    read_type(cards, n, field, place);
  }
  if (const std::string problem = form_problem(*form); !problem.empty()) {
    field.problem = fmt::format("TFORM{} = '{}': {}", n, text, problem);
  }
  layout.row_bytes += place.bytes;
  layout.fields.push_back(std::move(field));
  layout.places.push_back(std::move(place));
}

void read_text_field(const FitsCards& cards, int n, FitsLayout& layout) {
  FitsField field = named_field(cards, n);
  FieldPlace place;
  place.is_text = true;
  const std::string text = cards.text(fmt::format("TFORM{}", n));
  const FitsTextForm form = parse_text_form(text).value_or(FitsTextForm());
  const std::string null = fmt::format("TNULL{}", n);
  if (cards.has(null)) place.null_text = trimmed(cards.text(null));
  place.code = form.code;
  place.bytes = form.width;
  place.element_bytes = form.width;
  place.decimals = form.decimals;
  if (form.code == 'A') {
    field.info.dtype = DType::String;
    field.string_length = form.width;
  } else {
    read_scale(cards, n, field, place);
    field.info.dtype = text_number_type(form, place.scale, place.zero);
  }
  const std::string begins = cards.text(fmt::format("TBCOL{}", n));
  std::uint64_t column = 0;
  std::from_chars(begins.data(), begins.data() + begins.size(), column);
  if (form.width == 0) {
    field.problem = fmt::format("its form (TFORM{} = '{}') is none of text tables", n, text);
  } else if (column == 0 || column > layout.row_bytes ||
             form.width > layout.row_bytes - (column - 1)) {
    field.problem =
        fmt::format("its {} characters from TBCOL{} = '{}' on are outside the row of {}",
                    form.width, n, begins, layout.row_bytes);
  } else {
    place.offset = column - 1;
  }
  layout.fields.push_back(std::move(field));
  layout.places.push_back(std::move(place));
}

// The last block of data is padded with zeros (some writers: blanks), and an HDU or nothing
// follows: with a header that declares too little we would read arrays as rows.
void check_end(const OpenedFile& file, std::uint64_t end_of_data) {
  constexpr std::string_view kNext = "XTENSION";
  std::array<std::byte, kFitsBlock + kNext.size()> bytes{};
  const std::uint64_t next = (end_of_data + kFitsBlock - 1) / kFitsBlock * kFitsBlock;
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

// Sets row_bytes too.
void read_fields(const OpenedFile& file, const FitsCards& cards, FitsLayout& layout) {
  const std::uint64_t row_bytes = cards.count("NAXIS1");
  const auto fields = static_cast<int>(std::min(cards.count("TFIELDS"), kMostFields));
  if (is_text_table(cards)) {
    layout.row_bytes = row_bytes;
    for (int n = 1; n <= fields; ++n) read_text_field(cards, n, layout);
    return;
  }
  for (int n = 1; n <= fields; ++n) read_field(file, cards, n, layout);
  if (row_bytes == layout.row_bytes) return;
  file.fail(fmt::format(
      "its columns take {} bytes a row, but NAXIS1 is {}: the file is damaged; get it again",
      layout.row_bytes, row_bytes));
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
  read_fields(file, cards, layout);
  const auto room = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (layout.row_bytes > 0 && layout.rows > room / layout.row_bytes) {
    file.fail("has a row count that no file can hold: the file is damaged; get it again");
  }
  const std::uint64_t fixed = layout.rows * layout.row_bytes;
  layout.heap_start = cards.count("THEAP", fixed);
  const std::uint64_t extra = cards.count("PCOUNT", 0);
  if (layout.heap_start < fixed || layout.heap_start - fixed > extra) {
    if (extra > 0)
      file.fail("THEAP and PCOUNT contradict each other: the file is damaged; get it again");
    layout.heap_start = fixed;
  }
  layout.heap_bytes = extra - (layout.heap_start - fixed);
  check_size(file, layout);
  check_end(file, layout.data_start + layout.heap_start + layout.heap_bytes);
  return layout;
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
    place.element_bytes = is_text ? field.string_length : element_size(place.code);
    place.wide = wide;
    place.bytes = field.is_array ? (wide ? 16 : 8) : field.info.width * place.element_bytes;
    place.null = field.null;
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
        "damaged; get it again",
        place_in(layout, field, row), d.length, d.offset, layout.heap_bytes));
  }
  return d;
}

std::string display_format(const FitsField& field) {
  const ColumnInfo& info = field.info;
  if (field.is_array) return "";  // astropy's Table.read fails on an empty array with a format
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

std::string tdim(const FitsField& field) {
  const bool is_text = field.info.dtype == DType::String;
  std::vector<std::size_t> axes = field.info.shape;
  if (is_text && axes.empty() && field.info.width > 1) axes = {field.info.width};
  if (is_text && !axes.empty()) axes.insert(axes.begin(), field.string_length);
  return axes.empty() ? "" : fmt::format("({})", fmt::join(axes, ","));
}

}  // namespace qsohost::inline io_v1
