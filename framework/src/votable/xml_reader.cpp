#include "votable/xml_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <type_traits>

#include "qsohost/names.hpp"
#include "votable/xml_encodings.hpp"

namespace qsohost::inline io_v1 {

namespace {

// Expat keeps far more of each open element than the file holds of it.
constexpr int kDeepest = 100;
// How many times as large entities may make a file, once they have made 8 MB of it (expat's
// threshold). Expat's own limit, 100, lets a few MB become all memory.
constexpr float kMostAmplified = 2;

}  // namespace

std::string_view XmlAttributes::operator[](std::string_view name) const {
  for (const char** next = next_; *next != nullptr; next += 2) {
    if (name == *next) return trimmed(next[1]);
  }
  return {};
}

// The handlers that expat calls.
struct XmlEvents {
  template <class F>
  static void guard(void* reader, const F& f) {
    auto& self = *static_cast<XmlReader*>(reader);
    if (self.thrown_) return;  // expat hands over what it had already recognised
    try {
      f(self);
    } catch (...) {
      self.thrown_ = std::current_exception();
      XML_StopParser(self.parser_, XML_FALSE);
    }
  }

  static std::string_view without_prefix(std::string_view name) {
    return name.substr(name.rfind(':') + 1);  // npos + 1 is 0
  }

  static void start(void* reader, const XML_Char* name, const XML_Char** attributes) {
    guard(reader, [&](XmlReader& self) {
      if (++self.depth_ > kDeepest) {
        self.fail(fmt::format(
            "too many elements inside each other; in a VOTable there can be at most {}", kDeepest));
      }
      self.start(without_prefix(name), XmlAttributes(attributes));
    });
  }

  static void end(void* reader, const XML_Char* name) {
    guard(reader, [&](XmlReader& self) {
      --self.depth_;
      self.end(without_prefix(name));
    });
  }

  static void text(void* reader, const XML_Char* piece, int size) {
    guard(reader, [&](XmlReader& self) { self.text({piece, static_cast<std::size_t>(size)}); });
  }

  static void skipped_entity(void* reader, const XML_Char* name, int /*is_parameter*/) {
    guard(reader, [&](XmlReader& self) { self.fail_at_entity(name); });
  }

  static int external_entity(XML_Parser reader, const XML_Char* /*context*/,
                             const XML_Char* /*base*/, const XML_Char* system_id,
                             const XML_Char* /*public_id*/) {
    guard(reader, [&](XmlReader& self) {
      self.fail_at_entity(system_id == nullptr ? "(without an address)" : system_id);
    });
    return XML_STATUS_ERROR;
  }
};

void XmlReader::parse() {
  const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(
      XML_ParserCreate(nullptr), &XML_ParserFree);
  if (!parser) throw std::bad_alloc();
  parser_ = parser.get();
  XML_SetBillionLaughsAttackProtectionMaximumAmplification(parser_, kMostAmplified);
  XML_SetUserData(parser_, this);
  XML_SetElementHandler(parser_, &XmlEvents::start, &XmlEvents::end);
  XML_SetCharacterDataHandler(parser_, &XmlEvents::text);
  XML_SetSkippedEntityHandler(parser_, &XmlEvents::skipped_entity);
  XML_SetExternalEntityRefHandler(parser_, &XmlEvents::external_entity);
  XML_SetExternalEntityRefHandlerArg(parser_, this);
  XML_SetUnknownEncodingHandler(parser_, &find_encoding, nullptr);
  std::string_view all = file_.text();
  const std::size_t blank = std::min(all.find_first_not_of(" \t\r\n"), all.size());
  lines_before_ = static_cast<std::uint64_t>(std::ranges::count(all.substr(0, blank), '\n'));
  feed(all.substr(blank));
  parser_ = nullptr;
}

void XmlReader::feed(std::string_view text) {
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  while (true) {
    const std::string_view piece = text.substr(0, kPiece);
    text.remove_prefix(piece.size());
    const auto status =
        XML_Parse(parser_, piece.data(), static_cast<int>(piece.size()), text.empty() ? 1 : 0);
    if (thrown_) std::rethrow_exception(thrown_);
    if (status != XML_STATUS_OK) fail_in_expat();
    if (text.empty()) return;
    file_.forget_before(text.data());
  }
}

void XmlReader::fail(std::string_view what) const {
  file_.fail(fmt::format("line {}: {}", lines_before_ + XML_GetCurrentLineNumber(parser_), what));
}

void XmlReader::fail_at_entity(std::string_view name) const {
  fail(fmt::format("the entity '{}' is outside of the file and is not read; replace it by its text",
                   name));
}

void XmlReader::fail_in_expat() const {
  const XML_Error error = XML_GetErrorCode(parser_);
  switch (error) {
    case XML_ERROR_NO_ELEMENTS:
    case XML_ERROR_UNCLOSED_TOKEN:
    case XML_ERROR_PARTIAL_CHAR:
    case XML_ERROR_UNCLOSED_CDATA_SECTION:
      fail("the VOTable ends before its </VOTABLE> (cut transfer); get it again");
    case XML_ERROR_JUNK_AFTER_DOC_ELEMENT:
      fail("something follows the </VOTABLE>: the file must be one VOTable alone");
    case XML_ERROR_UNKNOWN_ENCODING:
    case XML_ERROR_INCORRECT_ENCODING:
      fail(
          fmt::format("{}: the encoding that the first line declares is none that can be read; "
                      "save the file as UTF-8",
                      XML_ErrorString(error)));
    case XML_ERROR_INVALID_TOKEN:
      fail(
          "not well-formed XML: a stray '<' or '&', or a byte that does not fit the "
          "encoding that the first line declares (UTF-8 if it declares none); correct it");
    default:
      fail(fmt::format("not well-formed XML, as a VOTable must be: {}", XML_ErrorString(error)));
  }
}

}  // namespace qsohost::inline io_v1
