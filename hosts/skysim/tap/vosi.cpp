#include <fmt/format.h>

#include "tap/service.hpp"
#include "tap/tap_schema.hpp"

namespace qsohost::skysim {

namespace {

constexpr std::string_view kStart = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

std::string capability(std::string_view id, std::string_view url) {
  return fmt::format(
      "<capability standardID=\"{}\">\n<interface xsi:type=\"vs:ParamHTTP\" role=\"std\">\n"
      "<accessURL use=\"full\">{}</accessURL>\n</interface>\n</capability>\n",
      id, url);
}

std::string output_format(std::string_view mime, std::string_view alias) {
  return fmt::format("<outputFormat><mime>{}</mime><alias>{}</alias></outputFormat>\n", mime,
                     alias);
}

std::string feature(std::string_view form) {
  return fmt::format("<feature><form>{}</form></feature>\n", form);
}

std::string column_xml(const TapColumn& column, std::string_view attributes) {
  const bool has_size = column.is_array || column.datatype == "char";
  return fmt::format(
      "<column{}><name>{}</name><description>{}</description><unit>{}</unit>"
      "<dataType xsi:type=\"vs:VOTableType\"{}>{}</dataType></column>\n",
      attributes, escaped_xml(column.name), escaped_xml(column.description),
      escaped_xml(column.unit), has_size ? " arraysize=\"*\"" : "", column.datatype);
}

}  // namespace

std::string vosi_availability() {
  return fmt::format(
      "{}<vosi:availability xmlns:vosi=\"http://www.ivoa.net/xml/VOSIAvailability/v1.0\">\n"
      "<vosi:available>true</vosi:available>\n</vosi:availability>\n",
      kStart);
}

std::string vosi_capabilities(const std::string& url, const TapManner& manner) {
  std::string out = fmt::format(
      "{}<vosi:capabilities xmlns:vosi=\"http://www.ivoa.net/xml/VOSICapabilities/v1.0\" "
      "xmlns:vs=\"http://www.ivoa.net/xml/VODataService/v1.1\" "
      "xmlns:tr=\"http://www.ivoa.net/xml/TAPRegExt/v1.0\" "
      "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n",
      kStart);
  out += capability("ivo://ivoa.net/std/VOSI#capabilities", url + "/capabilities");
  out += capability("ivo://ivoa.net/std/VOSI#availability", url + "/availability");
  out += capability("ivo://ivoa.net/std/VOSI#tables-1.1", url + "/tables");
  out += fmt::format(
      "<capability standardID=\"ivo://ivoa.net/std/TAP\" xsi:type=\"tr:TableAccess\">\n"
      "<interface xsi:type=\"vs:ParamHTTP\" role=\"std\" version=\"1.1\">\n"
      "<accessURL use=\"base\">{}</accessURL>\n</interface>\n"
      "<language><name>ADQL</name><version ivo-id=\"ivo://ivoa.net/std/ADQL#v2.0\">2.0</version>\n"
      "<description>ADQL on SQLite</description>\n"
      "<languageFeatures type=\"ivo://ivoa.net/std/TAPRegExt#features-adqlgeo\">\n",
      url);
  for (const char* form : {"POINT", "CIRCLE", "CONTAINS", "INTERSECTS", "DISTANCE"}) {
    out += feature(form);
  }
  out += "</languageFeatures>\n</language>\n";
  out += output_format("application/x-votable+xml", "votable");
  out += output_format("application/x-votable+xml;serialization=tabledata", "votable_plain");
  out += output_format("text/csv", "csv");
  out += output_format("text/tab-separated-values", "tsv");
  if (manner.style.has_ipac) out += output_format("text/plain", "ipac_table");
  out += "<uploadMethod ivo-id=\"ivo://ivoa.net/std/TAPRegExt#upload-inline\"/>\n";
  out += fmt::format(
      "<outputLimit><default unit=\"row\">{0}</default><hard "
      "unit=\"row\">{0}</hard></outputLimit>\n"
      "<uploadLimit><hard unit=\"row\">{1}</hard></uploadLimit>\n",
      manner.async_rows, manner.most_uploaded);
  return out + "</capability>\n</vosi:capabilities>\n";
}

std::string vosi_tables(const std::vector<TapTable>& tables, const TapManner& manner) {
  std::string out = fmt::format(
      "{}<vosi:tableset xmlns:vosi=\"http://www.ivoa.net/xml/VOSITables/v1.0\" "
      "xmlns:vs=\"http://www.ivoa.net/xml/VODataService/v1.1\" "
      "xmlns:esatapplus=\"http://esa.int/xml/EsaTapPlus\" "
      "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n",
      kStart);
  const char* attributes = manner.is_tap_plus ? " esatapplus:flags=\"0\"" : "";
  for (const std::string& schema : schemas_of(tables)) {
    out += fmt::format("<schema>\n<name>{}</name>\n", escaped_xml(schema));
    for (const TapTable& table : tables) {
      if (schema_of(table) != schema) continue;
      out += fmt::format("<table type=\"table\">\n<name>{}</name>\n<description>{}</description>\n",
                         escaped_xml(table.full_name()), escaped_xml(table.description));
      for (const TapColumn& column : table.columns) out += column_xml(column, attributes);
      out += "</table>\n";
    }
    out += "</schema>\n";
  }
  return out + "</vosi:tableset>\n";
}

}  // namespace qsohost::skysim
