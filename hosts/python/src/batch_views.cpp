#include "batch_views.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "qsohost/error.hpp"

namespace py = pybind11;

namespace qsohost::python {
namespace {

py::object capsule_of(const Owner& owner) {
  return py::capsule(new Owner(owner), [](void* held) { delete static_cast<Owner*>(held); });
}

void make_read_only(py::array& array) {
  py::detail::array_proxy(array.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
}

struct Memory {
  py::dtype dtype;
  std::size_t size;  // of a value, bytes
  const void* data;
};

template <class T>
Memory memory_of(const Column& column) {
  return {py::dtype::of<T>(), sizeof(T), column.values<T>().data()};
}

Memory memory_of(const Column& column) {
  switch (column.dtype()) {
    case DType::Bool:
      return memory_of<bool>(column);
    case DType::I16:
      return memory_of<std::int16_t>(column);
    case DType::I32:
      return memory_of<std::int32_t>(column);
    case DType::I64:
      return memory_of<std::int64_t>(column);
    case DType::F32:
      return memory_of<float>(column);
    case DType::F64:
      return memory_of<double>(column);
    case DType::String:
      break;
  }
  throw RunError("strings have no values of a fixed size; read them as a list");
}

// Axes of `cells` cells, the slowest first.
std::vector<py::ssize_t> shape_of(const ColumnInfo& info, std::size_t cells) {
  std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(cells)};
  if (info.width == 1 && info.shape.empty()) return shape;
  std::vector<std::size_t> axes = info.shape;
  if (axes.empty()) axes.push_back(info.width);
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis)
    shape.push_back(static_cast<py::ssize_t>(*axis));
  return shape;
}

py::array strings_of(const Column& column, Slice cells) {
  const StringArray& strings = column.strings();
  py::list texts;
  const std::size_t begin = cells.first * column.width();
  for (std::size_t i = begin; i < begin + cells.count * column.width(); ++i) {
    const std::string_view text = strings[i];
    // Texts of files may be in any encoding.
    PyObject* made =
        PyUnicode_DecodeUTF8(text.data(), static_cast<py::ssize_t>(text.size()), "surrogateescape");
    if (made == nullptr) throw py::error_already_set();
    texts.append(py::reinterpret_steal<py::str>(made));
  }
  py::array array = py::module_::import("numpy").attr("array")(texts, "O");
  return array.reshape(shape_of(column.info(), cells.count));
}

const Column& column_of(const ColumnSet& columns, const std::string& name) {
  const Column* column = columns.find(name);
  if (column != nullptr) return *column;
  std::string known;
  for (const Column& other : columns) known += (known.empty() ? "" : ", ") + other.name();
  throw py::key_error("no column '" + name + "'; there are: " + known);
}

std::vector<std::string> names_of(const ColumnSet& columns) {
  std::vector<std::string> names;
  for (const Column& column : columns) names.push_back(column.name());
  return names;
}

std::size_t index_in(py::ssize_t index, std::size_t size) {
  const auto n = static_cast<py::ssize_t>(size);
  if (index < -n || index >= n) {
    throw py::index_error("row " + std::to_string(index) + ", but there are only " +
                          std::to_string(size));
  }
  return static_cast<std::size_t>(index < 0 ? index + n : index);
}

// The column that plays this role in the group, e.g. &GroupInfo::mag.
const Column& role_of(const Group& group, std::string GroupInfo::*role) {
  const std::string& name = group.info().*role;
  if (name.empty())
    throw py::attribute_error("group '" + group.name() +
                              "' is no light curve; read its columns by name");
  return column_of(group, name);
}

py::array role_of(const GroupView& view, std::string GroupInfo::*role) {
  return cells_of(role_of(*view.group, role), view.batch, {0, view.group->epochs()});
}

py::array role_of(const CurveView& view, std::string GroupInfo::*role) {
  return cells_of(role_of(*view.group, role), view.batch, view.group->slice(view.row));
}

// As `id(row)`, but integers stay integers.
py::object id_of(const Batch& batch, std::size_t row) {
  const Column& id = batch.objects().at("source_id");
  if (id.dtype() == DType::String) return py::str(batch.id(row));
  return py::int_(id.values<std::int64_t>()[row]);
}

const Group& group_of(const Batch& batch, const std::string& name) {
  if (const Group* group = batch.find_group(name)) return *group;
  std::string known;
  for (const Group& other : batch.groups()) known += (known.empty() ? "" : ", ") + other.name();
  throw py::key_error("no group and no column of objects '" + name +
                      "'; there are the groups: " + known);
}

py::object item_of(const BatchView& view, const std::string& name) {
  const Batch& batch = *view.batch;
  if (batch.find_group(name) == nullptr) {
    if (const Column* column = batch.objects().find(name))
      return cells_of(*column, view.batch, {0, batch.rows()});
  }
  return py::cast(GroupView{view.batch, &group_of(batch, name)});
}

void add_columns(py::module_& module) {
  py::class_<ColumnInfo>(module, "ColumnInfo", py::module_local(), "What a column is.")
      .def_readonly("name", &ColumnInfo::name)
      .def_property_readonly(
          "dtype", [](const ColumnInfo& info) { return std::string(name_of(info.dtype)); })
      .def_readonly("unit", &ColumnInfo::unit, "Spelled as in FITS: mag, d, arcsec; '' for none.")
      .def_readonly("description", &ColumnInfo::description)
      .def_property_readonly(
          "shape",
          [](const ColumnInfo& info) {
            std::vector<py::ssize_t> shape = shape_of(info, 0);
            return py::tuple(py::cast(std::vector(shape.begin() + 1, shape.end())));
          },
          "Of a cell, as numpy has it; () for one value.")
      .def("__repr__", [](const ColumnInfo& info) {
        return "<column " + info.name + " (" + std::string(name_of(info.dtype)) +
               (info.unit.empty() ? "" : ", " + info.unit) + "): " + info.description + ">";
      });
  py::class_<ColumnsView>(module, "Columns", py::module_local(),
                          "Columns of one length by name; each is a read-only numpy view.")
      .def("__len__", [](const ColumnsView& view) { return view.columns->count(); })
      .def("__contains__",
           [](const ColumnsView& view, const std::string& name) {
             return view.columns->find(name) != nullptr;
           })
      .def("__iter__",
           [](const ColumnsView& view) { return py::iter(py::cast(names_of(*view.columns))); })
      .def("keys", [](const ColumnsView& view) { return names_of(*view.columns); })
      .def("__getitem__",
           [](const ColumnsView& view, const std::string& name) {
             const Column& column = column_of(*view.columns, name);
             return cells_of(column, view.owner, {0, column.size()});
           })
      .def(
          "info",
          [](const ColumnsView& view, const std::string& name) {
            return column_of(*view.columns, name).info();
          },
          py::arg("name"), "Type, unit and description of a column.")
      .def(
          "mask",
          [](const ColumnsView& view, const std::string& name) {
            return mask_of(column_of(*view.columns, name), view.owner);
          },
          py::arg("name"), "False where a value is missing; None if none is.");
}

void add_groups(py::module_& module) {
  py::class_<CurveView>(module, "LightCurve", py::module_local(),
                        "One band of one object in the order in which it was fetched; read-only "
                        "views on the batch.")
      .def("__len__", [](const CurveView& view) { return view.group->slice(view.row).count; })
      .def_property_readonly("source_id",
                             [](const CurveView& view) { return id_of(*view.batch, view.row); })
      .def_property_readonly("group", [](const CurveView& view) { return view.group->name(); })
      .def_property_readonly(
          "time", [](const CurveView& view) { return role_of(view, &GroupInfo::time); },
          "Days, in the time system of the group.")
      .def_property_readonly(
          "mag", [](const CurveView& view) { return role_of(view, &GroupInfo::mag); },
          "Magnitudes.")
      .def_property_readonly(
          "mag_err", [](const CurveView& view) { return role_of(view, &GroupInfo::mag_err); },
          "Magnitudes.")
      .def("keys", [](const CurveView& view) { return names_of(*view.group); })
      .def("__getitem__", [](const CurveView& view, const std::string& name) {
        return cells_of(column_of(*view.group, name), view.batch, view.group->slice(view.row));
      });
  py::class_<GroupView>(module, "Group", py::module_local(),
                        "Epochs of one survey and band: flat columns by name, or by number the "
                        "light curve of one object.")
      .def("__len__", [](const GroupView& view) { return view.group->rows(); })
      .def_property_readonly("name", [](const GroupView& view) { return view.group->name(); })
      .def_property_readonly("survey",
                             [](const GroupView& view) { return view.group->info().survey; })
      .def_property_readonly("band", [](const GroupView& view) { return view.group->info().band; })
      .def_property_readonly(
          "time_system",
          [](const GroupView& view) { return name_of(view.group->info().time_system); },
          "Scale, zero point and place of the times, e.g. 'UTC, MJD'.")
      .def_property_readonly("epochs", [](const GroupView& view) { return view.group->epochs(); })
      .def_property_readonly(
          "offsets",
          [](const GroupView& view) { return view_of(view.group->offsets(), view.batch); },
          "Object i has the epochs offsets[i] to offsets[i + 1] of each column.")
      .def_property_readonly("time",
                             [](const GroupView& view) { return role_of(view, &GroupInfo::time); })
      .def_property_readonly("mag",
                             [](const GroupView& view) { return role_of(view, &GroupInfo::mag); })
      .def_property_readonly(
          "mag_err", [](const GroupView& view) { return role_of(view, &GroupInfo::mag_err); })
      .def_property_readonly("columns",
                             [](const GroupView& view) {
                               return ColumnsView{view.batch, view.group};
                             })
      .def("keys", [](const GroupView& view) { return names_of(*view.group); })
      .def("__getitem__",
           [](const GroupView& view, const std::string& name) {
             const Column& column = column_of(*view.group, name);
             return cells_of(column, view.batch, {0, column.size()});
           })
      .def("__getitem__", [](const GroupView& view, py::ssize_t row) {
        return CurveView{view.batch, view.group, index_in(row, view.group->rows())};
      });
}

std::string words_of(const Batch& batch) {
  std::string out = "<batch " + std::to_string(batch.ordinal()) + ": " +
                    std::to_string(batch.rows()) + " objects";
  for (const Group& group : batch.groups())
    out += ", " + group.name() + " " + std::to_string(group.epochs());
  return out + ">";
}

}  // namespace

