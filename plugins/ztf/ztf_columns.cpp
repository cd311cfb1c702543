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

// Integers of any width, exact; none for other types.
std::optional<std::int64_t> integer(const qsohost::Column& column, std::size_t i) {
  switch (column.dtype()) {
    case qsohost::DType::I16:
      return column.values<std::int16_t>()[i];
    case qsohost::DType::I32:
      return column.values<std::int32_t>()[i];
    case qsohost::DType::I64:
      return column.values<std::int64_t>()[i];
    default:
      return std::nullopt;
  }
}

template <auto Member>
bool take(const qsohost::Column& column, std::size_t i, Epoch& epoch) {
  using T = TypeOf<Member>;
  if (column.dtype() == qsohost::DType::String) return read<Member>(column.strings()[i], epoch);
  if constexpr (std::is_floating_point_v<T>) {
    if (column.dtype() == qsohost::DType::Bool) return false;
    epoch.*Member = static_cast<T>(column.number(i));
    return true;
  } else {
    const auto value = integer(column, i);
    if (!value || *value < std::numeric_limits<T>::min() ||
        *value > std::numeric_limits<T>::max()) {
      return false;
    }
    epoch.*Member = static_cast<T>(*value);
    return true;
  }
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

template <auto Member>
bool equal(const Epoch& a, const Epoch& b) {
  const auto x = a.*Member;
  const auto y = b.*Member;
  return x == y || (x != x && y != y);  // two NaN are equal
}

enum : unsigned { Optional = 0, Required = 1, Filled = 2, InProduct = 4 };  // see ColumnRule

template <auto Member>
constexpr ColumnRule rule(std::string_view name, std::string_view unit, unsigned traits,
                          std::string_view help) {
  return {.name = name,
          .dtype = dtype_of<TypeOf<Member>>(),
          .unit = unit,
          .help = help,
          .is_required = (traits & Required) != 0,
          .is_filled = (traits & Filled) != 0,
          .in_product = (traits & InProduct) != 0,
          .read = read<Member>,
          .take = take<Member>,
          .copy = copy<Member>,
          .equal = equal<Member>,
          .append = append<Member>};
}

constexpr std::array kRules{
    rule<&Epoch::oid>("oid", "", Required | Filled,
                      "ZTF source (one per field, quadrant and filter)"),
    rule<&Epoch::expid>("expid", "", Optional, "exposure"),
    rule<&Epoch::hjd>("hjd", "d", Optional, "heliocentric Julian date; may be NaN"),
    rule<&Epoch::mjd>("mjd", "d", Required | InProduct,
                      "Modified Julian date (UTC) of the exposure"),
    rule<&Epoch::mag>("mag", "mag", Required | InProduct, "magnitude, AB, PS1-calibrated PSF fit"),
    rule<&Epoch::magerr>("magerr", "mag", Required | InProduct, "error of mag"),
    rule<&Epoch::catflags>("catflags", "", Required | Filled | InProduct,
                           "flags of the PSF catalogue; 0: clean"),
    rule<&Epoch::ra>("ra", "deg", Required | Filled, "right ascension of the source, ICRS"),
    rule<&Epoch::dec>("dec", "deg", Required | Filled, "declination of the source, ICRS"),
    rule<&Epoch::sharp>("sharp", "", InProduct, "sharpness; 0 for a point source"),
    rule<&Epoch::chi>("chi", "", InProduct, "chi of the PSF fit"),
    rule<&Epoch::filefracday>("filefracday", "", Optional, "exposure file, YYYYMMDDdddddd"),
    rule<&Epoch::field>("field", "", Optional, "ZTF field"),
    rule<&Epoch::ccdid>("ccdid", "", Optional, "CCD, 1 to 16"),
    rule<&Epoch::qid>("qid", "", Optional, "quadrant of the CCD, 1 to 4"),
    rule<&Epoch::limitmag>("limitmag", "mag", InProduct, "5-sigma limit of the image"),
    rule<&Epoch::magzp>("magzp", "mag", Optional, "magnitude zero point"),
    rule<&Epoch::magzprms>("magzprms", "mag", Optional, "scatter of the zero point"),
    rule<&Epoch::clrcoeff>("clrcoeff", "", Optional, "colour coefficient of the calibration"),
    rule<&Epoch::clrcounc>("clrcounc", "", Optional, "error of clrcoeff"),
    rule<&Epoch::exptime>("exptime", "s", Optional, "exposure time"),
    rule<&Epoch::airmass>("airmass", "", InProduct, "airmass"),
    rule<&Epoch::programid>("programid", "", Optional, "observing programme; 1: public"),
};
static_assert(kRules.size() <= 32, "Epoch::nulls has 32 bits");

}  // namespace

std::span<const ColumnRule> column_rules() {
  return kRules;
}

}  // namespace ztf
