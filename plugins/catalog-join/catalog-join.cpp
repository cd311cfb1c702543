// Joins the columns of another catalogue to the objects, by key or by position.
//
// An index on disk says in which row a key or a position is; the rows of a batch are read when it
// comes. So memory does not grow with the catalogue.
#include <qsohost/plugin.hpp>

#include <fmt/format.h>

#include <array>
#include <memory>
#include <optional>

#include <qsohost/io/identifiers.hpp>
#include <qsohost/io/input_columns.hpp>
#include <qsohost/io/input_table.hpp>
#include <qsohost/names.hpp>
#include <qsohost/sphere.hpp>

#include "joined_columns.hpp"
#include "key_index.hpp"
#include "sky_index.hpp"

namespace {

using catalog_join::JoinedColumns;
using catalog_join::KeyIndex;
using catalog_join::Keys;
using catalog_join::Match;
using catalog_join::SkyIndex;
using catalog_join::Valid;
using qsohost::Column;
using qsohost::DType;
using qsohost::Ending;
using qsohost::Outcome;
using qsohost::RunError;
using qsohost::UsageError;

enum class Duplicates : std::uint8_t { Best, Error };

// What is known of an object once the index was asked.
struct Answer {
  bool was_asked = false;  // not without a key or a position
  std::optional<Match> match{};
  std::string why_not{};  // if there is none
};

class CatalogJoin final : public qsohost::Fetcher {
 public:
  void validate() const override;
  void declare(const qsohost::Schema& before, qsohost::Ports& ports) const override;
  std::vector<qsohost::Input> fingerprint() const override {
    return {qsohost::file_input(path->text)};
  }
  void open(qsohost::Context& context) override;
  void fetch(qsohost::Batch& batch, qsohost::Outcomes& outcomes) override;
  void close() noexcept override;

 private:
  bool is_by_position() const { return radius_arcsec.is_set(); }
  const std::vector<std::string>& their_names() const {
    return their_key->empty() ? *key : *their_key;
  }
  std::string separation() const { return *prefix + "separation"; }
  void declare_key(const qsohost::Schema& before, qsohost::Ports& ports) const;
  void declare_column(const qsohost::Schema& before, qsohost::Port port,
                      qsohost::Ports& ports) const;
  void open_sky(const std::filesystem::path& kept, const std::string& stamp,
                qsohost::Context& context);
  void open_keys(const std::filesystem::path& kept, const std::string& stamp,
                 qsohost::Context& context);
  void choose_columns(qsohost::Context& context);
  void report_keys(qsohost::Context& context) const;
  std::vector<Answer> by_position(const qsohost::Batch& batch);
  std::vector<Answer> by_key(const qsohost::Batch& batch);
  Ending ending_of(const Answer& answer) const;