py::array cells_of(const Column& column, const Owner& owner, Slice cells) {
  if (column.dtype() == DType::String) return strings_of(column, cells);
  const Memory memory = memory_of(column);
  const auto* begin = static_cast<const std::byte*>(memory.data);
  if (begin != nullptr) begin += cells.first * column.width() * memory.size;
  py::array array(memory.dtype, shape_of(column.info(), cells.count), {}, begin, capsule_of(owner));
  make_read_only(array);
  return array;
}

py::object mask_of(const Column& column, const Owner& owner) {
  const std::span<const std::uint8_t> valid = column.validity();
  if (valid.empty()) return py::none();
  py::array array(py::dtype::of<bool>(), shape_of(column.info(), column.size()), {}, valid.data(),
                  capsule_of(owner));
  make_read_only(array);
  return array;
}

py::array_t<std::uint64_t> view_of(std::span<const std::uint64_t> values, const Owner& owner) {
  py::array_t<std::uint64_t> array(static_cast<py::ssize_t>(values.size()), values.data(),
                                   capsule_of(owner));
  make_read_only(array);
  return array;
}

void add_batch_views(py::module_& module) {
  add_columns(module);
  add_groups(module);
  py::class_<BatchView>(module, "Batch", py::module_local(),
                        "Some hundred objects with all that the chain has gathered about them. "
                        "batch['ztf.g'] is a group of light curves, batch['ra'] a column of the "
                        "objects; row i is the same object everywhere.")
      .def("__len__", [](const BatchView& view) { return view.batch->rows(); })
      .def_property_readonly("ordinal", [](const BatchView& view) { return view.batch->ordinal(); })
      .def_property_readonly(
          "objects",
          [](const BatchView& view) {
            return ColumnsView{view.batch, &view.batch->objects()};
          },
          "Columns with one cell an object.")
      .def_property_readonly("groups",
                             [](const BatchView& view) {
                               std::vector<std::string> names;
                               for (const Group& g : view.batch->groups())
                                 names.push_back(g.name());
                               return names;
                             })
      .def("__contains__",
           [](const BatchView& view, const std::string& name) {
             return view.batch->find_group(name) != nullptr ||
                    view.batch->objects().find(name) != nullptr;
           })
      .def("__getitem__", &item_of, py::arg("name"))
      .def("__repr__", [](const BatchView& view) { return words_of(*view.batch); });
}

}  // namespace qsohost::python
