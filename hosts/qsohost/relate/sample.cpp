#include "relate/sample.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <utility>

#include "nan.hpp"
#include "qsohost/error.hpp"
#include "qsohost/io/text.hpp"
#include "qsohost/names.hpp"
#include "relate/cut.hpp"
#include "relate/object_columns.hpp"
#include "relate/wavelength.hpp"

namespace qsohost::cli {
namespace {

// The fit did not converge, the light curve is of two sources, or ou-loo gave it up because it
// would have removed too much. All other flags are of fits that say little, which their posteriors
// tell.
constexpr std::int32_t kBadData = 8 | 8388608 | 16777216;

constexpr std::string_view kFromZ[] = {"log1pz", "loglambda"};

bool is_from_z(std::string_view name) {
  return std::ranges::find(kFromZ, name) != std::end(kFromZ);
}

// Names of the columns of a fit product; err, of y, is empty if there is none.
struct FitColumns {
  std::string ln_sigma, ln_tau, err;
};

FitColumns fit_columns(const Product& fit, const Quantity& y) {
  const auto sigma = first_column(fit, {"log_sigma_post", "log_sigma"});
  const auto tau = first_column(fit, {"log_tau_post", "log_tau"});
  if (!sigma || !tau) {
    throw UsageError(fmt::format(
        "--fit {}: {} has no log_sigma and log_tau: no fit of a damped random walk; take a product "
        "of ou-fit or ou-loo",
        fit.extension, fit.file.string()));
  }
  std::string err = "err_" + *sigma;
  if (y.name == kLogTau.name) err = "err_" + *tau;
  if (y.name == kLogD.name) err = first_column(fit, {"err_logD_post", "err_logD"}).value_or("");
  return {*sigma, *tau, first_column(fit, {err}).value_or("")};
}

std::string frame_of(const Product& fit, const std::string& column) {
  for (const InputColumn& c : fit.columns) {
    if (c.info.name != column) continue;
    for (const char* frame : {"rest frame", "observed frame"}) {
      if (c.info.description.find(frame) != std::string::npos) return frame;
    }
  }
  return "";
}

std::vector<ObjectTable> tables_for(const RunProducts& run, const Product& fit,
                                    const SampleOptions& options) {
  std::vector<ObjectTable> tables{{fit}};
  if (!options.catalog.empty()) tables.push_back(open_table(options.catalog, options.catalog_id));
  for (const Product* product : run.of_kind(ProductKind::Catalogue)) tables.push_back({*product});
  return tables;
}

// Catalogues write numbers in place of none. 0 is one where a logarithm is meant: of luminosities
// and masses.
bool stands_for_none(double value, std::string_view column) {
  if (value == 0) return lower_case(column).find("log") != std::string::npos;
  return value == -99 || value == -999 || value == -9999 || value == -99999;
}

// The columns of a sample by the names of the user, read from the tables at once.
class NamedColumns {
 public:
  NamedColumns(ObjectColumns& objects, double wavelength)
      : objects_(objects), wavelength_(wavelength) {}

  void want(const std::string& name, std::string_view option) {
    if (is_from_z(name)) {
      want("z", option);
      return;
    }
    if (position_of(name)) return;
    names_.push_back(name);
    found_.push_back(find_object_column(name, objects_.tables(), option));
  }
  void want_own(const std::string& name) {
    names_.push_back(name);
    found_.push_back({0, name});
  }

  void read() {
    values_ = objects_.read(found_);
    none_.assign(found_.size(), 0);
    for (std::size_t k = 0; k < found_.size(); ++k) {
      if (found_[k].table == 0) continue;  // products of fitters have NaN
      for (double& value : values_[k]) {
        if (!stands_for_none(value, found_[k].column)) continue;
        value = kNan;
        ++none_[k];
      }
    }
    use_catalogues_z();
  }

