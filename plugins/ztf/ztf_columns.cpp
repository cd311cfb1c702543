#include "ztf_columns.hpp"

#include <qsohost/io/text.hpp>

#include <array>
#include <limits>
#include <optional>
#include <type_traits>

namespace ztf {

namespace {

using qsohost::dtype_of;

template <auto Member>
using TypeOf = std::remove_cvref_t<decltype(std::declval<Epoch&>().*Member)>;

template <class T>
std::optional<T> parse(std::string_view cell) {
  if constexpr (std::is_same_v<T, double>) {
    return qsohost::parse_double(cell);
  } else if constexpr (std::is_same_v<T, float>) {
    return qsohost::parse_float(cell);
  } else {
    const auto value = qsohost::parse_int(cell);
    if (!value || *value < std::numeric_limits<T>::min() ||
        *value > std::numeric_limits<T>::max()) {
      return std::nullopt;
    }
    return static_cast<T>(*value);
  }
}

template <auto Member>
bool read(std::string_view cell, Epoch& epoch) {
  const auto value = parse<TypeOf<Member>>(cell);
  if (value) epoch.*Member = *value;
  return value.has_value();
}

template <auto Member>
void copy(const Epoch& from, Epoch& to) {
  to.*Member = from.*Member;
}

template <auto Member>
void append(std::span<const Epoch* const> epochs, qsohost::Column& column) {
  const std::size_t before = column.size();
  column.resize(before + epochs.size());
  const auto values = column.values<TypeOf<Member>>().subspan(before);
  for (std::size_t k = 0; k < epochs.size(); ++k) values[k] = epochs[k]->*Member;
}

enum : bool { Optional = false, Required = true };
enum : bool { Extra = false, InProduct = true };

template <auto Member>
constexpr ColumnRule rule(std::string_view name, std::string_view unit, bool is_required,
                          bool in_product, std::string_view help) {
  return {name,          dtype_of<TypeOf<Member>>(),
          unit,          help,
          is_required,   in_product,
          read<Member>,  copy<Member>,
          append<Member>};
}

constexpr std::array kRules{
    rule<&Epoch::oid>("oid", "", Required, Extra,
                      "ZTF source (one per field, quadrant and filter)"),
    rule<&Epoch::expid>("expid", "", Optional, Extra, "exposure"),
    rule<&Epoch::hjd>("hjd", "d", Optional, Extra, "heliocentric Julian date; may be NaN"),
    rule<&Epoch::mjd>("mjd", "d", Required, InProduct,
                      "Modified Julian date (UTC) of the exposure"),
    rule<&Epoch::mag>("mag", "mag", Required, InProduct, "magnitude, AB, PS1-calibrated PSF fit"),
    rule<&Epoch::magerr>("magerr", "mag", Required, InProduct, "error of mag"),
    rule<&Epoch::catflags>("catflags", "", Required, InProduct,
                           "flags of the PSF catalogue; 0: clean"),
    rule<&Epoch::ra>("ra", "deg", Required, Extra, "right ascension of the source, ICRS"),
    rule<&Epoch::dec>("dec", "deg", Required, Extra, "declination of the source, ICRS"),
    rule<&Epoch::sharp>("sharp", "", Optional, InProduct, "sharpness; 0 for a point source"),
    rule<&Epoch::chi>("chi", "", Optional, InProduct, "chi of the PSF fit"),
    rule<&Epoch::filefracday>("filefracday", "", Optional, Extra, "exposure file, YYYYMMDDdddddd"),
    rule<&Epoch::field>("field", "", Optional, Extra, "ZTF field"),
    rule<&Epoch::ccdid>("ccdid", "", Optional, Extra, "CCD, 1 to 16"),
    rule<&Epoch::qid>("qid", "", Optional, Extra, "quadrant of the CCD, 1 to 4"),
    rule<&Epoch::limitmag>("limitmag", "mag", Optional, InProduct, "5-sigma limit of the image"),
    rule<&Epoch::magzp>("magzp", "mag", Optional, Extra, "magnitude zero point"),
    rule<&Epoch::magzprms>("magzprms", "mag", Optional, Extra, "scatter of the zero point"),
    rule<&Epoch::clrcoeff>("clrcoeff", "", Optional, Extra,
                           "colour coefficient of the calibration"),
    rule<&Epoch::clrcounc>("clrcounc", "", Optional, Extra, "error of clrcoeff"),
    rule<&Epoch::exptime>("exptime", "s", Optional, Extra, "exposure time"),
    rule<&Epoch::airmass>("airmass", "", Optional, InProduct, "airmass"),
    rule<&Epoch::programid>("programid", "", Optional, Extra, "observing programme; 1: public"),
};
static_assert(kRules.size() <= 32, "Epoch::nulls has 32 bits");

}  // namespace

std::span<const ColumnRule> column_rules() {
  return kRules;
}

}  // namespace ztf
