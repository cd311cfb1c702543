// https://encoding.spec.whatwg.org/#legacy-single-byte-encodings; ISO/IEC 8859-15.
#include "votable/xml_encodings.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "qsohost/names.hpp"

namespace qsohost::inline io_v1 {

namespace {

struct Difference {
  int byte;
  int code_point;  // -1: the byte is no character
};

// Differences from ISO-8859-1.
constexpr std::array<Difference, 32> kWindows1252{
    {{0x80, 0x20AC}, {0x81, -1},     {0x82, 0x201A}, {0x83, 0x0192}, {0x84, 0x201E}, {0x85, 0x2026},
     {0x86, 0x2020}, {0x87, 0x2021}, {0x88, 0x02C6}, {0x89, 0x2030}, {0x8A, 0x0160}, {0x8B, 0x2039},
     {0x8C, 0x0152}, {0x8D, -1},     {0x8E, 0x017D}, {0x8F, -1},     {0x90, -1},     {0x91, 0x2018},
     {0x92, 0x2019}, {0x93, 0x201C}, {0x94, 0x201D}, {0x95, 0x2022}, {0x96, 0x2013}, {0x97, 0x2014},
     {0x98, 0x02DC}, {0x99, 0x2122}, {0x9A, 0x0161}, {0x9B, 0x203A}, {0x9C, 0x0153}, {0x9D, -1},
     {0x9E, 0x017E}, {0x9F, 0x0178}}};
constexpr std::array<Difference, 8> kLatin9{{{0xA4, 0x20AC},
                                             {0xA6, 0x0160},
                                             {0xA8, 0x0161},
                                             {0xB4, 0x017D},
                                             {0xB8, 0x017E},
                                             {0xBC, 0x0152},
                                             {0xBD, 0x0153},
                                             {0xBE, 0x0178}}};

template <class Differences>
int fill(XML_Encoding& encoding, const Differences& differences) {
  for (int i = 0; i < 256; ++i) encoding.map[i] = i;
  for (const Difference& d : differences) encoding.map[d.byte] = d.code_point;
  encoding.data = nullptr;
  encoding.convert = nullptr;
  encoding.release = nullptr;
  return XML_STATUS_OK;
}

bool is_one_of(const std::string& name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

int find_encoding(void* /*unused*/, const XML_Char* name, XML_Encoding* encoding) {
  const std::string lowered = lower_case(name);
  if (is_one_of(lowered, {"windows-1252", "cp1252", "cp-1252"})) {
    return fill(*encoding, kWindows1252);
  }
  if (is_one_of(lowered, {"iso-8859-15", "iso8859-15", "latin-9", "latin9"})) {
    return fill(*encoding, kLatin9);
  }
  if (is_one_of(lowered, {"iso8859-1", "latin-1", "latin1"})) {
    return fill(*encoding, std::array<Difference, 0>());
  }
  return XML_STATUS_ERROR;
}

}  // namespace qsohost::inline io_v1
