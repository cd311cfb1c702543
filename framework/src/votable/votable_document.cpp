#include "votable/votable_document.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "qsohost/io/text.hpp"
#include "text/text_rows.hpp"
#include "votable/votable_data.hpp"
#include "votable/votable_times.hpp"

namespace qsohost::inline io_v1 {

std::string title_of(const VoTable& table) {
  const std::string& name = table.name.empty() ? table.id : table.name;
  return name.empty() ? fmt::format("TABLE {}", table.number)
                      : fmt::format("TABLE {} '{}'", table.number, name);
}

namespace {

class VoReader final : private XmlReader {
 public:
  VoReader(OpenedFile& file, std::string_view hdu) : XmlReader(file), hdu_(trimmed(hdu)) {}
  VoDocument read();

 private:
  void start(std::string_view element, const XmlAttributes& attributes) override;
  void end(std::string_view element) override;
  void text(std::string_view piece) override;

  template <class F>
  void guard(const F& f);
  void begin_table(const XmlAttributes& attributes);
  void end_table();
  void begin_field(const XmlAttributes& attributes);
  void add_param(const XmlAttributes& attributes);
  void begin_info(const XmlAttributes& attributes);
  void end_info();
  void begin_data(std::string_view form);
  void end_data();

  bool is_asked_for(const VoTable& table) const;
  bool choose();
  void choose_at_end();
  void capture();
  VoTable& table() { return out_.tables.back(); }

  std::string hdu_;
  VoDocument out_;
  std::optional<std::size_t> chosen_;
  VoTimes times_;
  std::unique_ptr<VoRows> rows_;  // of the chosen table
  std::unique_ptr<VoData> data_;  // of the current table, while it is read
  std::string form_;              // of these data

