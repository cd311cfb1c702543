// Saves tables and the data of figures as CSV, figures as SVG. The CSV of a table is what its cells say,
// that of a figure is kept beside it.
"use strict";
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
      .join(",") + "\r\n").join("");
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
