#include "report/run_products.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ranges>
#include <system_error>

#include "nan.hpp"
#include "qsohost/error.hpp"

namespace qsohost::cli {
namespace {

namespace fs = std::filesystem;

bool has(const Product& product, std::string_view name) {
  return std::ranges::any_of(product.columns,
                             [&](const InputColumn& c) { return c.info.name == name; });
}

bool has_any_like(const Product& product, std::string_view beginning) {
  return std::ranges::any_of(
      product.columns, [&](const InputColumn& c) { return c.info.name.starts_with(beginning); });
}

// Products of fitters have the extension STAGE.GROUP, joint ones STAGE.
void name_fit(Product& product) {
  const std::size_t dot = product.extension.find('.');
  product.stage = product.extension.substr(0, dot);
  if (dot != std::string::npos) product.group = product.extension.substr(dot + 1);
}

ProductKind kind_of(const Product& product) {
  if (!has(product, "source_id")) return ProductKind::Other;
  if (!product.epochs.groups.empty()) return ProductKind::LightCurves;
  const bool is_grouped = product.extension.find('.') != std::string::npos;
  if (is_grouped && has(product, "n_epochs") && has(product, "flags")) return ProductKind::Fit;
  if (has(product, "log_tau") && has_any_like(product, "log_sigma_")) return ProductKind::JointFit;
  // A chain of light curves without positions has a catalogue, too: it has its name from fits-sink.
  if (product.extension == "catalog") return ProductKind::Catalogue;
  if (has(product, "ra") && has(product, "dec")) return ProductKind::Catalogue;
  return ProductKind::Other;
}

// The facts of a chain, one a line: "stage raw = fits-sink (...)", then "raw.what = ...". A long
// line takes several cards, and a card that ends with a blank does not tell that it goes on.
std::vector<std::string> chain_lines(const std::string& history) {
  std::vector<std::string> lines;
  std::string label = "chain";
  for (const auto part : std::views::split(history, '\n')) {
    const std::string line(part.begin(), part.end());
    if (line.empty()) continue;
    const bool is_stage = line.starts_with("stage ");
    if (is_stage) label = line.substr(6, line.find(" = ") - 6);
    if (lines.empty() || is_stage || line.starts_with(label + ".")) {
      lines.push_back(line);
    } else {
      lines.back() += " " + line;
    }
  }
  return lines;
}

Product read_product(const fs::path& file) {
  const InputTable table(file);
  Product product{.file = file, .rows = table.rows(), .columns = table.columns()};
  product.extension = table.keyword("EXTNAME").value_or("");
  product.epochs = read_epoch_keywords(table);
  product.kind = kind_of(product);
  if (product.kind == ProductKind::Fit || product.kind == ProductKind::JointFit) name_fit(product);
  product.history = chain_lines(table.keyword("HISTORY").value_or(""));
  return product;
}

std::vector<fs::path> fits_files(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw UsageError(
        fmt::format("{}: not a folder; name the run directory of a chain, where its "
                    "products are",
                    folder.string()));
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".fits") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

RunProducts::RunProducts(const fs::path& folder) : folder_(folder) {
  for (const fs::path& file : fits_files(folder)) {
    // Opening a pipe would wait for ever.
    if (std::error_code error; !fs::is_regular_file(file, error)) {
      left_out_.push_back(fmt::format("{}: {}", file.filename().string(),
                                      error ? error.message() : "not a regular file"));
      continue;
    }
    try {
      Product product = read_product(file);
      if (product.kind == ProductKind::Other) {
        left_out_.push_back(
            fmt::format("{}: no product of a chain that is known here", file.filename().string()));
      }
      products_.push_back(std::move(product));
    } catch (const RunError& error) {
      left_out_.emplace_back(error.what());
    }
  }
  if (fs::exists(folder / ".qsohost" / "run.db")) status_ = run_status(folder);
  if (status_) chain_ = status_->chain;
  for (const Product& product : products_) {
    if (!chain_.empty()) break;
    chain_ = InputTable(product.file).keyword("CHAIN").value_or("");
  }
}

std::vector<const Product*> RunProducts::of_kind(ProductKind kind) const {
  std::vector<const Product*> out;
  for (const Product& product : products_) {
    if (product.kind == kind) out.push_back(&product);
  }
  return out;
}

const Column& Rows::one_per_row(std::size_t column) const {
  const Cells& cells = columns.at(column);
  if (cells.lengths.empty() && cells.values.width() == 1) return cells.values;
  throw RunError(
      fmt::format("{}: column '{}' holds several values a row, but must hold one; write the "
                  "product again, or name another column",
                  file.string(), cells.values.name()));
}

void Rows::require_equal_lengths(std::initializer_list<std::size_t> of) const {
  for (const std::size_t column : of) {
    for (std::uint64_t row = 0; row < count; ++row) {
      const std::uint64_t wanted = length(*of.begin(), row), there = length(column, row);
      if (there == wanted) continue;
      throw RunError(fmt::format(
          "{}: row {}: column '{}' has {} values, but '{}' has {}; write the product again",
          file.string(), first + row + 1, columns.at(*of.begin()).values.name(), wanted,
          columns.at(column).values.name(), there));
    }
  }
}

std::vector<double> Rows::numbers(std::size_t column) const {
  one_per_row(column);
  return array_numbers(column);
}

std::vector<double> Rows::array_numbers(std::size_t column) const {
  const Column& values = columns.at(column).values;
  std::vector<double> out(values.size() * values.width());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = values.dtype() == DType::String ? kNan : values.number(i);
  }
  return out;
}

std::vector<std::string> Rows::texts(std::size_t column) const {
  const Column& values = one_per_row(column);
  std::vector<std::string> out(values.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (values.dtype() == DType::String) {
      out[i] = values.strings()[i];
    } else if (values.is_null(i)) {
      continue;
    } else if (values.dtype() == DType::I64) {
      out[i] = std::to_string(values.values<std::int64_t>()[i]);
    } else {
      out[i] = fmt::format("{}", values.number(i));
    }
  }
  return out;
}

std::uint64_t Rows::length(std::size_t column, std::uint64_t row) const {
  const Cells& cells = columns.at(column);
  return cells.lengths.empty() ? cells.values.width() : cells.lengths[row];
}

void each_block(const Product& product, std::span<const std::string> columns,
                const std::function<void(const Rows&)>& visit, std::uint64_t block) {
  InputTable table(product.file);
  std::vector<std::size_t> positions;
  const std::vector<std::string> names = table.column_names();
  for (const std::string& column : columns) {
    const auto at = std::ranges::find(names, column);
    if (at == names.end()) {
      throw RunError(
          fmt::format("{}: no column '{}', which a product of this kind must have; make it again",
                      product.file.string(), column));
    }
    positions.push_back(static_cast<std::size_t>(at - names.begin()));
  }
  for (std::uint64_t first = 0; first < table.rows(); first += block) {
    const std::uint64_t count = std::min(block, table.rows() - first);
    visit(Rows{first, count, table.read(first, count, positions), product.file});
  }
}

std::optional<std::string> first_column(const Product& product,
                                        std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (has(product, name)) return std::string(name);
  }
  return std::nullopt;
}

}  // namespace qsohost::cli
