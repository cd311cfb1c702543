#include "fits/fits_header.hpp"

#include <fitsio.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "fits/fits_block.hpp"
#include "fits/fits_sum.hpp"
#include "qsohost/error.hpp"
#include "qsohost/names.hpp"

namespace qsohost::inline io_v1 {

namespace {

constexpr const char* kUnsealed = "0000000000000000";  // value of CHECKSUM during summation

constexpr std::size_t kLongestValue = 68;  // of a card; CFITSIO truncates longer ones

// Trailing blanks do not count in a header, nor does case in the name of a column.
std::string compared_name(const std::string& name) {
  std::string text = fits_text(name);
  text.erase(text.find_last_not_of(' ') + 1);
  return lower_case(text);
}

// The text must fit into one card. `what`: "the name of a column", ...
void check_length(const std::string& file, const std::string& what, const std::string& text) {
  const std::string written = fits_text(text);
  const auto quotes = static_cast<std::size_t>(std::ranges::count(written, '\''));
  if (written.size() + quotes <= kLongestValue) return;  // quotes are doubled
  throw RunError(fmt::format(
      "{}: {} is too long for a FITS file: '{}' takes {} characters (a quote counts twice) of {}; "
      "give it a shorter one or leave it out",
      file, what, text, written.size() + quotes, kLongestValue));
}

void check_texts(const std::string& file, const FitsHeader& header,
                 const std::vector<FitsField>& fields) {
  if (fields.size() > kMostFitsColumns) {
    throw RunError(fmt::format(
        "{}: a FITS table has at most {} columns, this one would have {}; leave some out", file,
        kMostFitsColumns, fields.size()));
  }
  std::map<std::string, std::string> seen;  // normalized name to spelling
  check_length(file, "the name of the table", header.extension);
  for (const FitsField& field : fields) {
    check_length(file, "the name of a column", field.info.name);
    check_length(file, fmt::format("the unit of column '{}'", field.info.name), field.info.unit);
    const auto [it, is_new] = seen.try_emplace(compared_name(field.info.name), field.info.name);
    if (is_new) continue;
    throw RunError(
        fmt::format("{}: columns '{}' and '{}' have the same name in a FITS file, where neither "
                    "case nor characters beyond ASCII count; rename one or leave it out",
                    file, it->second, field.info.name));
  }
}

// CFITSIO's handle of a file in memory.
class HeaderMaker {
 public:
  explicit HeaderMaker(std::string file) : file_(std::move(file)) {
    // Once and before any use: CFITSIO itself looks without a lock whether another thread has done
    // it. An error comes again with the file.
    [[maybe_unused]] static const int done = fits_init_cfitsio();
    fits_create_file(&handle_, "mem://", &status_);
    check("making headers");
  }
  ~HeaderMaker() {
    int ignored = 0;
    if (handle_ != nullptr) fits_close_file(handle_, &ignored);
    fits_clear_errmsg();
  }
  HeaderMaker(const HeaderMaker&) = delete;
  HeaderMaker& operator=(const HeaderMaker&) = delete;

  std::string primary();
  std::string table(const FitsHeader& header, const FitsLayout& layout);

 private:
  void check(std::string_view doing);
  void text_key(const std::string& name, const std::string& value, const std::string& comment);
  void long_key(const std::string& name, const std::string& value, const std::string& comment);
  void number_key(const std::string& name, double value, const std::string& comment);
  void columns(const FitsHeader& header, const FitsLayout& layout);
  void column_keys(const FitsField& field, std::size_t number);
  std::string text();  // of the current header

  std::string file_;
  fitsfile* handle_ = nullptr;
  int status_ = 0;
};

// Throws RunError with CFITSIO's message.
void HeaderMaker::check(std::string_view doing) {
  if (status_ == 0) return;
  std::array<char, FLEN_ERRMSG> text{};
  fits_get_errstatus(status_, text.data());
  std::string all =
      fmt::format("{}: {} failed: {} (CFITSIO {})", file_, doing, text.data(), status_);
  while (fits_read_errmsg(text.data()) != 0) all += fmt::format("; {}", text.data());
  throw RunError(all + "; report it with the chain");
}

void HeaderMaker::text_key(const std::string& name, const std::string& value,
                           const std::string& comment) {
  fits_update_key_str(handle_, name.c_str(), value.c_str(), comment.c_str(), &status_);
  check("writing keyword " + name);
}

void HeaderMaker::long_key(const std::string& name, const std::string& value,
                           const std::string& comment) {
  fits_write_key_longstr(handle_, name.c_str(), fits_text(value).c_str(),
                         fits_text(comment).c_str(), &status_);
  check("writing keyword " + name);
}

void HeaderMaker::number_key(const std::string& name, double value, const std::string& comment) {
  constexpr int kDigits = -15;  // at most
  fits_write_key_dbl(handle_, name.c_str(), value, kDigits, fits_text(comment).c_str(), &status_);
  check("writing keyword " + name);
}

std::string HeaderMaker::text() {
  char* cards = nullptr;
  int count = 0;
  fits_hdr2str(handle_, 0, nullptr, 0, &cards, &count, &status_);
  check("reading the header");
  std::string out(cards);  // END included
  int ignored = 0;
  fits_free_memory(cards, &ignored);
  out.resize((out.size() + kFitsBlock - 1) / kFitsBlock * kFitsBlock, ' ');
  return out;
}

std::string HeaderMaker::primary() {
  fits_create_img(handle_, BYTE_IMG, 0, nullptr, &status_);
  check("writing the primary header");
  text_key("DATASUM", "0", "data unit checksum");
  text_key("CHECKSUM", kUnsealed, "HDU checksum");
  return text();
}

void HeaderMaker::columns(const FitsHeader& header, const FitsLayout& layout) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < layout.fields.size(); ++i) {
    const FitsField& field = layout.fields[i];
    texts.push_back(fits_text(field.info.name));
    texts.push_back(tform(field, layout.places[i]));
    texts.push_back(fits_text(field.info.unit));
  }
  std::vector<char*> names;
  std::vector<char*> forms;
  std::vector<char*> units;
  for (std::size_t i = 0; i < texts.size(); i += 3) {
    names.push_back(texts[i].data());
    forms.push_back(texts[i + 1].data());
    units.push_back(texts[i + 2].data());
  }
  fits_create_hdu(handle_, &status_);
  fits_write_btblhdr(handle_, 0, static_cast<int>(names.size()), names.data(), forms.data(),
                     units.data(), fits_text(header.extension).c_str(), 0, &status_);
  fits_write_key_longwarn(handle_, &status_);
  check("writing the table's header");
}

