// Stages written in Python, as the host sees them, and the reader of their scripts.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "lent_batch.hpp"
#include "qsohost/error.hpp"
#include "qsohost/own_client.hpp"
#include "qsohost/script_reader.hpp"
#include "script_arrays.hpp"
#include "script_fitters.hpp"
#include "script_object.hpp"

namespace py = pybind11;

namespace qsohost::python {
namespace {

// What a stage of each kind passes on to the object in Python.
template <class Kind>
class QSOHOST_PYTHON_HIDDEN Scripted : public Kind {
 public:
  Scripted(const std::filesystem::path& file, const std::string& stage)
      : script_(this, file, stage) {}
  void declare(const Schema& /*before*/, Ports& ports) const override {
    script_.declare(this->label(), ports);
    script_.in_python([&] {
      for (const py::object& out : script_.ports("Out", this->label())) ports.adds(port_of(out));
    });
  }
  std::vector<Input> fingerprint() const override { return script_.fingerprint(this->label()); }
  void open(Context& /*context*/) override { script_.open(this->label()); }
  void close() noexcept override { script_.close(); }

 protected:
  ScriptObject script_;
};

// A stage that may ask archives.
template <class Kind>
class QSOHOST_PYTHON_HIDDEN Asking : public Scripted<Kind>, public OwnClient {
 public:
  using Scripted<Kind>::Scripted;
  bool sends_requests() const override {
    return this->script_.in_python(
        [&] { return py::cast<bool>(this->script_.self().attr("sends_requests")); });
  }
};

class QSOHOST_PYTHON_HIDDEN ScriptedFilter final : public Scripted<Filter> {
 public:
  using Scripted::Scripted;
  int max_parallel() const override { return 1; }

  void apply(Batch& batch, Counts& counts) const override {
    script_.in_python([&] {
      const Masks masks = masks_for(batch);
      for (const auto& [name, mask] : masks.epochs) {
        Group& group = batch.group(name);
        counts.add(name, "epochs in", static_cast<std::int64_t>(mask.size()));
        const std::size_t emptied = group.keep_epochs(mask);
        counts.add(name, "epochs kept", static_cast<std::int64_t>(group.epochs()));
        counts.add(name, "objects left with none", static_cast<std::int64_t>(emptied));
      }
      if (!masks.objects) return;
      counts.add("objects", "removed", std::ranges::count(*masks.objects, 0));
      batch.keep_rows(*masks.objects);
    });
  }

 private:
  struct Masks {
    std::optional<std::vector<std::uint8_t>> objects;
    std::vector<std::pair<std::string, std::vector<std::uint8_t>>> epochs;
  };
  // The batch is the host's again when this returns.
  Masks masks_for(Batch& batch) const {
    const LentBatch lent(batch);
    const py::object kept = script_.self().attr("apply")(lent.view());
    const std::shared_ptr<const Batch> now = lent.view().batch;
    Masks masks;
    if (kept.is_none()) return masks;
    if (!py::isinstance<py::dict>(kept)) {
      masks.objects = mask_of(kept, now->rows(), "what stays");
      return masks;
    }
    for (const auto& [key, mask] : py::cast<py::dict>(kept)) {
      const auto name = py::cast<std::string>(key);
      masks.epochs.emplace_back(name,
                                mask_of(mask, now->group(name).epochs(), "epochs of " + name));
    }
    return masks;
  }
};

// The columns of one object's light curve, given as a dict. Those without an epoch_id are numbered.
void append_curve(Group& group, const py::dict& columns) {
  for (const auto& [key, values] : columns) group.at(py::cast<std::string>(key));  // throws
  for (Column& column : group) {
    if (columns.contains(column.name())) {
      append_values(columns[py::str(column.name())], column);
    } else if (column.name() == "epoch_id") {
      const py::object first = columns[py::str(group.info().time)];
      for (std::size_t i = 0; i < py::len(first); ++i) column.append(static_cast<std::int64_t>(i));
    } else {
      throw RunError("group '" + group.name() + "': no column '" + column.name() +
                     "' was given; it must have all that were declared");
    }
  }
}

void append_curves(Batch& batch, const py::dict& curves) {
  for (const auto& [name, columns] : curves) {
    if (!columns.is_none())
      append_curve(batch.group(py::cast<std::string>(name)), py::cast<py::dict>(columns));
  }
}

class QSOHOST_PYTHON_HIDDEN ScriptedSource final : public Asking<Source> {
 public:
  using Asking::Asking;

