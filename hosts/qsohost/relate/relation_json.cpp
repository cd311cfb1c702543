#include <cmath>

#include "json_text.hpp"
#include "relate/relation_files.hpp"

namespace qsohost::cli {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

// Of the only regressor itself, of several by name.
Json by_name(const Sample& sample, const std::vector<double>& values) {
  if (values.size() == 1) return number(values.front());
  Json out;
  for (std::size_t k = 0; k < values.size(); ++k) out[sample.x_name[k]] = number(values[k]);
  return out;
}

Json of_line(const Sample& sample, const RobustFit& fit, double intrinsic) {
  return {{"n", fit.n},
          {"slope", by_name(sample, fit.slope)},
          {"slope_err", by_name(sample, fit.slope_err)},
          {"intercept", number(fit.intercept)},
          {"intercept_err", number(fit.intercept_err)},
          {"intercept_at", by_name(sample, fit.centre)},
          {"scatter", number(intrinsic)},
          {"mad_residuals", number(fit.scatter)},
          {"sd_residuals", number(fit.sd)},
          {"converged", fit.has_converged}};
}

Json of_population(const Sample& sample, const Population& p) {
  return {{"slope", by_name(sample, p.slope)}, {"slope_err", by_name(sample, p.slope_err)},
          {"intercept", number(p.intercept)},  {"intercept_err", number(p.intercept_err)},
          {"scatter", number(p.scatter)},      {"scatter_err", number(p.scatter_err)}};
}

Json of_hierarchical(const Sample& sample, const HierarchicalFit& fit) {
  Json out{{"n", fit.n}};
  out.update(of_population(sample, fit.y));
  out["intercept_at"] = by_name(sample, fit.centre);
  out["partner"] = {{"quantity", sample.partner_quantity.name}};
  out["partner"].update(of_population(sample, fit.partner));
  out["partner"]["correlation"] = number(fit.correlation);
  out["partner"]["correlation_err"] = number(fit.correlation_err);
  out["ln_likelihood"] = number(fit.ln_likelihood);
  out["converged"] = fit.has_converged;
  return out;
}

Json of_relation(const Relation& r) {
  const Sample& sample = r.sample;
  Json out{{"fits", sample.fits},     {"y", y_label(sample)},
           {"x", sample.x_name},      {"x_from", sample.x_from},
           {"rows", sample.y.size()}, {"rows_used", sample.used().size()}};
  out["left_out"] = Json::object();
  const std::vector<std::size_t> counts = counts_by_reason(sample);
  for (std::size_t k = 0; k < counts.size(); ++k) out["left_out"][sample.reasons[k]] = counts[k];
  out["notes"] = sample.notes;
  out["robust"] = of_line(sample, r.robust, r.intrinsic_scatter);
  if (r.selected) {
    Json& selected = out["robust_snr_cut"];
    selected = of_line(sample, r.selected->line, r.selected->intrinsic_scatter);
    selected["threshold"] = r.selected->threshold;
    selected["light_curves"] = r.selected->light_curves;
  }
  out["hierarchical"] = Json();
  if (r.hierarchical) out["hierarchical"] = of_hierarchical(sample, *r.hierarchical);
  if (!r.hierarchical) out["no_hierarchical_because"] = r.why_no_hierarchical;
  for (std::size_t k = 0; k < r.correlations.size(); ++k) {
    out["rank_correlation"][sample.x_name[k]] = {{"simple", number(r.correlations[k].simple)},
                                                 {"at_fixed_z", number(r.correlations[k].partial)}};
  }
  return out;
}

}  // namespace

std::string relations_as_json(const std::vector<Relation>& relations) {
  if (relations.size() == 1) return to_json_text(of_relation(relations.front())) + "\n";
  Json out;
  for (const Relation& r : relations) out["fits"][r.sample.fits.front()] = of_relation(r);
  return to_json_text(out) + "\n";
}

}  // namespace qsohost::cli