void HeaderMaker::column_keys(const FitsField& field, std::size_t number) {
  const std::string n = std::to_string(number);
  if (!field.info.description.empty()) long_key("TCOMM" + n, field.info.description, "");
  if (field.null) {
    auto marker = static_cast<LONGLONG>(*field.null);
    fits_write_key(handle_, TLONGLONG, ("TNULL" + n).c_str(), &marker, "marks a missing value",
                   &status_);
    check("writing keyword TNULL" + n);
  }
  const std::string display = display_format(field);
  if (!display.empty()) text_key("TDISP" + n, display, "");
  if (field.is_array && field.info.dtype == DType::Bool) {
    text_key(kLettersKey + n, "T", "elements are T, F, or 0 (missing)");
  }
  if (const std::string axes = tdim(field); !axes.empty()) text_key("TDIM" + n, axes, "");
}

// Replaces the card of that name, which must exist.
void set_card(std::string& header, std::string_view name, std::string_view value,
              std::string_view comment) {
  const std::string start = fmt::format("{:<8}= ", name);
  std::size_t at = 0;
  while (header.compare(at, start.size(), start) != 0) at += kFitsCard;
  const std::string card = fmt::format("{}{} / {}", start, value, comment);
  header.replace(at, kFitsCard, fmt::format("{:<80}", card));
}

void set_number(std::string& header, std::string_view name, std::uint64_t value,
                std::string_view comment) {
  set_card(header, name, fmt::format("{:>20}", value), comment);
}

void set_text(std::string& header, std::string_view name, std::string_view value,
              std::string_view comment) {
  set_card(header, name, fmt::format("{:<20}", fmt::format("'{:<8}'", value)), comment);
}

std::string HeaderMaker::table(const FitsHeader& header, const FitsLayout& layout) {
  columns(header, layout);
  for (std::size_t i = 0; i < layout.fields.size(); ++i) column_keys(layout.fields[i], i + 1);
  for (const FitsKeyword& key : header.keywords) {
    if (key.number) {
      number_key(key.name, *key.number, key.comment);
    } else {
      long_key(key.name, key.value, key.comment);
    }
  }
  for (const std::string& line : header.history) {
    fits_write_history(handle_, fits_text(line).c_str(), &status_);
    // A full card goes on in the next one; this one does not.
    constexpr std::size_t kCard = 72;
    if (!line.empty() && line.size() % kCard == 0) fits_write_history(handle_, " ", &status_);
    check("writing HISTORY");
  }
  text_key("DATASUM", "0", "data unit checksum");
  text_key("CHECKSUM", kUnsealed, "HDU checksum");
  std::string out = text();
  set_number(out, "NAXIS2", layout.rows, "number of rows in table");
  set_number(out, "PCOUNT", layout.heap_bytes, "bytes of arrays");
  return out;
}

}  // namespace

bool is_fits_text(std::string_view text) {
  bool is_fit = true;  // no early exit: the compiler makes this a loop over whole vectors
  for (const char c : text) is_fit = is_fit & (c >= 0x20) & (c < 0x7f);
  return is_fit;
}

std::string fits_text(std::string_view text) {
  std::string out;
  int rest = 0;  // bytes of a UTF-8 character that may follow
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (rest > 0 && (byte & 0xc0) == 0x80) {
      --rest;
      continue;
    }
    rest = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc0 ? 1 : 0;
    out += byte >= 0x20 && byte < 0x7f ? c : '?';
  }
  return out;
}

FitsHeaderText make_headers(const std::string& file, const FitsHeader& header,
                            const FitsLayout& layout) {
  check_texts(file, header, layout.fields);
  HeaderMaker maker(file);
  FitsHeaderText out;
  out.primary = maker.primary();
  seal_header(out.primary, 0);
  out.table = maker.table(header, layout);
  return out;
}

void seal_header(std::string& header, std::uint32_t data_sum) {
  set_text(header, "DATASUM", std::to_string(data_sum), "data unit checksum");
  set_text(header, "CHECKSUM", kUnsealed, "HDU checksum");
  FitsSum sum;
  sum.add(std::as_bytes(std::span(header)), 0);
  sum.add(data_sum);
  std::array<char, 17> text{};
  fits_encode_chksum(sum.value(), 1, text.data());
  set_text(header, "CHECKSUM", text.data(), "HDU checksum");
}

}  // namespace qsohost::inline io_v1
