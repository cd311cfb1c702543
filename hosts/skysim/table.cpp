#include "table.hpp"

#include <fmt/format.h>

#include <atomic>
#include <cmath>
#include <exception>
#include <fstream>
#include <numeric>
#include <sstream>
#include <thread>

#include "nan.hpp"
#include "qsohost/error.hpp"
#include "random.hpp"

namespace qsohost::skysim {

namespace {

// Contents of a column, parsed from columns/*.tsv.
struct Fill {
  std::string kind;
  std::string text;
  double a = 0;
  double b = 0;
  double missing = 0;
  double zero = 0;
};

Fill parse_fill(const std::string& text) {
  Fill fill;
  std::istringstream in(text);
  in >> fill.kind;
  if (fill.kind == "missing" || fill.kind == "sparse") {
    in >> (fill.kind == "missing" ? fill.missing : fill.zero) >> fill.kind;
  }
  if (fill.kind == "text") {
    in >> fill.text;
  } else {
    in >> fill.a >> fill.b;
  }
  return fill;
}

double number(const Fill& fill, Random& random, double redshift) {
  if (random.chance(fill.missing)) return kNan;
  if (random.chance(fill.zero)) return 0;
  if (fill.kind == "constant") return fill.a;
  if (fill.kind == "uniform") return random.uniform(fill.a, fill.b);
  if (fill.kind == "normal") return random.normal(fill.a, fill.b);
  if (fill.kind == "lognormal") return fill.a * std::pow(10, fill.b * random.normal());
  if (fill.kind == "chance") return random.chance(fill.a) ? 1 : 0;
  if (fill.kind == "integer") {
    return static_cast<double>(
        random.integer(static_cast<std::int64_t>(fill.a), static_cast<std::int64_t>(fill.b)));
  }
  if (fill.kind == "redshift") {
    return random.chance(fill.a) ? redshift + 0.002 * (1 + redshift) * random.normal() : -1;
  }
  throw RunError(fmt::format("columns/*.tsv: no rule '{}'", fill.kind));
}

}  // namespace

Table::Table(std::string_view name) : name_(name), specs_(columns_of(name)) {
  for (const ColumnSpec& spec : specs_) {
    places_[spec.info.name] = columns_.size();
    columns_.emplace_back(spec.info);
    if (!spec.axis.empty()) offsets_[spec.axis] = {0};
  }
}

Column& Table::at(std::string_view column) {
  const auto it = places_.find(column);
  if (it == places_.end()) {
    throw RunError(fmt::format("table {} has no column '{}'", name_, column));
  }
  return columns_[it->second];
}

void Table::append_number(Column& column, double value) {
  if (std::isnan(value)) return column.append_null();
  switch (column.dtype()) {
    case DType::Bool:
      return column.append<bool>(value != 0);
    case DType::I16:
      return column.append<std::int16_t>(static_cast<std::int16_t>(value));
    case DType::I32:
      return column.append<std::int32_t>(static_cast<std::int32_t>(value));
    case DType::I64:
      return column.append<std::int64_t>(static_cast<std::int64_t>(value));
    case DType::F32:
      return column.append<float>(static_cast<float>(value));
    case DType::F64:
      return column.append<double>(value);
    case DType::String:
      throw RunError(fmt::format("column '{}' holds texts", column.name()));
  }
}

void Table::fill_rest(std::uint64_t seed, std::uint64_t first_row, std::size_t rows,
                      const std::function<double(std::size_t)>& redshift) {
  for (std::size_t k = 0; k < specs_.size(); ++k) {
    Column& column = columns_[k];
    if (!specs_[k].axis.empty() || column.size() == rows) continue;
    if (specs_[k].fill == "code") {
      throw RunError(fmt::format("table {}: column '{}' was not filled", name_, column.name()));
    }
    const Fill fill = parse_fill(specs_[k].fill);
    column.reserve(rows);
    for (std::size_t row = 0; row < rows; ++row) {
      Random random(seed, Stream::Catalogue, {specs_.size(), k, first_row + row});
      for (std::size_t i = 0; i < column.width(); ++i) {
        if (fill.kind == "text") {
          column.append_string(random.chance(fill.missing) ? "" : fill.text);
        } else {
          append_number(column, number(fill, random, redshift ? redshift(row) : 0));
        }
      }
    }
  }
}

void Table::end_row(std::string_view axis) {
  for (std::size_t k = 0; k < specs_.size(); ++k) {
    if (specs_[k].axis != axis) continue;
    return offsets_.find(axis)->second.push_back(columns_[k].size());
  }
}

std::size_t Table::rows() const {
  return columns_.front().size();
}

void Table::write(const std::filesystem::path& file) const {
  std::vector<FitsColumn> columns;
  for (std::size_t k = 0; k < specs_.size(); ++k) {
    FitsColumn& column = columns.emplace_back(FitsColumn{specs_[k].info, &columns_[k], {}});
    if (!specs_[k].axis.empty()) column.offsets = offsets_.at(specs_[k].axis);
  }
  std::vector<std::size_t> all(rows());
  std::iota(all.begin(), all.end(), std::size_t{0});
  write_fits_table(file, {.extension = name_, .keywords = {}, .history = {}}, columns, all);
}

TableParts::TableParts(std::filesystem::path file, std::string table)
    : file_(std::move(file)), table_(std::move(table)) {}

TableParts::~TableParts() {
  std::error_code ignored;
  for (const auto& [number, path] : parts_) std::filesystem::remove(path, ignored);
}

void TableParts::add(std::uint64_t number, const Table& piece) {
  std::filesystem::path path = file_;
  path += fmt::format(".part{}", number);
  {
    const std::lock_guard lock(mutex_);
    parts_[number] = path;
  }
  piece.write(path);
}

void TableParts::merge(const std::string& sort_by, std::vector<FitsKeyword> keywords) {
  std::vector<std::filesystem::path> paths;
  for (const auto& [number, path] : parts_) paths.push_back(path);
  std::filesystem::path whole = file_;
  whole += ".new";
  merge_fits_tables(
      paths, whole,
      {.extension = table_, .keywords = std::move(keywords), .history = {"made by skysim"}},
      {.column = sort_by});
  std::filesystem::rename(whole, file_);
}

void append_hdu(const std::filesystem::path& file, const std::filesystem::path& table) {
  constexpr std::streamoff block = 2880;  // what FITS files consist of
  constexpr std::streamoff card = 80;
  std::ifstream in(table, std::ios::binary);
  std::string text(card, ' ');
  // An HDU is complete in itself: all but the primary one, which is a header that ends with END.
  std::streamoff header = 0;
  do {
    in.read(text.data(), card);
    header += card;
  } while (in && !text.starts_with("END "));
  in.seekg((header + block - 1) / block * block);
  std::ofstream out(file, std::ios::binary | std::ios::app);
  out << in.rdbuf();
  out.close();
  if (!in || !out) throw RunError(fmt::format("{}: cannot be written", file.string()));
}

void in_parallel(std::uint64_t count, unsigned threads,
                 const std::function<void(std::uint64_t)>& work) {
  std::atomic<std::uint64_t> next{0};
  std::exception_ptr error;
  std::mutex mutex;
  const auto worker = [&] {
    try {
      for (std::uint64_t i = next++; i < count; i = next++) work(i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
      next = count;
    }
  };
  {
    std::vector<std::jthread> others;
    for (unsigned t = 1; t < threads; ++t) others.emplace_back(worker);
    worker();
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace qsohost::skysim
