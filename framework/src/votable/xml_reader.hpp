// XML files of any size, element by element. The only files that include expat are this one's .cpp
// and xml_encodings.cpp.
#pragma once

#include <cstdint>
#include <exception>
#include <string_view>

#include "files/opened_file.hpp"

struct XML_ParserStruct;

namespace qsohost::inline io_v1 {

class XmlAttributes {
 public:
  explicit XmlAttributes(const char** names_and_values) : next_(names_and_values) {}
  bool empty() const { return *next_ == nullptr; }
  // Trimmed; "" if it is missing.
  std::string_view operator[](std::string_view name) const;

 private:
  const char** next_;
};

// External entities are never read, and the expansion of internal ones is limited by expat.
class XmlReader {
 public:
  explicit XmlReader(OpenedFile& file) : file_(file) {}
  virtual ~XmlReader() = default;
  XmlReader(const XmlReader&) = delete;
  XmlReader& operator=(const XmlReader&) = delete;

  // Throws RunError, with the line, if the file is no XML or was cut.
  void parse();

 protected:
  // Names come without the prefix of a namespace, texts in pieces; all are UTF-8.
  virtual void start(std::string_view element, const XmlAttributes& attributes) = 0;
  virtual void end(std::string_view element) = 0;
  virtual void text(std::string_view piece) = 0;
  // Throws RunError: "FILE: line N: what".
  [[noreturn]] void fail(std::string_view what) const;
  const OpenedFile& file() const { return file_; }

 private:
  friend struct XmlEvents;
  void feed(std::string_view text);
  [[noreturn]] void fail_at_entity(std::string_view name) const;
  [[noreturn]] void fail_in_expat() const;

  OpenedFile& file_;
  XML_ParserStruct* parser_ = nullptr;
  int depth_ = 0;
  std::uint64_t lines_before_ = 0;  // blank lines before the XML declaration
  std::exception_ptr thrown_;       // by an event: expat is C and must not see it
};

}  // namespace qsohost::inline io_v1
