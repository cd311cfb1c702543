#include "text/not_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace qsohost::inline io_v1 {

namespace {

using namespace std::string_view_literals;

struct Signature {
  std::string_view bytes;
  std::string_view what;
};
constexpr std::string_view kConvert = "; export the table as FITS, VOTable or CSV";
constexpr std::string_view kUnpack = "; unpack it first";

constexpr std::array kTables{Signature{"PAR1", "a Parquet file"},
                             Signature{"\x89HDF\r\n\x1a\n", "an HDF5 file"},
                             Signature{"\x93NUMPY", "a NumPy file"},
                             Signature{"SQLite format 3\0"sv, "an SQLite database"},
                             Signature{"ARROW1", "an Arrow (Feather) file"},
                             Signature{"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "an Excel file"},
                             Signature{"%PDF-", "a PDF document"}};
constexpr std::array kPacked{Signature{"\xFD"
                                       "7zXZ",
                                       "packed by xz"},
                             Signature{"\x28\xB5\x2F\xFD", "packed by zstd"},
                             Signature{"7z\xBC\xAF\x27\x1C", "packed by 7-Zip"},
                             Signature{"\x1F\x9D", "packed by compress"}};

// The name of a ZIP archive's first file tells what the archive is.
std::string zip_file(std::string_view head) {
  constexpr std::size_t kName = 30;
  const std::string_view name = head.substr(std::min(kName, head.size()), 64);
  if (name.find(".npy") != std::string_view::npos)
    return fmt::format("a NumPy file (npz){}", kConvert);
  if (name.starts_with("[Content_Types].xml") || name.starts_with("xl/") ||
      name.starts_with("mimetype")) {
    return fmt::format("a spreadsheet (xlsx or ods){}", kConvert);
  }
  return fmt::format("packed by ZIP{}", kUnpack);
}

// Texts with more than a byte a character have zeros in most of the others.
std::string_view wide_encoding(std::string_view head) {
  if (head.starts_with("\xFF\xFE\0\0"sv) || head.starts_with("\0\0\xFE\xFF"sv)) return "UTF-32";
  if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF")) return "UTF-16";
  const std::size_t characters = std::min<std::size_t>(head.size(), 1024) / 4;
  std::array<std::size_t, 4> zeros{};
  for (std::size_t i = 0; i < 4 * characters; ++i) {
    if (head[i] == '\0') ++zeros[i % 4];
  }
  const auto mostly = [&](std::size_t i) { return 10 * zeros[i] > 8 * characters; };
  const auto hardly = [&](std::size_t i) { return 10 * zeros[i] < 2 * characters; };
  if (characters == 0) return "";
  if (mostly(1) && mostly(2) && (mostly(3) ? hardly(0) : mostly(0) && hardly(3))) return "UTF-32";
  if (mostly(1) && mostly(3) && hardly(0) && hardly(2)) return "UTF-16";
  if (mostly(0) && mostly(2) && hardly(1) && hardly(3)) return "UTF-16";
  return "";
}

std::string what_it_is(std::string_view head) {
  for (const auto& [bytes, what] : kTables) {
    if (head.starts_with(bytes)) return fmt::format("{}{}", what, kConvert);
  }
  for (const auto& [bytes, what] : kPacked) {
    if (head.starts_with(bytes)) return fmt::format("{}{}", what, kUnpack);
  }
  const bool is_bzip2 = head.starts_with("BZh") && head.find("1AY&SY") == 4;
  if (is_bzip2) return fmt::format("packed by bzip2{}", kUnpack);
  if (head.starts_with("PK\x03\x04")) return zip_file(head);
  if (const std::string_view encoding = wide_encoding(head); !encoding.empty()) {
    return fmt::format("a text in {}; save it as UTF-8", encoding);
  }
  return "";
}

}  // namespace

void refuse_what_is_no_text(const OpenedFile& file) {
  const std::string head = file.head(4096);
  const std::string what = what_it_is(head);
  if (!what.empty()) file.fail("is " + what);
  refuse_zero_byte(file, head);
}

void refuse_zero_byte(const OpenedFile& file, std::string_view text, std::size_t begin) {
  const std::size_t zero = text.find('\0', begin);
  if (zero == std::string_view::npos) return;
  file.fail(fmt::format(
      "line {} has a zero byte, which no text has; the file must be of another form, or damaged",
      std::ranges::count(text.substr(0, zero), '\n') + 1));
}

}  // namespace qsohost::inline io_v1
