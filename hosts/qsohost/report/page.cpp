#include "report/page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

#include "plot/escape.hpp"
#include "plot/figure.hpp"
#include "report/page_assets.hpp"
#include "report/sha256.hpp"
#include "table.hpp"

namespace qsohost::cli {
namespace {

using plot::html_escaped;

constexpr std::size_t kMostTableRows = 300;
constexpr std::size_t kWideText = 40;  // characters from which a cell may be broken

// Pieces of the page in order; some can be replaced by something shorter.
class Pieces {
 public:
  void add(std::string text) { pieces_.push_back({std::move(text), std::nullopt, 0}); }
  // `rank`: those of low ranks are replaced first.
  void add(std::string text, std::string instead, int rank) {
    pieces_.push_back({std::move(text), std::move(instead), rank});
  }
  std::string within(std::size_t most_bytes) &&;

 private:
  struct Piece {
    std::string text;
    std::optional<std::string> instead;
    int rank;
  };
  std::vector<Piece> pieces_;
};

std::string Pieces::within(std::size_t most_bytes) && {
  std::size_t bytes = 0;
  std::vector<Piece*> replaceable;
  for (Piece& piece : pieces_) {
    bytes += piece.text.size();
    if (piece.instead && piece.instead->size() < piece.text.size()) replaceable.push_back(&piece);
  }
  std::ranges::stable_sort(replaceable, [](const Piece* a, const Piece* b) {
    return a->rank != b->rank ? a->rank < b->rank : a->text.size() > b->text.size();
  });
  for (Piece* piece : replaceable) {
    if (bytes <= most_bytes) break;
    bytes -= piece->text.size() - piece->instead->size();
    piece->text = *piece->instead;
  }
  std::string out;
  out.reserve(bytes);
  for (const Piece& piece : pieces_) out += piece.text;
  return out;
}

// Text as JSON inside of a script element, whose end it must not contain.
std::string script_json(const std::string& text) {
  const std::string json =
      nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789+-.,e%() ") == std::string::npos;
}

// A column of numbers is set flush right.
std::vector<bool> number_columns(const ReportTable& table) {
  std::vector<bool> out(table.names.size(), !table.rows.empty());
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < out.size() && i < row.size(); ++i) {
      if (!row[i].empty() && !is_number(row[i])) out[i] = false;
    }
  }
  return out;
}

std::string table_row(const std::vector<std::string>& cells, const std::vector<bool>& is_number,
                      const char* tag) {
  std::string out = "<tr>";
  for (std::size_t i = 0; i < is_number.size(); ++i) {
    const std::string& text = i < cells.size() ? cells[i] : std::string();
    std::string attributes;
    if (is_number[i]) {
      attributes = " class=\"number\"";
      // As CSV has it: without the commas of thousands.
      std::string plain = text;
      std::erase(plain, ',');
      if (plain != text) attributes += fmt::format(" data-value=\"{}\"", html_escaped(plain));
    } else if (text.size() > kWideText) {
      attributes = " class=\"wide\"";
    }
    out += fmt::format("<{}{}>{}</{}>", tag, attributes, html_escaped(text), tag);
  }
  return out + "</tr>\n";
}

std::string table_html(const ReportTable& table, const std::string& name) {
  const std::vector<bool> is_number = number_columns(table);
  std::string grid = "<div class=\"scroll\"><table><thead>" +
                     table_row(table.names, is_number, "th") + "</thead><tbody>\n";
  const std::size_t shown = std::min(table.rows.size(), kMostTableRows);
  for (std::size_t i = 0; i < shown; ++i) grid += table_row(table.rows[i], is_number, "td");
  grid += "</tbody></table></div>\n";
  if (shown < table.rows.size()) {
    grid += fmt::format("<p class=\"note\">{} more rows are not shown.</p>\n",
                        grouped(static_cast<std::int64_t>(table.rows.size() - shown)));
  }
  grid += "<div class=\"tools\"><button type=\"button\" data-save=\"csv\">CSV</button></div>\n";
  const std::string title = html_escaped(table.title);
  const char* form =
      table.is_folded
          ? "<div class=\"table folded\" data-name=\"{}\"><details><summary>{}</summary>\n{}"
            "</details></div>\n"
          : "<div class=\"table\" data-name=\"{}\"><h3>{}</h3>\n{}</div>\n";
  return fmt::format(fmt::runtime(form), html_escaped(name), title, grid);
}

void add_figure(const plot::Figure& figure, Pieces& out) {
  const std::string id = html_escaped(figure.id);
  out.add(fmt::format("<figure id=\"figure-{}\" data-name=\"{}\">\n", id, id));
  out.add(plot::svg(figure),
          fmt::format("<p class=\"note\">{}: left out, for the page would be too large.</p>",
                      html_escaped(figure.title)),
          1);
  out.add(fmt::format("\n<figcaption>{}</figcaption>\n<div class=\"tools\">",
                      html_escaped(figure.caption)));
  out.add(fmt::format("<button type=\"button\" data-save=\"csv\">CSV</button> "
                      "<script type=\"application/json\" class=\"data\">{}</script>",
                      script_json(plot::csv(figure))),
          "<span class=\"note\">Without data, for the page would be too large.</span> ", 0);
  out.add("<button type=\"button\" data-save=\"svg\">SVG</button></div>\n</figure>\n");
}

void add_paragraphs(const Section& section, Pieces& out) {
  for (const std::string& text : section.paragraphs) {
    out.add(fmt::format("<p>{}</p>\n", html_escaped(text)));
  }
}