  bool read(Batch& batch) override {
    return script_.in_python([&] {
      const py::object got = script_.self().attr("read")(batch.capacity());
      if (got.is_none()) return false;
      auto columns = py::cast<py::dict>(got);
      for (Column& column : batch.objects()) {
        if (!columns.contains(column.name()))
          throw RunError("column '" + column.name() + "' was declared, so read() must return it");
        append_values(columns[py::str(column.name())], column);
      }
      for (Group& group : batch.groups()) {
        const py::object curves = columns[py::str(group.name())];
        for (const py::handle curve : curves) {
          if (!curve.is_none()) append_curve(group, py::cast<py::dict>(curve));
          group.close_row();
        }
      }
      return true;
    });
  }
};

class QSOHOST_PYTHON_HIDDEN ScriptedFetcher final : public Asking<Fetcher> {
 public:
  using Asking::Asking;

  void fetch(Batch& batch, Outcomes& outcomes) override {
    script_.in_python([&] {
      py::list found;
      std::optional<std::string> failed;
      try {
        found = py::list(fetched(batch));
        if (found.size() != batch.rows())
          throw RunError("fetch() returned " + std::to_string(found.size()) + " answers for " +
                         std::to_string(batch.rows()) + " objects; it must give one for each");
      } catch (py::error_already_set& error) {
        if (!error.matches(try_again())) throw;
        failed = py::cast<std::string>(py::str(error.value()));
      }
      outcomes.end_each(batch, [&](const Object& object) -> Ending {
        if (failed) throw TryAgain(*failed);
        return end(batch, found[object.row()]);
      });
    });
  }

 private:
  py::object fetched(Batch& batch) const {
    const LentBatch lent(batch);
    return script_.self().attr("fetch")(lent.view());
  }
  static py::object try_again() { return py::module_::import("qsohost.stages").attr("TryAgain"); }
  static Ending end(Batch& batch, const py::object& answer) {
    if (answer.is_none()) return {Outcome::NotFound, "nothing there"};
    if (PyExceptionInstance_Check(answer.ptr())) {
      const bool again = py::isinstance(answer, try_again());
      return {again ? Outcome::Failed : Outcome::BadObject, py::cast<std::string>(py::str(answer))};
    }
    append_curves(batch, py::cast<py::dict>(answer));
    return {};
  }
};

// An error of the script as UsageError with its place.
template <class Call>
auto guarded(const std::filesystem::path& file, const Call& call) {
  const py::gil_scoped_acquire gil;
  try {
    return call();
  } catch (py::error_already_set& error) {
    throw UsageError(words_of(error, file, false));
  }
}

class Reader final : public ScriptReader {
 public:
  Script read(const std::filesystem::path& file) override {
    return guarded(file, [&] {
      const auto [version, lines] =
          py::cast<std::pair<std::string, std::vector<std::tuple<std::string, std::string, int>>>>(
              scripts().attr("read")(file.string()));
      Script script{version, {}};
      constexpr Role kRoles[] = {Role::Source, Role::Fetcher, Role::Filter, Role::Fitter};
      for (const auto& [name, summary, role] : lines)
        script.stages.push_back({name, summary, kRoles[role]});
      return script;
    });
  }

  Stage* create(const std::filesystem::path& file, const std::string& stage) override {
    return guarded(file, [&]() -> Stage* {
      switch (py::cast<int>(scripts().attr("role_of")(file.string(), stage))) {
        case 0:
          return new ScriptedSource(file, stage);
        case 1:
          return new ScriptedFetcher(file, stage);
        case 2:
          return new ScriptedFilter(file, stage);
        default:
          return make_scripted_fitter(file, stage);
      }
    });
  }
};

}  // namespace

void add_script_stages(py::module_& module) {
  add_fit_curve(module);
  static Reader reader;
  module.attr("script_reader") =
      py::capsule(static_cast<ScriptReader*>(&reader), "qsohost._core.script_reader");
}

}  // namespace qsohost::python