  qsohost::Option<qsohost::Path> path{
      this, "path", qsohost::required,
      "the other catalogue: FITS, VOTable, IPAC, ECSV, CSV or TSV, also gzipped; an index of it is "
      "kept in the run directory"};
  qsohost::Option<std::string> hdu{
      this, "hdu", "",
      "HDU of a FITS file or TABLE of a VOTable, by name or number (\"2\"; the primary HDU is 0, "
      "the first TABLE 1); empty: the first table"};
  qsohost::Option<std::vector<std::string>> key{
      this, "key", std::vector<std::string>{},
      "to join by key: column of the objects, integers or texts, or several that make the key "
      "together, such as [\"plate\", \"mjd\", \"fiberid\"]"};
  qsohost::Option<std::vector<std::string>> their_key{
      this, "their_key", std::vector<std::string>{},
      "the same columns of the catalogue, in this order; none named: they are called as in key"};
  qsohost::Option<double> radius_arcsec{
      this,
      "radius_arcsec",
      0.0,
      "to join by position: the largest separation; the nearest row is taken",
      {.unit = "arcsec", .min = 0, .max = 3600}};
  qsohost::Option<std::string> ra{this, "ra", "ra", "objects' column of right ascensions, degrees"};
  qsohost::Option<std::string> dec{this, "dec", "dec", "objects' column of declinations, degrees"};
  qsohost::Option<std::string> their_ra{
      this, "their_ra", "ra",
      "catalogue's column of right ascensions, ICRS; in degrees if it declares no unit"};
  qsohost::Option<std::string> their_dec{
      this, "their_dec", "dec",
      "catalogue's column of declinations, ICRS; in degrees if it declares no unit"};
  qsohost::Option<std::vector<std::string>> columns{
      this, "columns", std::vector<std::string>{"all"},
      "columns of the catalogue by name, or \"all\" (but the key's); names that differ in case "
      "alone are found too"};
  qsohost::Option<std::string> prefix{this, "prefix", "", "put before the names of joined columns"};
  qsohost::Choice<Duplicates> duplicates{
      this,
      "duplicates",
      Duplicates::Best,
      {{"best", Duplicates::Best}, {"error", Duplicates::Error}},
      "an object whose key is in several rows, or with several rows within the radius. best: the "
      "first row in the file with the key, or the nearest one (of equally near ones the first); "
      "error: a bad object"};
  qsohost::Option<std::vector<double>> null_values{
      this, "null_values", std::vector<double>{},
      "numbers that stand for a missing value, in joined columns and in keys, e.g. [-999]"};
  qsohost::OptionTables<Valid> valid{
      this, "valid", "which values of joined columns are valid; others become missing"};

