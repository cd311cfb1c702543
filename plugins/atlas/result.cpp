#include "result.hpp"

#include <fmt/format.h>

#include <qsohost/error.hpp>
#include <qsohost/io/text.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace atlas {

namespace {

using qsohost::TryAgain;
using Cells = std::vector<std::string_view>;

constexpr std::array kFields{
    Field{"m", "mag", "mag", "AB magnitude; NaN for a negative flux", &Epoch::mag, true},
    Field{"dm", "mag_err", "mag", "error of mag", &Epoch::mag_err, true},
    Field{"uJy", "flux", "uJy", "forced flux at the position, may be negative", &Epoch::flux, true},
    Field{"duJy", "flux_err", "uJy", "error of flux", &Epoch::flux_err, true},
    Field{"err", "err", "", "error code of the photometry; 0: good", &Epoch::err},
    Field{"chi/N", "chi_n", "", "chi square per pixel of the PSF fit", &Epoch::chi_n},
    Field{"x", "x", "pix", "position on the detector", &Epoch::x},
    Field{"y", "y", "pix", "position on the detector", &Epoch::y},
    Field{"maj", "maj", "pix", "major axis of the PSF, FWHM", &Epoch::maj},
    Field{"min", "min", "pix", "minor axis of the PSF, FWHM", &Epoch::min},
    Field{"phi", "phi", "deg", "direction of the major axis", &Epoch::phi},
    Field{"apfit", "apfit", "mag", "aperture correction of the exposure", &Epoch::apfit},
    Field{"mag5sig", "mag5sig", "mag", "5-sigma limit of the exposure", &Epoch::mag5sig},
    Field{"Sky", "sky", "mag", "brightness of the sky, per square arcsec", &Epoch::sky},
};

Cells split(std::string_view line) {
  constexpr std::string_view blanks = " \t\r";
  Cells cells;
  for (std::size_t at = line.find_first_not_of(blanks); at != line.npos;) {
    const std::size_t end = std::min(line.find_first_of(blanks, at), line.size());
    cells.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(blanks, end);
  }
  return cells;
}

// Where the columns are in a row.
class Layout {
 public:
  explicit Layout(Cells names) : names_(std::move(names)) {
    mjd_ = required("MJD");
    filter_ = required("F");
    for (std::size_t k = 0; k < kFields.size(); ++k) {
      at_[k] = kFields[k].in_product ? required(kFields[k].archive) : find(kFields[k].archive);
    }
  }

  // `line` is for messages.
  void read(const Cells& cells, std::size_t line, Result& result) const {
    if (cells.size() != names_.size()) {
      throw TryAgain(fmt::format("line {} of the result has {} cells, its header {}", line,
                                 cells.size(), names_.size()));
    }
    const std::string_view filter = cells[filter_];
    if (filter.size() != 1 || kBands.find(filter) == kBands.npos) {
      ++result.other[std::string(filter)];
      return;
    }
    Epoch epoch;
    epoch.row = static_cast<std::int32_t>(line - 2);
    epoch.band = filter.front();
    const auto mjd = qsohost::parse_double(cells[mjd_]);
    if (!mjd || !std::isfinite(*mjd)) throw_no_number(line, mjd_, cells);
    epoch.mjd = *mjd;
    for (std::size_t k = 0; k < kFields.size(); ++k) {
      if (!at_[k] || qsohost::is_missing(cells[*at_[k]])) continue;
      const auto value = qsohost::parse_float(cells[*at_[k]]);
      if (!value) throw_no_number(line, *at_[k], cells);
      epoch.*kFields[k].member = *value;
    }
    // A flux between -0.5 and 0 is rounded to 0; then the magnitude has its sign.
    if (epoch.flux < 0 || epoch.mag < 0) epoch.mag = kNoValue;
    result.epochs.push_back(epoch);
  }

 private:
  std::optional<std::size_t> find(std::string_view name) const {
    const auto it = std::ranges::find(names_, name);
    if (it == names_.end()) return std::nullopt;
    return static_cast<std::size_t>(it - names_.begin());
  }

  std::size_t required(std::string_view name) const {
    if (const auto at = find(name)) return *at;
    throw TryAgain(
        fmt::format("the result has no column {}: has the archive's format changed?", name));
  }

  [[noreturn]] void throw_no_number(std::size_t line, std::size_t at, const Cells& cells) const {
    throw TryAgain(fmt::format("line {} of the result: {} is '{}', which is no number", line,
                               names_[at], cells[at].substr(0, 40)));
  }

  Cells names_;
  std::size_t mjd_ = 0;
  std::size_t filter_ = 0;
  std::array<std::optional<std::size_t>, kFields.size()> at_;
};

std::string_view next_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

std::span<const Field> fields() {
  return kFields;
}

Result parse_result(std::string_view text) {
  constexpr std::string_view mark = "###";
  if (!text.starts_with(mark)) {
    throw TryAgain(fmt::format("the result does not begin with ###MJD: '{}'", text.substr(0, 60)));
  }
  text.remove_prefix(mark.size());
  const Layout layout(split(next_line(text)));
  Result result;
  for (std::size_t line = 2; !text.empty(); ++line) {
    const Cells cells = split(next_line(text));
    if (!cells.empty()) layout.read(cells, line, result);
  }
  return result;
}

}  // namespace atlas