std::string table_name(const std::string& id, std::size_t position) {
  return fmt::format("{}-{}", id, position + 1);
}

void add_markup(const Section& section, Pieces& out) {
  if (section.markup.empty()) return;
  out.add(section.markup,
          "<p class=\"note\">Left out, for the page would be too large; ask for fewer objects.</p>",
          2);
}

void add_single(const Section& section, const std::string& id, Pieces& out) {
  add_paragraphs(section, out);
  add_markup(section, out);
  if (!section.figures.empty()) out.add("<div class=\"figures\">\n");
  for (const plot::Figure& figure : section.figures) add_figure(figure, out);
  if (!section.figures.empty()) out.add("</div>\n");
  if (!section.tables.empty()) out.add("<div class=\"tables\">\n");
  for (std::size_t i = 0; i < section.tables.size(); ++i) {
    out.add(table_html(section.tables[i], table_name(id, i)));
  }
  if (!section.tables.empty()) out.add("</div>\n");
}

// Figures and tables of one run beside those of the other with the same title, so that a row of the
// page shows one thing.
template <class T>
std::vector<std::string> titles(const std::vector<Section>& sections,
                                std::vector<T> Section::*member) {
  std::vector<std::string> out;
  for (const Section& section : sections) {
    for (const T& item : section.*member) {
      if (std::ranges::find(out, item.title) == out.end()) out.push_back(item.title);
    }
  }
  return out;
}

template <class T>
void add_beside(const std::vector<Section>& sections, std::vector<T> Section::*member, Pieces& out,
                const auto& add) {
  for (const std::string& title : titles(sections, member)) {
    out.add("<div class=\"beside\">\n");
    for (const Section& section : sections) {
      const auto& items = section.*member;
      const auto at = std::ranges::find(items, title, &T::title);
      out.add("<div>\n");
      if (at != items.end()) {
        add(section, *at, static_cast<std::size_t>(at - items.begin()));
      } else {
        out.add(fmt::format("<p class=\"note\">{}: not in this run.</p>", html_escaped(title)));
      }
      out.add("</div>\n");
    }
    out.add("</div>\n");
  }
}

void add_pair(const Page& page, const PageSection& pair, Pieces& out) {
  out.add("<div class=\"beside\">\n");
  for (std::size_t i = 0; i < pair.sections.size(); ++i) {
    out.add(fmt::format("<div>\n<p class=\"run\">{}</p>\n", html_escaped(page.runs[i])));
    add_paragraphs(pair.sections[i], out);
    add_markup(pair.sections[i], out);
    out.add("</div>\n");
  }
  out.add("</div>\n");
  add_beside(
      pair.sections, &Section::figures, out,
      [&](const Section&, const plot::Figure& figure, std::size_t) { add_figure(figure, out); });
  add_beside(pair.sections, &Section::tables, out,
             [&](const Section& section, const ReportTable& table, std::size_t i) {
               out.add(table_html(table, table_name(section.id, i)));
             });
}

void add_head(const Page& page, const std::string& script, Pieces& out) {
  const std::string title = html_escaped(page.title);
  out.add(fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; "
      "form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n",
      sha256_base64(script), title));
  // A data URI, so that no browser asks the server of the page for one.
  out.add("<link rel=\"icon\" href=\"data:,\">\n");
  out.add(fmt::format("<style>{}{}</style>\n<style id=\"figure-style\">{}</style>\n</head>\n",
                      page_style(), page.style, plot::style_sheet()));
  out.add(fmt::format("<body{}>\n<header>\n<h1>{}</h1>\n<p class=\"made\">{}</p>\n",
                      page.runs.empty() ? "" : " class=\"two\"", title, html_escaped(page.made)));
  if (!page.numbers.empty()) out.add("<dl class=\"numbers\">\n");
  for (const auto& [value, name] : page.numbers) {
    out.add(fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", html_escaped(name),
                        html_escaped(value)));
  }
  if (!page.numbers.empty()) out.add("</dl>\n");
  out.add("</header>\n");
}

void add_contents(const Page& page, Pieces& out) {
  out.add("<nav aria-label=\"Contents\">\n<ol>\n");
  for (const PageSection& section : page.sections) {
    out.add(fmt::format("<li><a href=\"#{}\">{}</a></li>\n", html_escaped(section.id),
                        html_escaped(section.title)));
  }
  out.add("</ol>\n</nav>\n");
}

}  // namespace

std::string html(const Page& page, std::size_t most_bytes) {
  Pieces out;
  const std::string script = page_script() + page.script;
  add_head(page, script, out);
  out.add("<div class=\"columns\">\n");
  add_contents(page, out);
  out.add("<main>\n");
  for (const PageSection& section : page.sections) {
    out.add(fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n", html_escaped(section.id),
                        html_escaped(section.title)));
    if (section.sections.size() == 1) {
      add_single(section.sections.front(), section.id, out);
    } else {
      add_pair(page, section, out);
    }
    out.add("</section>\n");
  }
  out.add("</main>\n</div>\n");
  if (!page.licences.empty()) {
    out.add(
        fmt::format("<footer><details><summary>Licences</summary><pre>{}</pre></details>"
                    "</footer>\n",
                    html_escaped(page.licences)));
  }
  out.add(fmt::format("<script>{}</script>\n</body>\n</html>\n", script));
  return std::move(out).within(most_bytes);
}

}  // namespace qsohost::cli