  std::optional<qsohost::InputTable> table_;
  std::vector<std::size_t> their_columns_;  // of the key, or ra and dec
  std::vector<std::uint8_t> as_texts_;      // for each column of the key, see Keys
  std::optional<JoinedColumns> joined_;
  std::optional<KeyIndex> keys_;
  std::optional<SkyIndex> sky_;
};

void CatalogJoin::validate() const {
  if (is_by_position() == !key->empty()) {
    throw UsageError(fmt::format(
        "{}; set key, such as \"source_id\", to join by key, or radius_arcsec, such as 1.0, to "
        "join by position",
        key->empty() ? "neither key nor radius_arcsec is given"
                     : "both key and radius_arcsec are given, but a join is by one of them"));
  }
  if (is_by_position() && !their_key->empty()) {
    throw UsageError("their_key: radius_arcsec joins by position; remove one of them");
  }
  if (!their_key->empty() && their_key->size() != key->size()) {
    throw UsageError(
        fmt::format("their_key has {} columns, but key has {}: name the same columns in the same "
                    "order",
                    their_key->size(), key->size()));
  }
}

void CatalogJoin::declare_key(const qsohost::Schema& before, qsohost::Ports& ports) const {
  const auto type_of = [&](const std::string& name) {
    const qsohost::Schema::Entry* there = before.find("", name);
    return there == nullptr ? std::nullopt : there->port.dtype;
  };
  if (is_by_position()) {
    for (const auto& [name, what] : {std::pair(*ra, "right ascension"), {*dec, "declination"}}) {
      ports.reads({"", name, std::nullopt, "deg", what});
      const auto dtype = type_of(name);
      if (dtype == DType::String || dtype == DType::Bool) {
        ports.problem(fmt::format(
            "reads positions in column '{}', but it holds {}; they must be numbers, in degrees",
            name, qsohost::name_of(*dtype)));
      }
    }
    return;
  }
  for (const std::string& name : *key) {
    ports.reads({"", name, std::nullopt, "", "key of the object"});
    const auto dtype = type_of(name);
    if (dtype == DType::F32 || dtype == DType::F64 || dtype == DType::Bool) {
      ports.problem(
          fmt::format("joins by column '{}', but it holds {}: keys must be integers or texts", name,
                      qsohost::name_of(*dtype)));
    }
  }
}

// A name that objects have already, in any case, is refused here: FITS ignores case.
void CatalogJoin::declare_column(const qsohost::Schema& before, qsohost::Port port,
                                 qsohost::Ports& ports) const {
  const std::string lowered = qsohost::lower_case(port.name);
  for (const qsohost::Schema::Entry& entry : before.columns()) {
    if (!entry.port.group.empty() || qsohost::lower_case(entry.port.name) != lowered) continue;
    return ports.problem(fmt::format(
        "would add column '{}', but stage '{}' has added '{}' (case does not count in FITS files): "
        "put something before the names by option 'prefix', such as \"{}_\", or list the columns "
        "that you want in option 'columns'",
        port.name, entry.origin, entry.port.name, label()));
  }
  ports.adds(std::move(port));
}

void CatalogJoin::declare(const qsohost::Schema& before, qsohost::Ports& ports) const {
  declare_key(before, ports);
  if (is_by_position()) {
    declare_column(before,
                   {"", separation(), DType::F64, "arcsec", "distance of the row that was joined"},
                   ports);
  }
  if (joined_) {
    for (const qsohost::ColumnInfo& info : joined_->infos()) {
      declare_column(
          before, {"", info.name, info.dtype, info.unit, info.description, 0, info.width}, ports);
    }
  } else if (*columns == std::vector<std::string>{"all"}) {
    ports.adds_unknown();
  } else {
    for (const std::string& name : *columns) {
      declare_column(before, {"", *prefix + name, std::nullopt}, ports);
    }
  }
}

void CatalogJoin::open(qsohost::Context& context) {
  table_.emplace(path->text, *hdu);
  for (const std::string& warning : table_->warnings()) context.warn(warning);
  if (table_->rows() == 0) {
    throw RunError(
        fmt::format("{}: the table has no rows, so there is nothing to be joined; name "
                    "another file or HDU, or remove the stage",
                    table_->name()));
  }
  const std::filesystem::path& folder = context.run().work_dir;  // none in a dry run
  const std::filesystem::path kept =
      folder.empty() ? folder : folder / qsohost::kIndexFolder / label();
  const std::string stamp = fmt::format("qsohost catalog-join index 1\n{}, hdu '{}'",
                                        qsohost::file_input(path->text).state, *hdu);
  is_by_position() ? open_sky(kept, stamp, context) : open_keys(kept, stamp, context);
}

void CatalogJoin::choose_columns(qsohost::Context& context) {
  // A position is not equal to that of the object, as a key is.
  const std::vector<std::size_t> keys =
      is_by_position() ? std::vector<std::size_t>{} : their_columns_;
  joined_.emplace(*table_, JoinedColumns::Choice{*columns, keys, *prefix, *null_values}, valid);
  for (const std::string& column : joined_->left_out()) context.warn(column);
}

void CatalogJoin::open_sky(const std::filesystem::path& kept, const std::string& stamp,
                           qsohost::Context& context) {
  their_columns_.clear();
  for (const auto* option : {&their_ra, &their_dec}) {
    their_columns_.push_back(qsohost::find_column(*table_, **option, option->name()));
    qsohost::check_position_column(table_->columns()[their_columns_.back()], table_->name(),
                                   option->name());
  }
  choose_columns(context);
  sky_.emplace(*table_, their_columns_[0], their_columns_[1], kept, stamp, context);
  context.info(fmt::format("{}: {} rows, {} of them without a position; index {}", table_->name(),
                           table_->rows(), sky_->without_position(),
                           sky_->was_kept() ? "made before" : "made"));
}

void CatalogJoin::open_keys(const std::filesystem::path& kept, const std::string& stamp,
                            qsohost::Context& context) {
  their_columns_.clear();
  as_texts_.clear();
  for (std::size_t i = 0; i < key->size(); ++i) {
    their_columns_.push_back(qsohost::find_id(*table_, their_names()[i], "their_key"));
    const qsohost::Schema::Entry* ours = context.run().schema.find("", (*key)[i]);
    const bool is_text = table_->columns()[their_columns_.back()].info.dtype == DType::String ||
                         (ours != nullptr && ours->port.dtype == DType::String);
    as_texts_.push_back(is_text ? 1 : 0);
  }
  choose_columns(context);
  keys_.emplace(*table_, KeyIndex::Columns{their_columns_, as_texts_}, *null_values, kept, stamp,
                context);
  report_keys(context);
}

void CatalogJoin::report_keys(qsohost::Context& context) const {
  const KeyIndex::Facts& facts = keys_->facts();
  context.info(fmt::format("{}: {} rows, {} of them without a key; index {}", table_->name(),
                           table_->rows(), facts.without_key,
                           keys_->was_kept() ? "made before" : "made"));
  if (facts.repeated_keys == 0) return;
  context.warn(fmt::format("{}: {} keys are in several rows, {} rows in all, such as {} and {}; {}",
                           table_->name(), facts.repeated_keys, facts.rows_of_repeated,
                           table_->place(facts.first), table_->place(facts.last),
                           *duplicates == Duplicates::Best
                               ? "of each key the first row is taken"
                               : "objects with such a key are bad objects"));
}

std::vector<Answer> CatalogJoin::by_position(const qsohost::Batch& batch) {
  const Column& ras = batch.objects().at(*ra);
  const Column& decs = batch.objects().at(*dec);
  std::vector<Answer> answers(batch.rows());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const double object_ra = ras.number(i);
    const double object_dec = decs.number(i);
    if (!qsohost::is_on_sky(object_ra, object_dec)) {
      answers[i].why_not = "it has no position";
      continue;
    }
    answers[i].was_asked = true;
    answers[i].match = sky_->find(object_ra, object_dec, *radius_arcsec);
    if (!answers[i].match) {
      answers[i].why_not = fmt::format("no row within {} arcsec", *radius_arcsec);
    }
  }
  return answers;
}