  std::vector<double> of(const std::string& name) const {
    if (!is_from_z(name)) return values_.at(*position_of(name));
    std::vector<double> out = values_.at(*position_of("z"));
    for (double& z : out) {
      if (!(z > -1)) z = kNan;
      z = name == "log1pz" ? std::log10(1 + z) : std::log10(wavelength_ / (1 + z));
    }
    return out;
  }

  std::string origin(const std::string& name) const {
    if (is_from_z(name)) return origin("z");
    const FoundColumn& from = found_.at(*position_of(name));
    return fmt::format("{} of {}", from.column,
                       objects_.tables()[from.table].product.file.filename().string());
  }

  std::vector<std::string> notes() const {
    std::vector<std::string> out = objects_.notes();
    for (std::size_t k = 0; k < none_.size(); ++k) {
      if (none_[k] == 0) continue;
      out.push_back(fmt::format("{}: {} values of objects stand for none (such as -999, 0)",
                                origin(names_[k]), none_[k]));
    }
    return out;
  }

 private:
  std::optional<std::size_t> position_of(const std::string& name) const {
    const auto at = std::ranges::find(names_, name);
    if (at == names_.end()) return std::nullopt;
    return static_cast<std::size_t>(at - names_.begin());
  }

  // A fit in the observed frame has no z of its own.
  void use_catalogues_z() {
    const auto at = position_of("z");
    if (!at || found_[*at].table != 0 || objects_.tables().size() == 1) return;
    if (std::ranges::any_of(values_[*at], [](double z) { return std::isfinite(z); })) return;
    found_[*at] = find_object_column("z", std::span(objects_.tables()).subspan(1), "--x");
    ++found_[*at].table;
    values_[*at] = objects_.read(std::span(&found_[*at], 1)).front();
  }

  ObjectColumns& objects_;
  double wavelength_;
  std::vector<std::string> names_;
  std::vector<FoundColumn> found_;
  std::vector<std::vector<double>> values_;
  std::vector<std::size_t> none_;  // values that stand for none
};

// Leaves rows out, for the first reason that holds.
class Selection {
 public:
  explicit Selection(Sample& sample) : sample_(sample) { sample_.why.assign(sample.y.size(), 0); }

  template <class IsOut>
  void leave_out(const std::string& reason, const IsOut& is_out) {
    sample_.reasons.push_back(reason);
    if (sample_.reasons.size() > 250) throw UsageError("--cut: there can be 200 at most");
    const auto number = static_cast<std::uint8_t>(sample_.reasons.size());
    for (std::size_t i = 0; i < sample_.why.size(); ++i) {
      if (sample_.why[i] == 0 && is_out(i)) sample_.why[i] = number;
    }
  }