  bool has_root_ = false;
  bool in_table_ = false;
  bool in_field_ = false;
  bool is_captured_ = false;
  std::string text_;    // of an element that is captured
  std::string status_;  // of the INFO element QUERY_STATUS
  bool has_overflow_ = false;
};

VoDocument VoReader::read() {
  parse();
  choose_at_end();
  VoDocument out = std::move(out_);
  const VoTable& table = out.tables[*chosen_];
  out.chosen = *chosen_;
  out.time_system = times_.of(table.fields);
  if (rows_) {
    out.spool = rows_->finish();
    out.warnings = rows_->warnings();
  }
  if (has_overflow_) {
    out.warnings.push_back(
        fmt::format("the archive cut the table at {} rows (QUERY_STATUS OVERFLOW); ask it for all "
                    "rows (in TAP: MAXREC)",
                    table.rows));
  }
  return out;
}

// Calls what reads data. Data that are only counted may be bad: nobody has asked for them.
template <class F>
void VoReader::guard(const F& f) {
  try {
    f();
  } catch (const BadData& e) {
    if (chosen_ == out_.tables.size() - 1) fail(e.what());
    data_.reset();
  }
}

void VoReader::start(std::string_view element, const XmlAttributes& attributes) {
  if (data_) return guard([&] { data_->start(element, attributes); });
  if (!has_root_ && element != "VOTABLE") {
    fail(fmt::format("XML, but no VOTable: it begins with the element '{}', not VOTABLE", element));
  }
  has_root_ = true;
  if (element == "TABLE") return begin_table(attributes);
  if (element == "FIELD") return begin_field(attributes);
  if (element == "PARAM") return add_param(attributes);
  if (element == "VALUES" && in_field_) return table().fields.back().set_null(attributes["null"]);
  if (element == "DESCRIPTION") return capture();
  if (element == "INFO") return begin_info(attributes);
  if (element == "TIMESYS") return times_.add(attributes);
  const auto forms = {"TABLEDATA", "BINARY", "BINARY2", "FITS"};
  if (std::ranges::find(forms, element) != forms.end()) begin_data(element);
}

void VoReader::text(std::string_view piece) {
  if (data_) return guard([&] { data_->text(piece); });
  if (is_captured_) text_ += piece;
}

void VoReader::end(std::string_view element) {
  if (data_) return guard([&] { element == form_ ? end_data() : data_->end(element); });
  if (element == "DESCRIPTION" && in_field_) {
    table().fields.back().column.info.description = one_line(text_);
  }
  if (element == "INFO") end_info();
  if (element == "FIELD") in_field_ = false;
  if (element == "TABLE") end_table();
  is_captured_ = false;
}

void VoReader::capture() {
  is_captured_ = true;
  text_.clear();
}

void VoReader::begin_table(const XmlAttributes& attributes) {
  if (in_table_) fail("a TABLE inside of a TABLE, which must stand one after the other");
  in_table_ = true;
  VoTable table{out_.tables.size() + 1, std::string(attributes["name"]),
                std::string(attributes["ID"]), std::string(attributes["ref"])};
  if (const auto rows = parse_int(attributes["nrows"]); rows && *rows >= 0) {
    table.promised = static_cast<std::uint64_t>(*rows);
  }
  out_.tables.push_back(std::move(table));
}

void VoReader::end_table() {
  if (!in_table_) return;
  in_table_ = false;
  in_field_ = false;
  if (!hdu_.empty() && !table().has_data) choose();
}

void VoReader::begin_field(const XmlAttributes& attributes) {
  if (!in_table_) return;
  if (table().has_data) fail("a FIELD after the DATA of its TABLE, which it must precede");
  table().fields.emplace_back(attributes, table().fields.size() + 1);
  in_field_ = true;
}

void VoReader::add_param(const XmlAttributes& attributes) {
  VoParams& params = in_table_ ? table().params : out_.params;
  for (const std::string_view name : {attributes["name"], attributes["ID"]}) {
    if (!name.empty()) params.try_emplace(lower_case(name), attributes["value"]);
  }
}

// DALI 1.1, section 4.4. Some archives write ID for name.
void VoReader::begin_info(const XmlAttributes& attributes) {
  capture();
  const bool is_status = attributes["name"] == "QUERY_STATUS" || attributes["ID"] == "QUERY_STATUS";
  status_ = is_status ? lower_case(attributes["value"]) : "";
}

void VoReader::end_info() {
  if (status_ == "overflow") has_overflow_ = true;
  if (status_ == "error") {
    const std::string words = excerpt(text_);
    fail(fmt::format(
        "the archive answered QUERY_STATUS ERROR, so this is no table; ask it again: {}",
        words.empty() ? "(no reason given)" : words));
  }
  status_.clear();
}

void VoReader::begin_data(std::string_view form) {
  if (!in_table_) fail(fmt::format("{} outside of a TABLE, in which it must be", form));
  if (table().has_data) fail("a second DATA in one TABLE, which must have one");
  table().has_data = true;
  form_ = form;
  const bool is_chosen = choose();
  if (is_chosen) {
    constexpr std::uint64_t kLeastBlank = std::uint64_t{1} << 24;
    rows_ = std::make_unique<VoRows>(table().fields, file().name(),
                                     std::max(kLeastBlank, file().size()));
  } else if (!hdu_.empty() || table().promised) {
    table().rows = table().promised.value_or(0);
    return;  // passed over
  }
  guard([&] { data_ = read_data(form, table().fields, is_chosen ? rows_.get() : nullptr); });
}

void VoReader::end_data() {
  data_->finish();
  VoTable& t = table();
  t.rows = data_->rows();
  data_.reset();
  if (t.promised && *t.promised != t.rows) {
    fail(fmt::format("{} promises {} rows (nrows) and has {} (cut transfer?); get it again",
                     title_of(t), *t.promised, t.rows));
  }
}

bool VoReader::is_asked_for(const VoTable& table) const {
  if (hdu_.empty()) return !table.fields.empty();
  if (hdu_.find_first_not_of("0123456789") == hdu_.npos) {
    return parse_int(hdu_) == static_cast<std::int64_t>(table.number);
  }
  const std::string name = lower_case(hdu_);
  return lower_case(table.name) == name || lower_case(table.id) == name;
}

// True if the current table is the one to be read.
bool VoReader::choose() {
  if (!is_asked_for(table()) || (chosen_ && hdu_.empty())) return false;
  if (chosen_) {
    fail(fmt::format("{} and {} are called so; choose one by its number (option 'hdu')",
                     title_of(out_.tables[*chosen_]), title_of(table())));
  }
  if (table().fields.empty()) {
    fail(table().ref.empty()
             ? fmt::format("{} has no FIELD, as a table must; choose another one (option 'hdu')",
                           title_of(table()))
             : fmt::format("{} has the FIELDs of another one (ref=\"{}\"), which is not supported; "
                           "save the table anew",
                           title_of(table()), table().ref));
  }
  chosen_ = out_.tables.size() - 1;
  return true;
}

// A table without data has no rows; it is read if there is no other.
void VoReader::choose_at_end() {
  if (chosen_) return;
  std::vector<std::string> titles;
  for (const VoTable& table : out_.tables) {
    if (hdu_.empty() && !table.fields.empty()) {
      chosen_ = titles.size();
      return;
    }
    titles.push_back(title_of(table));
  }
  if (titles.empty()) file().fail("the VOTable has no TABLE; check that it is the file you mean");
  if (hdu_.empty())
    file().fail("the VOTable has no TABLE with FIELDs; check that it is the file you mean");
  file().fail(fmt::format("there is no TABLE '{}'; there are: {}", hdu_, fmt::join(titles, ", ")));
}

}  // namespace

VoDocument read_document(OpenedFile& file, std::string_view hdu) {
  return VoReader(file, hdu).read();
}

}  // namespace qsohost::inline io_v1
