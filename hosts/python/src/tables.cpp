// Tables in files, and the Arrow interface of tables and batches.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arrow.hpp"
#include "batch_views.hpp"
#include "bindings.hpp"
#include "table_file.hpp"

namespace py = pybind11;

namespace qsohost::python {
namespace {

struct TableView {
  std::shared_ptr<const Table> table;
};

// Arrays of any length, one a row.
struct ArraysView {
  std::shared_ptr<const Table> table;
  const TableColumn* column;
};

const TableColumn& column_of(const Table& table, const std::string& name) {
  const auto it = std::ranges::find_if(
      table.columns, [&](const TableColumn& c) { return c.values.name() == name; });
  if (it == table.columns.end()) throw py::key_error("no column '" + name + "'; see keys()");
  return *it;
}

std::vector<std::string> names_of(const TableView& view) {
  std::vector<std::string> names;
  for (const TableColumn& column : view.table->columns) names.push_back(column.values.name());
  return names;
}

py::object item_of(const TableView& view, const std::string& name) {
  const TableColumn& column = column_of(*view.table, name);
  if (!column.offsets.empty()) return py::cast(ArraysView{view.table, &column});
  return cells_of(column.values, view.table, {0, column.values.size()});
}

py::array row_of(const ArraysView& view, py::ssize_t row) {
  const auto rows = static_cast<py::ssize_t>(view.table->rows);
  if (row < -rows || row >= rows)
    throw py::index_error("row " + std::to_string(row) + ", but there are only " +
                          std::to_string(rows));
  const auto r = static_cast<std::size_t>(row < 0 ? row + rows : row);
  const std::vector<std::uint64_t>& offsets = view.column->offsets;
  return cells_of(view.column->values, view.table, {offsets[r], offsets[r + 1] - offsets[r]});
}

// Of a product with light curves: group -> the columns in the table, by the names that a batch has
// for them and by role: time, mag, mag_err.
py::dict light_curves_of(const TableView& view) {
  py::dict out;
  for (const GroupInfo& group : view.table->groups) {
    py::dict columns;
    for (const FitsEpochColumn& column : view.table->epoch_columns) {
      if (column.group != group.name) continue;
      columns[py::str(column.name)] = column.column;
      if (column.name == group.time) columns["time"] = column.column;
      if (column.name == group.mag) columns["mag"] = column.column;
      if (column.name == group.mag_err) columns["mag_err"] = column.column;
    }
    out[py::str(group.name)] = columns;
  }
  return out;
}

// A capsule as the Arrow PyCapsule interface wants it: whoever imports the struct moves it out;
// else its destructor releases it.
template <class T>
py::object capsule_of(std::unique_ptr<T> held, const char* name) {
  PyObject* capsule = PyCapsule_New(held.get(), name, [](PyObject* self) {
    auto* mine = static_cast<T*>(PyCapsule_GetPointer(self, PyCapsule_GetName(self)));
    if (mine->release != nullptr) mine->release(mine);
    delete mine;
  });
  if (capsule == nullptr) throw py::error_already_set();
  held.release();  // NOLINT(bugprone-unused-return-value): the capsule owns it
  return py::reinterpret_steal<py::object>(capsule);
}

py::object schema_capsule(const ArrowTable& table) {
  auto schema = std::make_unique<ArrowSchema>();
  export_schema(table, *schema);
  return capsule_of(std::move(schema), "arrow_schema");
}

py::object array_capsule(const ArrowTable& table) {
  auto array = std::make_unique<ArrowArray>();
  export_array(table, *array);
  return capsule_of(std::move(array), "arrow_array");
}

py::object stream_capsule(ArrowTable table) {
  auto stream = std::make_unique<ArrowArrayStream>();
  export_stream(std::move(table), *stream);
  return capsule_of(std::move(stream), "arrow_array_stream");
}

// Gives a class the methods of the Arrow PyCapsule interface. `requested_schema` is a wish that
// producers may ignore.
template <class View, class F>
void add_arrow(const py::object& type, const F& table_of) {
  const auto add = [&](const char* name, auto function, auto... extra) {
    type.attr(name) = py::cpp_function(function, py::name(name), py::is_method(type), extra...);
  };
  add("__arrow_c_schema__", [=](const View& view) { return schema_capsule(table_of(view)); });
  add(
      "__arrow_c_array__",
      [=](const View& view, const py::object& /*requested_schema*/) {
        const ArrowTable table = table_of(view);
        return py::make_tuple(schema_capsule(table), array_capsule(table));
      },
      py::arg("requested_schema") = py::none());
  add(
      "__arrow_c_stream__",
      [=](const View& view, const py::object& /*requested_schema*/) {
        return stream_capsule(table_of(view));
      },
      py::arg("requested_schema") = py::none());
}

}  // namespace

void add_tables(py::module_& module) {
  py::class_<ArraysView>(module, "Arrays", "Arrays of any length, one a row; read-only views.")
      .def("__len__", [](const ArraysView& view) { return view.table->rows; })
      .def("__getitem__", &row_of)
      .def_property_readonly(
          "values",
          [](const ArraysView& view) {
            const Column& values = view.column->values;
            return cells_of(values, view.table, {0, values.size()});
          },
          "All arrays end to end.")
      .def_property_readonly(
          "offsets",
          [](const ArraysView& view) { return view_of(view.column->offsets, view.table); },
          "The array of row r is values[offsets[r]:offsets[r + 1]].");
  auto table = py::class_<TableView>(module, "Table")
                   .def("__len__", [](const TableView& view) { return view.table->rows; })
                   .def_property_readonly(
                       "extension", [](const TableView& view) { return view.table->extension; })
                   .def_property_readonly(
                       "warnings", [](const TableView& view) { return view.table->warnings; })
                   .def_property_readonly("history",
                                          [](const TableView& view) { return view.table->history; })
                   .def_property_readonly("light_curves", &light_curves_of)
                   .def("keys", &names_of)
                   .def("__getitem__", &item_of)
                   .def("info",
                        [](const TableView& view, const std::string& name) {
                          return column_of(*view.table, name).values.info();
                        })
                   .def("mask", [](const TableView& view, const std::string& name) {
                     return mask_of(column_of(*view.table, name).values, view.table);
                   });
  add_arrow<TableView>(table, [](const TableView& view) { return arrow_table_of(view.table); });
  add_arrow<BatchView>(module.attr("Batch"),
                       [](const BatchView& view) { return arrow_table_of(view.batch); });
  module.def("extension_of", &extension_of, py::call_guard<py::gil_scoped_release>());
  module.def(
      "read_table",
      [](const std::filesystem::path& file, const std::string& hdu) {
        const py::gil_scoped_release released;
        return TableView{read_table(file, hdu)};
      },
      py::arg("file"), py::arg("hdu") = "");
}

}  // namespace qsohost::python