 private:
  Sample& sample_;
};

void set_quantities(Sample& sample, const FitColumns& fit, const NamedColumns& columns) {
  const std::vector<double> ln_sigma = columns.of(fit.ln_sigma), ln_tau = columns.of(fit.ln_tau);
  const std::size_t n = ln_sigma.size();
  sample.y_err.assign(n, kNan);
  if (!fit.err.empty()) sample.y_err = columns.of(fit.err);
  for (double& err : sample.y_err) err /= std::numbers::ln10;
  for (std::size_t i = 0; i < n; ++i) {
    sample.y.push_back(sample.y_quantity.of(ln_sigma[i], ln_tau[i]));
    sample.partner.push_back(sample.partner_quantity.of(ln_sigma[i], ln_tau[i]));
  }
}

void select(Sample& sample, const SampleOptions& options, const std::vector<Cut>& cuts,
            const NamedColumns& columns) {
  Selection selection(sample);
  selection.leave_out("not fitted", [&](std::size_t i) { return !std::isfinite(sample.y[i]); });
  const std::vector<double> flags = columns.of("flags");
  selection.leave_out("flagged: no convergence, two sources, or given up", [&](std::size_t i) {
    const bool are_bits = flags[i] > 0 && flags[i] <= std::numeric_limits<std::int32_t>::max();
    return are_bits && (static_cast<std::int32_t>(flags[i]) & kBadData) != 0;
  });
  for (std::size_t k = 0; k < options.x.size(); ++k) {
    const std::vector<double>& x = sample.x[k];
    selection.leave_out("no " + options.x[k], [&](std::size_t i) { return !std::isfinite(x[i]); });
    const auto least = options.min_valid.find(options.x[k]);
    if (least == options.min_valid.end()) continue;
    selection.leave_out(fmt::format("{} below {}", options.x[k], least->second),
                        [&](std::size_t i) { return x[i] < least->second; });
  }
  for (const Cut& cut : cuts) {
    std::vector<std::vector<double>> values;
    for (const std::string& name : cut.columns()) values.push_back(columns.of(name));
    std::vector<double> row(values.size());
    selection.leave_out("outside '" + cut.text() + "'", [&](std::size_t i) {
      for (std::size_t k = 0; k < row.size(); ++k) row[k] = values[k][i];
      return !cut.holds(row);
    });
  }
}

// The value of an option of the stage that made a product, as its HISTORY tells it.
std::string option_of(const Product& fit, const std::string& option) {
  const std::string beginning = fmt::format("{}.{} = ", fit.stage, option);
  for (const std::string& line : fit.history) {
    if (line.starts_with(beginning)) return line.substr(beginning.size());
  }
  return "";
}

// "[0.1, 10000.0]"
std::optional<std::pair<double, double>> two_numbers(std::string_view text) {
  const std::size_t comma = text.find(',');
  if (comma == text.npos || text.front() != '[' || text.back() != ']') return std::nullopt;
  const auto low = parse_double(trimmed(text.substr(1, comma - 1)));
  const auto high = parse_double(trimmed(text.substr(comma + 1, text.size() - comma - 2)));
  if (!low || !high || !(*low > 0 && *high > *low && std::isfinite(*high))) return std::nullopt;
  return std::pair(*low, *high);
}

PosteriorSetup setup_of(const Product& fit) {
  const std::string prior = option_of(fit, "prior");
  const auto bounds = two_numbers(option_of(fit, "tau_bounds"));
  if (prior.empty() || !bounds) {
    throw RunError(fmt::format(
        "{}: its HISTORY does not say {}.prior and {}.tau_bounds, by which the posteriors have to "
        "be read; take the product as the chain wrote it",
        fit.file.filename().string(), fit.stage, fit.stage));
  }
  return {prior.find("log-uniform") != std::string::npos, std::log(bounds->first),
          std::log(bounds->second)};
}

void require_nodes(const Product& product) {
  if (first_column(product, {"posterior_log_weight"})) return;
  throw RunError(
      fmt::format("{} has no nodes of posteriors; set 'posterior = \"quadrature\"' at the stage "
                  "'{}' of the chain and run it again (--restart)",
                  product.file.filename().string(), product.stage));
}

void check_min_valid(const SampleOptions& options) {
  for (const auto& [name, least] : options.min_valid) {
    if (std::ranges::find(options.x, name) != options.x.end()) continue;
    throw UsageError(
        fmt::format("--min-valid: '{}' is not among the regressors of --x{}; write it as there, or "
                    "use --cut",
                    name, did_you_mean(name, options.x)));
  }
}

}  // namespace

std::vector<std::size_t> Sample::used() const {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < why.size(); ++i) {
    if (why[i] == 0) rows.push_back(i);
  }
  return rows;
}

Quantity quantity_called(const std::string& name) {
  for (const Quantity& quantity : {kLogD, kLogTau, kLogSigma}) {
    if (lower_case(name) == lower_case(quantity.name)) return quantity;
  }
  throw UsageError(
      fmt::format("--y: '{}' is not a quantity of fits; choose logD, logtau or logsigma", name));
}

bool has_sigma_and_tau(const Product& fit) {
  return first_column(fit, {"log_sigma_post", "log_sigma"}) &&
         first_column(fit, {"log_tau_post", "log_tau"});
}

