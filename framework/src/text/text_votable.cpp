// VOTables with TABLEDATA. https://www.ivoa.net/documents/VOTable/ ; QUERY_STATUS: DALI 1.1, 4.4.
// The only file that includes pugixml.
#include <algorithm>
#include <pugixml.hpp>

#include "text/text_rows.hpp"
#include "text/xml_markup.hpp"

namespace qsohost::inline io_v1 {

std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : trimmed(text)) {
    if (!is_blank(c)) {
      out += c;
    } else if (out.back() != ' ') {
      out += ' ';
    }
  }
  return out;
}

namespace {

// Some archives use a namespace prefix for elements, some do not.
bool is_element(const pugi::xml_node& node, std::string_view name) {
  std::string_view full = node.name();
  if (const auto colon = full.find(':'); colon != std::string_view::npos) {
    full.remove_prefix(colon + 1);
  }
  return full == name;
}

pugi::xml_node child(const pugi::xml_node& node, std::string_view name) {
  return node.find_child([&](const pugi::xml_node& n) { return is_element(n, name); });
}

pugi::xml_node next_sibling(pugi::xml_node node, std::string_view name) {
  do {
    node = node.next_sibling();
  } while (node && !is_element(node, name));
  return node;
}

pugi::xml_node descendant(const pugi::xml_node& node, std::string_view name) {
  return node.find_node([&](const pugi::xml_node& n) { return is_element(n, name); });
}

class VoTableReader : public RowReader {
 public:
  VoTableReader(std::string_view text, TableOrigin origin) : text_(text), origin_(origin) {
    parse();
    check_status();
    find_table();
  }

  bool next(std::vector<std::string_view>& cells) override;
  std::size_t line() const override { return line_; }

 private:
  void parse();
  void check_status() const;
  void find_table();
  void move_to(std::ptrdiff_t offset);

  std::string_view text_;
  TableOrigin origin_;
  pugi::xml_document document_;
  pugi::xml_node row_;
  std::vector<std::string> nulls_;
  std::size_t line_ = 1;
  std::size_t line_offset_ = 0;
};

void VoTableReader::move_to(std::ptrdiff_t offset) {
  const std::size_t target = std::min(static_cast<std::size_t>(offset), text_.size());
  if (offset < 0 || target <= line_offset_) return;
  const std::string_view between = text_.substr(line_offset_, target - line_offset_);
  line_ += static_cast<std::size_t>(std::count(between.begin(), between.end(), '\n'));
  line_offset_ = target;
}

void VoTableReader::parse() {
  check_markup(text_);
  const auto result =
      document_.load_buffer(text_.data(), text_.size(), pugi::parse_default, pugi::encoding_utf8);
  const std::string_view end = trimmed(text_);
  if (result && end.ends_with("VOTABLE>")) return;
  move_to(result.offset);
  if (!end.ends_with("VOTABLE>")) {
    broken(origin_, "the VOTable ends before its </VOTABLE> (cut transfer)");
  }
  throw BadObject(fmt::format("line {}: not well-formed XML, as a VOTable must be: {}", line_,
                              result.description()));
}

// "ERROR: the archive could not; OVERFLOW: there are more rows than it sent."
void VoTableReader::check_status() const {
  const auto refused = document_.find_node([](const pugi::xml_node& node) {
    const std::string_view value = node.attribute("value").value();
    return is_element(node, "INFO") &&
           std::string_view(node.attribute("name").value()) == "QUERY_STATUS" &&
           (value == "ERROR" || value == "OVERFLOW");
  });
  if (!refused) return;
  const std::string words = excerpt(refused.child_value());
  broken(origin_, fmt::format("the archive answered QUERY_STATUS {}, where a table is expected: {}",
                              refused.attribute("value").value(),
                              words.empty() ? "(no reason given)" : words));
}

void VoTableReader::find_table() {
  const pugi::xml_node table = descendant(document_, "TABLE");
  if (!table)
    broken(origin_, fmt::format("a VOTable without the TABLE that it must have; it says: {}",
                                excerpt(text_)));
  for (auto field = child(table, "FIELD"); field; field = next_sibling(field, "FIELD")) {
    const std::string_view type = field.attribute("datatype").value();
    add_field({.name = field.attribute("name").value(),
               .unit = field.attribute("unit").value(),
               .description = one_line(child(field, "DESCRIPTION").child_value()),
               .is_text = type == "char" || type == "unicodeChar"});
    nulls_.emplace_back(child(field, "VALUES").attribute("null").value());
  }
  const bool has_more = static_cast<bool>(document_.find_node([&](const pugi::xml_node& node) {
    return node != table && is_element(node, "TABLE") && child(node, "DATA");
  }));
  if (has_more) throw BadObject("a VOTable with several TABLEs, where one was expected");
  const pugi::xml_node data = child(table, "DATA");
  if (!data) return;
  const pugi::xml_node rows = child(data, "TABLEDATA");
  if (!rows) {
    throw BadObject(fmt::format(
        "a VOTable whose DATA is {}; of an archive's answers only TABLEDATA is read: ask "
        "for that (in TAP: FORMAT=votable/td) or for CSV",
        data.first_child().name()));
  }
  row_ = child(rows, "TR");
}

bool VoTableReader::next(std::vector<std::string_view>& cells) {
  if (!row_) return false;
  move_to(row_.offset_debug());
  cells.clear();
  for (auto cell = child(row_, "TD"); cell; cell = next_sibling(cell, "TD")) {
    std::string_view value = trimmed(cell.child_value());
    const std::size_t i = cells.size();
    if (i < nulls_.size() && !nulls_[i].empty() && value == nulls_[i]) value = {};
    cells.push_back(value);
  }
  if (cells.size() != columns_.size()) {
    throw BadObject(
        fmt::format("line {}: {} cells (TD) where the table has {} fields; there must be as many",
                    line_, cells.size(), columns_.size()));
  }
  row_ = next_sibling(row_, "TR");
  return true;
}

}  // namespace

std::unique_ptr<RowReader> read_votable(std::string_view text, TableOrigin origin) {
  return std::make_unique<VoTableReader>(text, origin);
}

}  // namespace qsohost::inline io_v1
