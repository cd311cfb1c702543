#include "report/page_assets.hpp"

namespace qsohost::cli {

const std::string_view kPageStyle = R"css(
:root {
  color-scheme: light dark;
  --ink: #1d2329; --muted: #5c6670; --paper: #fdfdfc; --sheet: #ffffff; --line: #dfe3e6;
  --faint: #f3f5f6; --accent: #0b63a5; --warn: #9a5b00;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --ink: #e3e7ea; --muted: #9aa5ae; --paper: #0d1013; --sheet: #14181d; --line: #333a40;
    --faint: #20262b; --accent: #6cb6f0; --warn: #e0a94a;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: anywhere;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
}
a { color: var(--accent); text-decoration: none; }
a:hover, a:focus-visible { text-decoration: underline; }
header, main, nav, footer { padding: 0 1.25rem; }
header { padding-top: 2.2rem; }
h1 { font-size: 1.9rem; line-height: 1.2; font-weight: 650; margin: 0 0 .3rem; }
h2 { font-size: 1.3rem; font-weight: 650; margin: 0 0 .8rem; }
h3 { font-size: 1rem; font-weight: 600; margin: 0 0 .4rem; }
p { margin: 0 0 .8rem; max-width: 46rem; }
.made { color: var(--muted); font-size: .85rem; margin-bottom: 1.2rem; max-width: none; }
.numbers { display: flex; flex-wrap: wrap; gap: .6rem 2.4rem; margin: 0 0 .4rem; padding: 0; }
.numbers div { display: flex; flex-direction: column-reverse; }
.numbers dt { color: var(--muted); font-size: .85rem; }
.numbers dd { margin: 0; font-size: 1.6rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
nav { padding-bottom: .5rem; }
nav ol {
  list-style: none; margin: 1rem 0; padding: .6rem 0; display: flex; flex-wrap: wrap;
  gap: .2rem 1.2rem; border-top: 1px solid var(--line); border-bottom: 1px solid var(--line);
  font-size: .92rem;
}
section { padding: 1.6rem 0 1rem; border-top: 1px solid var(--line); }
section:first-of-type { border-top: 0; }
.figures, .beside { display: grid; gap: 1.2rem; grid-template-columns: minmax(0, 1fr); }
.figures { margin-bottom: 1.2rem; }
.beside > *, .figures > * { min-width: 0; }
.beside { margin-bottom: 1rem; }
.run { font-weight: 600; color: var(--muted); }
figure {
  margin: 0; padding: .9rem 1rem; background: var(--sheet); border: 1px solid var(--line);
  border-radius: 8px; display: flex; flex-direction: column; break-inside: avoid;
}
figure svg { display: block; width: 100%; height: auto; max-width: 44rem; margin: 0 auto; }
figcaption { color: var(--muted); font-size: .88rem; line-height: 1.45; margin-top: .5rem; }
.tools { display: flex; gap: .4rem; justify-content: flex-end; margin-top: auto; padding-top: .5rem; }
button {
  font: inherit; font-size: .8rem; padding: .1rem .6rem; color: var(--accent); cursor: pointer;
  background: none; border: 1px solid var(--line); border-radius: 5px;
}
button:hover { background: var(--faint); }
button:focus-visible, a:focus-visible, summary:focus-visible {
  outline: 2px solid var(--accent); outline-offset: 2px;
}
.table { margin: 0 0 1.4rem; }
.scroll { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td {
  text-align: left; padding: .28rem .9rem .28rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; white-space: nowrap;
}
th { color: var(--muted); font-weight: 600; }
th.number, td.number { text-align: right; }
td.wide { white-space: normal; min-width: 16rem; }
.table .tools { justify-content: flex-start; }
details { margin: 0 0 .8rem; }
summary { cursor: pointer; color: var(--accent); margin-bottom: .4rem; }
.note { color: var(--warn); font-size: .88rem; }
pre { overflow-x: auto; font-size: .8rem; line-height: 1.4; white-space: pre-wrap; }
footer { color: var(--muted); font-size: .85rem; padding-bottom: 2.5rem; }
@media (min-width: 860px) {
  .figures { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .figures > :only-child { grid-column: 1 / -1; }
  .two .beside { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
@media (min-width: 1160px) {
  .columns { display: grid; grid-template-columns: 13.5rem minmax(0, 1fr); }
  nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto; }
  nav ol { flex-direction: column; border: 0; padding: 1rem 0; gap: .45rem; }
  header, main, footer { padding-right: 2.5rem; }
  header, footer { padding-left: 2.5rem; }
  nav { padding-left: 2.5rem; }
  body > * { max-width: 94rem; margin-left: auto; margin-right: auto; }
}
@media (max-width: 600px) {
  header, main, nav, footer { padding-left: .9rem; padding-right: .9rem; }
  h1 { font-size: 1.5rem; }
  .numbers { gap: .4rem 1.6rem; }
  .numbers dd { font-size: 1.3rem; }
  figure { padding: .6rem .3rem; }
  figcaption, .tools { padding-left: .4rem; padding-right: .4rem; }
}
@media print {
  nav, .tools { display: none; }
  body { font-size: 11px; }
  section { break-inside: auto; }
  .scroll { overflow: visible; }
}
)css";

// Saves tables and the data of figures as CSV, figures as SVG. A table's CSV is what its cells say;
// a figure's is kept beside it.
const std::string_view kPageScript = R"js("use strict";
(() => {
  const save = (name, type, text) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };
  const cell = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const csvOfTable = (table) =>
    [...table.rows].map((row) => [...row.cells].map((c) => cell(c.dataset.value ?? c.textContent))
      .join(",") + "\n").join("");
  const svgText = (svg) => {
    const copy = svg.cloneNode(true);
    const style = document.createElementNS("http://www.w3.org/2000/svg", "style");
    style.textContent = document.getElementById("figure-style").textContent;
    copy.prepend(style);
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + new XMLSerializer().serializeToString(copy);
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-save]");
    if (!button) return;
    const box = button.closest("figure, .table");
    const name = box.dataset.name;
    if (button.dataset.save === "svg") {
      save(name + ".svg", "image/svg+xml", svgText(box.querySelector("svg")));
      return;
    }
    const data = box.querySelector("script.data");
    const text = data ? JSON.parse(data.textContent) : csvOfTable(box.querySelector("table"));
    save(name + ".csv", "text/csv", text);
  });
})();
)js";

}  // namespace qsohost::cli
