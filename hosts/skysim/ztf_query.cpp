#include "ztf_query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <sstream>

#include "qsohost/io/text.hpp"

namespace qsohost::skysim {

namespace {

constexpr double kLargestRadius = 600;  // arcsec
constexpr int kNewestRelease = 24;
constexpr int kReleasesOnline = 5;

std::vector<std::string> words(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, ',', ' ');
  std::istringstream in(spaced);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

double number(const std::string& parameter, const std::string& text) {
  const std::string value = lower(text);
  if (value == "inf" || value == "+inf") return std::numeric_limits<double>::infinity();
  if (value == "-inf") return -std::numeric_limits<double>::infinity();
  const auto parsed = parse_double(value);
  if (!parsed || std::isnan(*parsed)) {
    throw BadRequest(fmt::format("{}: '{}' is not a number", parameter, text));
  }
  return *parsed;
}

std::int64_t integer(const std::string& parameter, const std::string& text) {
  const auto parsed = parse_int(text);
  if (!parsed) throw BadRequest(fmt::format("{}: '{}' is not an integer", parameter, text));
  return *parsed;
}

Range range(const std::string& parameter, const std::string& text) {
  const auto parts = words(text);
  if (parts.empty() || parts.size() > 2) {
    throw BadRequest(fmt::format("{}: one or two numbers, not '{}'", parameter, text));
  }
  const Range limits{number(parameter, parts.front()), number(parameter, parts.back())};
  if (limits.first > limits.second) {
    throw BadRequest(fmt::format("{}: '{}' is empty", parameter, text));
  }
  return limits;
}

void read_circle(const std::string& parameter, const std::string& text, ZtfQuery& query) {
  auto parts = words(text);
  if (parameter == "pos") {
    if (parts.empty() || lower(parts.front()) != "circle") {
      throw BadRequest(fmt::format("POS: the only shape is CIRCLE, not '{}'", text));
    }
    parts.erase(parts.begin());
  }
  if (parts.size() != 3) throw BadRequest("CIRCLE: ra, dec and radius are needed");
  query.centre = Position{number(parameter, parts[0]), number(parameter, parts[1])};
  query.radius = number(parameter, parts[2]) * 3600;
  if (!(query.centre->ra >= 0 && query.centre->ra <= 360) || !(std::abs(query.centre->dec) <= 90)) {
    throw BadRequest(fmt::format("CIRCLE: no such position: '{}'", text));
  }
  if (!(query.radius > 0 && query.radius <= kLargestRadius + 0.13)) {
    throw BadRequest("CIRCLE: the radius must be above 0 and at most 0.1667 degrees");
  }
}

void read_filters(const std::string& text, ZtfQuery& query) {
  for (const std::string& word : words(text)) {
    const std::size_t at = std::string("gri123").find(lower(word));
    if (word.size() != 1 || at == std::string::npos) {
      throw BadRequest(fmt::format("BANDNAME: g, r, i or 1, 2, 3, not '{}'", word));
    }
    query.filters.push_back(static_cast<int>(at % 3) + 1);
  }
}

// Filters whose passband overlaps an interval of wavelengths in metres.
void read_wavelengths(const std::string& text, ZtfQuery& query) {
  constexpr double passbands[3][2] = {
      {3.676e-7, 5.614e-7}, {5.498e-7, 7.394e-7}, {6.871e-7, 8.965e-7}};
  const Range wanted = range("BAND", text);
  for (int k = 0; k < 3; ++k) {
    if (wanted.first <= passbands[k][1] && wanted.second >= passbands[k][0]) {
      query.filters.push_back(k + 1);
    }
  }
  if (query.filters.empty()) query.filters.push_back(0);  // none
}

void read_collection(const std::string& text) {
  const std::string name = lower(text);
  if (name == "ztf") throw BadRequest("COLLECTION: ztf needs a login");
  for (int k = 0; k < kReleasesOnline; ++k) {
    if (name == fmt::format("ztf_dr{}", kNewestRelease - k)) return;
  }
  throw BadRequest(fmt::format("COLLECTION: there is no '{}'; ztf_dr{} to ztf_dr{} are online",
                               text, kNewestRelease - kReleasesOnline + 1, kNewestRelease));
}

void read_format(const std::string& text, ZtfQuery& query) {
  const auto format = text_format(text);
  if (!format) {
    throw BadRequest(fmt::format("FORMAT: VOTABLE, IPAC_TABLE, CSV or TSV, not '{}'", text));
  }
  query.format = *format;
}

void read_parameter(const std::string& name, const std::string& value, ZtfQuery& query) {
  if (name == "id") {
    for (const std::string& id : words(value)) query.ids.push_back(integer("ID", id));
  } else if (name == "pos" || name == "circle") {
    if (query.centre) throw BadRequest("POS, CIRCLE: one circle in a request");
    read_circle(name, value, query);
  } else if (name == "bandname") {
    read_filters(value, query);
  } else if (name == "band") {
    read_wavelengths(value, query);
  } else if (name == "nobs_min") {
    query.min_epochs = integer("NOBS_MIN", value);
  } else if (name == "mag") {
    query.mag = range("MAG", value);
  } else if (name == "time") {
    query.time = range("TIME", value);
  } else if (name == "bad_catflags_mask") {
    query.bad_catflags = integer("BAD_CATFLAGS_MASK", value);
  } else if (name == "collection") {
    read_collection(value);
  } else if (name == "format") {
    read_format(value, query);
  } else {
    throw BadRequest(fmt::format("there is no parameter '{}'", name));
  }
}

std::int64_t file_frac_day(double mjd) {
  const auto day = static_cast<std::int64_t>(std::floor(mjd));
  // Days since 0000-03-01 to a civil date (H. Hinnant, chrono-compatible date algorithms).
  const std::int64_t z = day - 40587 + 719468;
  const std::int64_t era = z / 146097;
  const std::int64_t of_era = z - era * 146097;
  const std::int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const std::int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  const std::int64_t month = (5 * of_year + 2) / 153;
  const std::int64_t date = of_year - (153 * month + 2) / 5 + 1;
  const std::int64_t civil_month = month < 10 ? month + 3 : month - 9;
  const std::int64_t civil_year = year + era * 400 + (civil_month <= 2 ? 1 : 0);
  const auto fraction = static_cast<std::int64_t>((mjd - static_cast<double>(day)) * 1000000);
  return ((civil_year * 100 + civil_month) * 100 + date) * 1000000 + fraction;
}

std::vector<TextColumn> answer_columns() {
  return {{"oid", "long", ""},          {"expid", "long", ""},        {"hjd", "double", "d"},
          {"mjd", "double", "d"},       {"mag", "float", "mag"},      {"magerr", "float", "mag"},
          {"catflags", "int", ""},      {"filtercode", "char", ""},   {"ra", "double", "deg"},
          {"dec", "double", "deg"},     {"chi", "float", ""},         {"sharp", "float", ""},
          {"filefracday", "long", ""},  {"field", "int", ""},         {"ccdid", "int", ""},
          {"qid", "int", ""},           {"limitmag", "float", "mag"}, {"magzp", "float", "mag"},
          {"magzprms", "float", "mag"}, {"clrcoeff", "float", ""},    {"clrcounc", "float", ""},
          {"exptime", "float", "s"},    {"airmass", "float", ""},     {"programid", "int", ""}};
}

// The rows of one object that the query selects.
std::size_t add_rows(const ZtfStore& store, std::size_t place, const ZtfQuery& query,
                     TableText& text) {
  const LightCurveRow row = store.light_curve(place);
  const auto floats = [&](const char* name) { return row.at(name).values<float>(); };
  const auto doubles = [&](const char* name) { return row.at(name).values<double>(); };
  const auto integers = [&](const char* name) { return row.at(name).values<std::int32_t>(); };
  const auto mjd = doubles("mjd"), hjd = doubles("hjd"), ra = doubles("ra"), dec = doubles("dec");
  const auto mag = floats("mag"), magerr = floats("magerr"), chi = floats("chi"),
             sharp = floats("sharp"), limit = floats("limitmag"), zero = floats("magzp"),
             rms = floats("magzprms"), colour = floats("clrcoeff"),
             colour_error = floats("clrcounc"), airmass = floats("airmass");
  const auto expid = integers("expid"), catflags = integers("catflags");
  const auto of_object = [&](const char* name) {
    return store.column(name).values<std::int16_t>()[place];
  };
  const std::int64_t oid = store.column("oid").values<std::int64_t>()[place];
  const std::string_view filter = store.column("filtercode").strings()[place];
  const auto field = of_object("field"), ccd = of_object("ccdid"), quadrant = of_object("qid");
  const float exposure_time = row.at("exptime").values<float>()[0];
  const auto programme = row.at("programid").values<std::int16_t>()[0];
  std::size_t rows = 0;
  for (std::size_t i = 0; i < row.epochs; ++i) {
    if ((catflags[i] & query.bad_catflags) != 0) continue;
    if (query.time && (mjd[i] < query.time->first || mjd[i] > query.time->second)) continue;
    ++rows;
    text.begin_row();
    text.integer(oid);
    text.integer(expid[i]);
    text.number(hjd[i]);
    text.number(mjd[i]);
    text.number(mag[i]);
    text.number(magerr[i]);
    text.integer(catflags[i]);
    text.text(filter);
    text.number(ra[i]);
    text.number(dec[i]);
    text.number(chi[i]);
    text.number(sharp[i]);
    text.integer(file_frac_day(mjd[i]));
    text.integer(field);
    text.hexadecimal(ccd);
    text.hexadecimal(quadrant);
    text.number(limit[i]);
    text.number(zero[i]);
    text.number(rms[i]);
    text.number(colour[i]);
    text.number(colour_error[i]);
    text.number(exposure_time);
    text.number(airmass[i]);
    text.integer(programme);
    text.end_row();
  }
  return rows;
}

std::vector<std::size_t> objects_of(const ZtfStore& store, const ZtfQuery& query) {
  if (query.centre) return store.in_circle(*query.centre, query.radius);
  std::vector<std::size_t> objects;
  const std::set<std::int64_t> once(query.ids.begin(), query.ids.end());
  for (const std::int64_t id : once) {
    if (const auto place = store.find(id)) objects.push_back(*place);
  }
  return objects;
}

bool is_wanted(const ZtfStore& store, std::size_t place, const ZtfQuery& query) {
  const int filter = store.column("fid").values<std::int16_t>()[place];
  const float mag = store.column("medianmag").values<float>()[place];
  const bool in_band = query.filters.empty() || std::ranges::count(query.filters, filter) > 0;
  return in_band && store.column("nobs").values<std::int32_t>()[place] >= query.min_epochs &&
         (!query.mag || (mag >= query.mag->first && mag <= query.mag->second));
}

}  // namespace

ZtfQuery parse_query(const std::multimap<std::string, std::string>& parameters) {
  ZtfQuery query;
  std::set<std::string> seen;
  for (const auto& [name, value] : parameters) {
    seen.insert(lower(name));
    read_parameter(lower(name), value, query);
  }
  if (query.ids.empty() && !query.centre) throw BadRequest("ID, POS or CIRCLE is needed");
  if (query.ids.empty()) return query;
  for (const char* other : {"pos", "circle", "band", "bandname", "nobs_min", "mag"}) {
    if (seen.contains(other)) {
      throw BadRequest(fmt::format("ID cannot be combined with '{}'", other));
    }
  }
  return query;
}

ZtfAnswer answer(const ZtfStore& store, const ZtfQuery& query) {
  TableText text(query.format, answer_columns());
  ZtfAnswer result;
  for (const std::size_t place : objects_of(store, query)) {
    if (!is_wanted(store, place, query)) continue;
    const std::size_t rows = add_rows(store, place, query, text);
    result.rows += rows;
    result.objects += rows > 0 ? 1 : 0;
  }
  result.body = text.finish();
  return result;
}

}  // namespace qsohost::skysim
