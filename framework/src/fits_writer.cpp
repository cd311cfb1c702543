#include "fits_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <vector>

#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

namespace {

constexpr const char* kUnsealed = "0000000000000000";  // what CHECKSUM counts as in the sum

std::string ascii(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0) == 0x80) continue;  // the rest of a UTF-8 character
    out += byte >= 0x20 && byte < 0x7f ? c : '?';
  }
  return out;
}

std::uint32_t sum_of(const FitsInput& file, std::uint64_t begin, std::uint64_t end) {
  constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;
  FitsSum sum;
  std::vector<std::byte> buffer(std::min(kPiece, end - begin));
  for (std::uint64_t at = begin; at < end; at += buffer.size()) {
    const auto piece = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), end - at));
    file.read(at, piece);
    sum.add(piece, at - begin);
  }
  return sum.value();
}

void check_names(const FitsFile& file, const std::vector<FitsField>& fields) {
  std::map<std::string, std::string> seen;  // lower case, as spelt
  for (const FitsField& field : fields) {
    std::string lower = field.info.name;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto [it, is_new] = seen.try_emplace(lower, field.info.name);
    if (is_new) continue;
    file.fail(fmt::format(
        "columns '{}' and '{}' have the same name in a FITS file, where case does not count; "
        "rename one or leave it out",
        it->second, field.info.name));
  }
}

}  // namespace

FitsWriter::FitsWriter(const std::filesystem::path& file, const FitsHeader& header,
                       const FitsLayout& layout)
    : file_(FitsFile::create(file)), layout_(layout) {
  check_names(file_, layout_.fields);
  int status = 0;
  fits_create_img(file_.get(), BYTE_IMG, 0, nullptr, &status);
  file_.check(status, "writing the primary header");
  text_key("DATASUM", "0", "data unit checksum");
  text_key("CHECKSUM", kUnsealed, "HDU checksum");
  table_header(header);
}

void FitsWriter::text_key(const std::string& name, const std::string& value,
                          const std::string& comment) {
  int status = 0;
  fits_update_key_str(file_.get(), name.c_str(), value.c_str(), comment.c_str(), &status);
  file_.check(status, "writing keyword " + name);
}

void FitsWriter::long_key(const std::string& name, const std::string& value,
                          const std::string& comment) {
  int status = 0;
  fits_write_key_longstr(file_.get(), name.c_str(), ascii(value).c_str(), ascii(comment).c_str(),
                         &status);
  file_.check(status, "writing keyword " + name);
}

void FitsWriter::table_header(const FitsHeader& header) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < layout_.fields.size(); ++i) {
    const FitsField& field = layout_.fields[i];
    texts.push_back(ascii(field.info.name));
    texts.push_back(tform(field, layout_.places[i]));
    texts.push_back(ascii(field.info.unit));
  }
  std::vector<char*> names;
  std::vector<char*> forms;
  std::vector<char*> units;
  for (std::size_t i = 0; i < texts.size(); i += 3) {
    names.push_back(texts[i].data());
    forms.push_back(texts[i + 1].data());
    units.push_back(texts[i + 2].data());
  }
  int status = 0;
  fits_create_hdu(file_.get(), &status);
  fits_write_btblhdr(file_.get(), static_cast<LONGLONG>(layout_.rows),
                     static_cast<int>(names.size()), names.data(), forms.data(), units.data(),
                     ascii(header.extension).c_str(), 0, &status);
  fits_write_key_longwarn(file_.get(), &status);
  file_.check(status, "writing the table's header");
  for (std::size_t i = 0; i < layout_.fields.size(); ++i) column_keys(static_cast<int>(i));
  for (const FitsKeyword& key : header.keywords) long_key(key.name, key.value, key.comment);
  for (const std::string& line : header.history) {
    fits_write_history(file_.get(), ascii(line).c_str(), &status);
  }
  // What fits_write_btblhdr was told of the heap it puts into the header only as 0.
  auto heap_bytes = static_cast<LONGLONG>(layout_.heap_bytes);
  fits_update_key(file_.get(), TLONGLONG, "PCOUNT", &heap_bytes, "bytes of arrays", &status);
  // In the header from the start: growing it later would move all data.
  text_key("DATASUM", "0", "data unit checksum");
  text_key("CHECKSUM", kUnsealed, "HDU checksum");
  fits_set_hdustruc(file_.get(), &status);
  file_.check(status, "writing the table's header");
}

