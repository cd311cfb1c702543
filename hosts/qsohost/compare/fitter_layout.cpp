#include "compare/fitter_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "qsohost/light_curve_fitter.hpp"

namespace qsohost::cli {
namespace {

constexpr std::string_view kMarginal = "marginal";  // value of option mean, in all fitters

std::string mean_of(const Stage& stage) {
  for (const OptionBase* option : stage.options()) {
    if (option->name() != "mean") continue;
    const OptionValue value = option->value();
    const auto* scalar = std::get_if<OptionValue::Scalar>(&value.data);
    const auto* text = scalar == nullptr ? nullptr : std::get_if<std::string>(scalar);
    if (text != nullptr) return *text;
  }
  return "";
}

}  // namespace

FitterLayout layout_of(const ChainStage& stage, std::size_t index) {
  FitterLayout layout{stage.label, index, {}, {}, mean_of(*stage.stage)};
  const std::size_t skip = stage.label.size() + 1;
  for (const Port& port : stage.ports.added()) {
    if (!port.group.empty() || !port.name.starts_with(stage.label + ".")) continue;
    const std::size_t dot = port.name.rfind('.');
    const std::string group = dot < skip ? "" : port.name.substr(skip, dot - skip);
    if (std::ranges::find(layout.groups, group) == layout.groups.end())
      layout.groups.push_back(group);
    // Results with several values per object are not compared.
    if (port.width == 1) layout.results.emplace(port.name.substr(dot + 1), port);
  }
  return layout;
}

bool is_compared(const std::string& name) {
  const auto is_that = [&](const ResultColumn& c) { return c.name == name; };
  const bool is_of_kept = name.ends_with("_post") || name.find("_post_") != std::string::npos;
  return !is_of_kept && !name.starts_with("err_") && name != "n_parameters" &&
         std::ranges::none_of(fit_column::kEveryCurve, is_that);
}

bool is_likelihood(const std::string& name) {
  return name.starts_with("loglike") || name.starts_with("aic") || name.starts_with("bic");
}

bool are_alike(const FitterLayout& a, const FitterLayout& b) {
  return (a.mean == kMarginal) == (b.mean == kMarginal);
}

std::string note_on_means(const FitterLayout& a, const FitterLayout& b) {
  if (a.mean == b.mean || !a.has("loglike") || !b.has("loglike")) return "";
  const auto mean = [](const FitterLayout& layout) {
    return layout.mean.empty() ? layout.label + " has no option mean"
                               : fmt::format("{} has mean = \"{}\"", layout.label, layout.mean);
  };
  const std::string differ = fmt::format("{}, {}: ", mean(a), mean(b));
  if (!are_alike(a, b)) {
    return differ +
           "a likelihood integrated over the mean cannot be compared with one at a mean, so "
           "loglike, "
           "AIC and BIC are left out; set the same mean for both";
  }
  return differ + "likelihoods differ by that alone; set the same mean for both";
}

}  // namespace qsohost::cli