std::vector<Answer> CatalogJoin::by_key(const qsohost::Batch& batch) {
  std::vector<const Column*> columns_of_key;
  for (const std::string& name : *key) columns_of_key.push_back(&batch.objects().at(name));
  const Keys ours(columns_of_key, as_texts_, *null_values);
  std::vector<Answer> answers(batch.rows());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (ours.is_missing(i)) {
      answers[i].why_not = "it has no key";
      continue;
    }
    answers[i].was_asked = true;
    answers[i].match = keys_->find(ours, i);
    if (!answers[i].match) answers[i].why_not = fmt::format("no row has its key {}", ours.text(i));
  }
  return answers;
}

Ending CatalogJoin::ending_of(const Answer& answer) const {
  if (!answer.match) return {Outcome::NotFound, answer.why_not};
  if (*duplicates == Duplicates::Best || !answer.match->another) return {};
  return {Outcome::BadObject,
          fmt::format("{} and {} of {} match it: remove one, or duplicates = \"best\"",
                      table_->place(answer.match->row), table_->place(*answer.match->another),
                      table_->name())};
}

void CatalogJoin::fetch(qsohost::Batch& batch, qsohost::Outcomes& outcomes) {
  const std::vector<Answer> answers = is_by_position() ? by_position(batch) : by_key(batch);
  std::vector<std::optional<std::uint64_t>> rows(answers.size());
  qsohost::Counts& counts = outcomes.counts();
  outcomes.end_each(batch, [&](const qsohost::Object& object) {
    const Answer& answer = answers[object.row()];
    Ending ending = ending_of(answer);
    if (ending.outcome == Outcome::Matched) {
      rows[object.row()] = answer.match->row;
      if (is_by_position()) {
        batch.objects().at(separation()).values<double>()[object.row()] = answer.match->separation;
      }
    }
    if (answer.match && answer.match->another) {
      counts.add("objects", is_by_position() ? "with several rows in the radius"
                                             : "whose key is in several rows");
    }
    if (!answer.was_asked) {
      counts.add("objects", is_by_position() ? "without a position" : "without a key");
    }
    return ending;
  });
  joined_->put(*table_, rows, batch.objects(), counts);
}

void CatalogJoin::close() noexcept {
  keys_.reset();
  sky_.reset();
  joined_.reset();
  table_.reset();
}

}  // namespace

QSOHOST_PLUGIN("catalog-join", QSOHOST_VERSION,
               qsohost::stage<CatalogJoin>(
                   "catalog-join", "columns of another catalogue, joined by key or by position"));