void FitsWriter::column_keys(int n) {
  const FitsField& field = layout_.fields[static_cast<std::size_t>(n)];
  const std::string number = std::to_string(n + 1);
  if (!field.info.description.empty()) long_key("TCOMM" + number, field.info.description, "");
  if (field.nullable) {
    int status = 0;
    auto marker = static_cast<LONGLONG>(null_marker(field.info.dtype));
    fits_write_key(file_.get(), TLONGLONG, ("TNULL" + number).c_str(), &marker,
                   "marks a missing value", &status);
    file_.check(status, "writing keyword TNULL" + number);
  }
  const std::string display = display_format(field.info);
  if (!display.empty()) text_key("TDISP" + number, display, "");
  if (field.info.dtype == DType::String && field.info.width > 1) {
    text_key("TDIM" + number, fmt::format("({},{})", field.string_length, field.info.width), "");
  }
}

void FitsWriter::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  int status = 0;
  errno = 0;
  // CFITSIO takes what it only reads as not const.
  fits_write_ext(file_.get(), static_cast<LONGLONG>(offset), static_cast<LONGLONG>(bytes.size()),
                 const_cast<std::byte*>(bytes.data()), &status);
  file_.check(status, "writing data");
  sum_.add(bytes, offset);
}

void FitsWriter::write_rows(std::uint64_t first, std::span<const std::byte> bytes) {
  write(first * layout_.row_bytes, bytes);
}

void FitsWriter::write_heap(std::uint64_t offset, std::span<const std::byte> bytes) {
  write(layout_.heap_start + offset, bytes);
}

// CFITSIO's own fits_write_chksum sums what is on disk, right or wrong, and writes the date.
void FitsWriter::seal(int hdu, std::uint32_t data_sum) {
  int status = 0;
  fits_movabs_hdu(file_.get(), hdu, nullptr, &status);
  file_.check(status, "writing checksums");
  text_key("DATASUM", std::to_string(data_sum), "data unit checksum");
  fits_flush_file(file_.get(), &status);
  file_.check(status, "writing data");
  const FitsFile::Extent extent = file_.extent();
  FitsSum sum;
  sum.add(sum_of(FitsInput(file_.name()), static_cast<std::uint64_t>(extent.header),
                 static_cast<std::uint64_t>(extent.data)));
  sum.add(data_sum);
  std::array<char, 17> text{};
  fits_encode_chksum(sum.value(), 1, text.data());
  text_key("CHECKSUM", text.data(), "HDU checksum");
}

void FitsWriter::finish() {
  seal(1, 0);
  seal(2, sum_.value());
  file_.close();
}

void verify_fits(const std::filesystem::path& path) {
  const FitsInput file(path);
  int number = 1;
  for (auto hdu = std::optional(first_hdu(file)); hdu; hdu = next_hdu(file, *hdu), ++number) {
    if (!hdu->cards.has("DATASUM") || !hdu->cards.has("CHECKSUM")) {
      file.fail(fmt::format("HDU {} has no checksum to compare with", number));
    }
    if (hdu->end > file.size()) file.fail(fmt::format("is cut short in HDU {}", number));
    FitsSum whole;
    const std::uint32_t data = sum_of(file, hdu->data, hdu->end);
    whole.add(data);
    whole.add(sum_of(file, hdu->header, hdu->data));
    if (std::to_string(data) == hdu->cards.text("DATASUM") && whole.value() == 0xffffffffu) {
      continue;
    }
    file.fail(
        fmt::format("HDU {} does not have the checksum that its header gives: what is on the disk "
                    "is not what was written; remove the file and run again",
                    number));
  }
}

}  // namespace qsohost::inline v1