Sample read_sample(const RunProducts& run, const Product& fit, const SampleOptions& options) {
  check_min_valid(options);
  Sample sample;
  sample.fits = {fit.extension};
  sample.products = {fit};
  sample.y_quantity = quantity_called(options.y);
  sample.partner_quantity = sample.y_quantity.name == kLogTau.name ? kLogD : kLogTau;
  sample.x_name = options.x;
  std::vector<Cut> cuts;
  for (const std::string& text : options.cuts) cuts.emplace_back(text, "--cut");
  const FitColumns own = fit_columns(fit, sample.y_quantity);
  sample.frame = frame_of(fit, own.ln_tau);

  const bool needs_wavelength = std::ranges::find(options.x, "loglambda") != options.x.end();
  const double wavelength = needs_wavelength ? wavelength_of(fit.group, options.wavelength) : kNan;
  ObjectColumns objects(tables_for(run, fit, options));
  NamedColumns columns(objects, wavelength);
  for (const std::string& name : {own.ln_sigma, own.ln_tau, own.err, std::string("flags")}) {
    if (!name.empty()) columns.want_own(name);
  }
  for (const std::string& name : options.x) columns.want(name, "--x");
  for (const Cut& cut : cuts) {
    for (const std::string& name : cut.columns()) columns.want(name, "--cut");
  }
  columns.want("z", "--x");
  columns.read();

  set_quantities(sample, own, columns);
  sample.source_id = objects.ids();
  sample.fit.assign(objects.rows(), 0);
  sample.z = columns.of("z");
  for (const std::string& name : options.x) {
    sample.x.push_back(columns.of(name));
    sample.x_from.push_back(columns.origin(name));
  }
  select(sample, options, cuts, columns);
  sample.notes = columns.notes();
  return sample;
}

void append(Sample& all, Sample more) {
  const auto add = [](auto& to, const auto& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  for (std::size_t& fit : more.fit) fit += all.fits.size();
  add(all.fits, more.fits);
  add(all.products, more.products);
  add(all.source_id, more.source_id);
  add(all.fit, more.fit);
  add(all.y, more.y);
  add(all.y_err, more.y_err);
  add(all.partner, more.partner);
  add(all.z, more.z);
  add(all.why, more.why);  // the reasons are those of the options, hence the same
  for (std::size_t k = 0; k < all.x.size(); ++k) add(all.x[k], more.x[k]);
  for (const std::string& note : more.notes) {
    if (std::ranges::find(all.notes, note) == all.notes.end()) all.notes.push_back(note);
  }
}

SamplePosteriors read_posteriors(const Sample& sample, const std::vector<std::size_t>& rows) {
  const std::vector<std::string> names{"posterior_log_sigma", "posterior_log_tau",
                                       "posterior_log_weight"};
  constexpr std::uint64_t kBlock = 1024;  // rows, of up to 64 nodes each
  SamplePosteriors out{{sample.y_quantity, sample.partner_quantity}, {}};
  std::size_t first = 0;  // row of the sample at which a product begins
  auto next = rows.begin();
  for (const Product& product : sample.products) {
    require_nodes(product);
    const PosteriorSetup setup = setup_of(product);
    const auto visit = [&](const Rows& block) {
      block.require_equal_lengths({0, 1, 2});
      const std::vector<double> sigma = block.array_numbers(0), tau = block.array_numbers(1),
                                weight = block.array_numbers(2);
      std::size_t at = 0;
      for (std::uint64_t i = 0; i < block.count; ++i) {
        const std::size_t row = first + block.first + i, length = block.length(0, i);
        const auto of_row = [&](const std::vector<double>& values) {
          return std::span(values).subspan(at, length);
        };
        const bool is_wanted = next != rows.end() && *next == row;
        if (is_wanted) ++next;
        if (is_wanted && out.nodes.add(setup, of_row(sigma), of_row(tau), of_row(weight))) {
          out.rows.push_back(row);
        }
        at += length;
      }
    };
    each_block(product, names, visit, kBlock);
    first += product.rows;
  }
  return out;
}

}  // namespace qsohost::cli
