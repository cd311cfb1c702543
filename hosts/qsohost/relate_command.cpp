#include "relate_command.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <fstream>

#include "arguments.hpp"
#include "output.hpp"
#include "plot/figure.hpp"
#include "qsohost/error.hpp"
#include "relate/relation_files.hpp"
#include "table.hpp"

namespace qsohost::cli {
namespace {

std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{:.4f}", value) : "-";
}

std::string with_error(double value, double error) {
  if (!std::isfinite(value)) return "-";
  return std::isfinite(error) ? fmt::format("{:.4f} +- {:.4f}", value, error)
                              : fmt::format("{:.4f}", value);
}

// One column of the table of answers.
struct Answer {
  std::string heading;
  std::size_t n = 0;
  double intercept = 0, intercept_err = 0;
  std::vector<double> slope, slope_err;
  std::string scatter, of_residuals, sd;
};

Answer answer_of(std::string heading, const RobustFit& fit, double intrinsic) {
  return {std::move(heading), fit.n,         fit.intercept,     fit.intercept_err,
          fit.slope,          fit.slope_err, number(intrinsic), number(fit.scatter),
          number(fit.sd)};
}

Answer answer_of(const HierarchicalFit& fit) {
  return {"hierarchical",
          fit.n,
          fit.y.intercept,
          fit.y.intercept_err,
          fit.y.slope,
          fit.y.slope_err,
          with_error(fit.y.scatter, fit.y.scatter_err),
          "",
          ""};
}

std::vector<Answer> answers_of(const Relation& r) {
  std::vector<Answer> out{answer_of("robust", r.robust, r.intrinsic_scatter)};
  if (r.selected) {
    out.push_back(answer_of(fmt::format("robust, S/N > {:g}", r.selected->threshold),
                            r.selected->line, r.selected->intrinsic_scatter));
  }
  if (r.hierarchical) out.push_back(answer_of(*r.hierarchical));
  return out;
}

std::string answer_table(const Relation& r) {
  const std::vector<Answer> answers = answers_of(r);
  std::vector<Table::Heading> headings{{"dex"}};
  for (const Answer& a : answers) headings.push_back({a.heading, Align::Right});
  Table table(headings);
  const auto add = [&](std::string name, const auto& cell) {
    std::vector<std::string> cells{std::move(name)};
    for (const Answer& a : answers) cells.push_back(cell(a));
    table.add(cells);
  };
  add("rows", [](const Answer& a) { return grouped(static_cast<std::int64_t>(a.n)); });
  for (std::size_t k = 0; k < r.sample.x_name.size(); ++k) {
    add("slope, " + r.sample.x_name[k],
        [&](const Answer& a) { return with_error(a.slope[k], a.slope_err[k]); });
  }
  add("intercept", [](const Answer& a) { return with_error(a.intercept, a.intercept_err); });
  add("intrinsic scatter", [](const Answer& a) { return a.scatter; });
  add("1.4826 MAD of residuals", [](const Answer& a) { return a.of_residuals; });
  add("sd of residuals", [](const Answer& a) { return a.sd; });
  return table.text(2);
}

// Where the intercepts are.
std::string medians_text(const Relation& r) {
  std::vector<std::string> places;
  for (std::size_t k = 0; k < r.sample.x_name.size(); ++k) {
    places.push_back(fmt::format("{} = {:.4f}", r.sample.x_name[k], r.robust.centre[k]));
  }
  std::string out = fmt::format("  Intercepts are at medians: {}\n", fmt::join(places, ", "));
  if (!r.selected) return out;
  places.clear();
  for (std::size_t k = 0; k < r.sample.x_name.size(); ++k) {
    places.push_back(fmt::format("{:.4f}", r.selected->line.centre[k]));
  }
  return out + fmt::format("  of S/N > {:g}: {} ({})\n", r.selected->threshold,
                           fmt::join(places, ", "), r.selected->light_curves);
}

std::string partner_text(const Relation& r) {
  const HierarchicalFit& fit = *r.hierarchical;
  if (fit.partner.scatter_err == 0) return "  The partner's population is flat\n";
  std::string out =
      fmt::format("  Population of {}: mean {}, scatter {}", r.sample.partner_quantity.name,
                  with_error(fit.partner.intercept, fit.partner.intercept_err),
                  with_error(fit.partner.scatter, fit.partner.scatter_err));
  for (std::size_t k = 0; k < r.sample.x_name.size(); ++k) {
    out += fmt::format(", slope with {} {}", r.sample.x_name[k],
                       with_error(fit.partner.slope[k], fit.partner.slope_err[k]));
  }
  return out + fmt::format("; correlation with {} {}\n", r.sample.y_quantity.name,
                           with_error(fit.correlation, fit.correlation_err));
}

std::string count_text(const Sample& sample) {
  std::string out = fmt::format("  {} of {} rows used\n",
                                grouped(static_cast<std::int64_t>(sample.used().size())),
                                grouped(static_cast<std::int64_t>(sample.y.size())));
  const std::vector<std::size_t> counts = counts_by_reason(sample);
  for (std::size_t k = 0; k < counts.size(); ++k) {
    if (counts[k] > 0) out += fmt::format("    {} left out: {}\n", counts[k], sample.reasons[k]);
  }
  return out;
}

void write_file(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  out.close();
  if (!out)
    throw RunError(fmt::format(
        "{}: cannot be written; check its folder and the free space, or name another one by --out",
        file.string()));
}

void write_all(const RelateArguments& arguments, const std::vector<Relation>& relations) {
  if (!arguments.json.empty()) write_file(arguments.json, relations_as_json(relations));
  if (!arguments.table.empty()) write_relation_table(arguments.table, relations);
  if (!arguments.plot.empty()) {
    write_file(arguments.plot, plot::svg_file(relation_figure(relations.front())));
  }
}

}  // namespace

std::string relation_text(const Relation& r) {
  const Sample& sample = r.sample;
  std::string out = fmt::format("{}: {} against {}\n", fmt::join(sample.fits, " + "),
                                y_label(sample), fmt::join(sample.x_name, ", "));
  for (std::size_t k = 0; k < sample.x_name.size(); ++k) {
    out += fmt::format("  {}: {}\n", sample.x_name[k], sample.x_from[k]);
  }
  out += count_text(sample);
  for (const std::string& note : sample.notes) out += "  " + note + "\n";
  out += "\n" + answer_table(r) + "\n" + medians_text(r);
  if (r.hierarchical) {
    out += partner_text(r);
    if (!r.hierarchical->has_converged) {
      out += "  The hierarchical fit did not converge: do not use its numbers\n";
    }
  } else {
    out += fmt::format("  No hierarchical fit: {}\n", r.why_no_hierarchical);
  }
  for (std::size_t k = 0; k < r.correlations.size(); ++k) {
    out += fmt::format("  Rank correlation with {}: {:.3f}; at fixed 1 + z: {}\n", sample.x_name[k],
                       r.correlations[k].simple, number(r.correlations[k].partial));
  }
  return out;
}

int relate_fits(const RelateArguments& arguments) {
  const std::vector<Relation> relations = relate(arguments.options);
  if (!arguments.plot.empty() && relations.size() > 1) {
    throw UsageError(fmt::format(
        "--plot shows one relation, and there are {}: name one by --fit, such as --fit {}",
        relations.size(), relations.front().sample.fits.front()));
  }
  std::string text;
  for (const Relation& r : relations) text += (text.empty() ? "" : "\n") + relation_text(r);
  write_text(Stream::Out, text);
  write_all(arguments, relations);
  return unless_output_is_lost(kDone);
}

}  // namespace qsohost::cli
