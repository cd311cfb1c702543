// Chains, runs and commands.
#include <pybind11/functional.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "array_source.hpp"
#include "batch_stream.hpp"
#include "batch_views.hpp"
#include "bindings.hpp"
#include "command.hpp"
#include "log_file.hpp"
#include "progress.hpp"
#include "qsohost/error.hpp"
#include "qsohost/host/chain.hpp"
#include "qsohost/host/run.hpp"
#include "watched.hpp"

namespace py = pybind11;

namespace qsohost::python {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// What a chain is made of, as the package's class Chain holds it.
struct ChainParts {
  std::string text;            // or else `file`
  std::filesystem::path file;  // for a text, the folder of relative paths
  Pairs set, swap;
  std::vector<std::filesystem::path> plugins;
  bool allow_insecure_plugins = false;
  std::optional<BatchView> arrays;
};

struct LoadedChain {
  std::shared_ptr<Plugins> plugins;
  std::optional<Chain> chain;  // none if a problem is an error
  std::vector<Problem> problems;

  // A Chain cannot be copied, which pybind11 does not see through the vector in it.
  LoadedChain() = default;
  LoadedChain(LoadedChain&&) = default;
};

LoadedChain load(const ChainParts& parts) {
  LoadedChain loaded;
  loaded.plugins = std::make_shared<Plugins>();
  if (parts.arrays) add_array_source(*loaded.plugins, parts.arrays->batch);
  if (parts.allow_insecure_plugins) loaded.plugins->allow_insecure();
  for (const auto& file : parts.plugins) loaded.plugins->add_file(file);
  const Overrides overrides{parts.set, parts.swap};
  if (parts.text.empty()) {
    loaded.chain = Chain::load(parts.file, overrides, *loaded.plugins, loaded.problems);
  } else {
    loaded.chain =
        Chain::parse(parts.text, "<text>", parts.file, overrides, *loaded.plugins, loaded.problems);
  }
  return loaded;
}

// The chain, which can run once.
Chain take_chain(LoadedChain& loaded) {
  if (!loaded.chain) throw UsageError("the chain has problems, or has run already; load it again");
  Chain chain = std::move(*loaded.chain);
  loaded.chain.reset();
  return chain;
}

ShardBy shard_by(const std::string& text) {
  if (text == "rows") return ShardBy::Rows;
  if (text == "hash") return ShardBy::Hash;
  throw UsageError("shard_by: '" + text + "' must be 'rows' or 'hash'");
}

std::optional<Shard> shard_of(const py::dict& given) {
  if (!given.contains("shard")) return std::nullopt;
  const ShardBy by = shard_by(py::cast<std::string>(given["shard_by"]));
  if (given["shard"].is_none()) {
    if (by != ShardBy::Rows) throw UsageError("shard_by goes with shard");
    return std::nullopt;
  }
  const auto [index, count] = py::cast<std::pair<std::int64_t, std::int64_t>>(given["shard"]);
  if (index < 0 || count < 1) {
    throw UsageError("shard: (" + std::to_string(index) + ", " + std::to_string(count) +
                     ") is not (k, n), such as (0, 8) for the first of eight");
  }
  return Shard{static_cast<std::uint64_t>(index), static_cast<std::uint64_t>(count), by};
}

RunOptions options_of(const py::dict& given) {
  RunOptions options;
  const auto take = [&](const char* name, auto& into) {
    if (given.contains(name) && !given[name].is_none())
      into = py::cast<std::decay_t<decltype(into)>>(given[name]);
  };
  const auto take_path = [&](const char* name, std::filesystem::path& into) {
    if (given.contains(name) && !given[name].is_none())
      into = py::cast<std::filesystem::path>(given[name]);
  };
  take("start", options.start);
  take("accept_changed_inputs", options.accept_changed_inputs);
  take("skip", options.skip);
  take("limit", options.limit);
  options.shard = shard_of(given);
  take("fetch_only", options.fetch_only);
  take("offline", options.offline);
  take("dry_run", options.dry_run);
  take("threads", options.threads);
  take("in_flight", options.in_flight);
  take("stall_timeout", options.stall_timeout);
  take("command", options.command);
  take_path("run_dir", options.run_dir);
  take_path("share_connections", options.share_connections);
  return options;
}

std::string_view word_of(RunEnd end) {
  switch (end) {
    case RunEnd::Done:
      return "done";
    case RunEnd::Unsettled:
      return "unsettled";
    case RunEnd::Interrupted:
      return "interrupted";
    case RunEnd::Failed:
      return "failed";
  }
  return "";
}

py::dict dict_of(const RunReport& report) {
  py::dict out;
  out["end"] = word_of(report.end);
  out["error"] = report.error;
  out["objects"] = report.objects;
  out["objects_this_run"] = report.objects_this_run;
  out["seconds"] = report.seconds;
  out["notes"] = report.notes;
  std::vector<std::string> products;
  for (const auto& product : report.products) products.push_back(product.string());
  out["products"] = products;
  return out;
}

py::dict run_chain(LoadedChain& loaded, const py::dict& given, py::object on_log,
                   py::object on_progress) {
  RunOptions options = options_of(given);
  Chain chain = take_chain(loaded);
  Watched watched(std::move(on_log), std::move(on_progress));
  options.interrupts = &watched.interrupts();
  std::optional<cli::LogFile> file;
  if (const auto name = py::cast<std::string>(given["log_file"]); !name.empty()) {
    file.emplace(name, LogLevel::Info);
    file->write_begin(py::cast<std::string>(given["command"]), options);
  }
  options.log = [&](LogLevel level, const std::string& text) {
    watched.log(level, text);
    if (file) file->write(level, text);
  };
  options.progress = [&](const Progress& progress) {
    watched.progress(progress);
    if (file) file->write(progress);
  };
  RunReport report;
  const auto work = [&] { return run(chain, options); };
  watched.run([&] { report = file ? file->write_end(work) : work(); });
  return dict_of(report);
}

// An iterator of batches.
class Stream {
 public:
  Stream(LoadedChain& loaded, const py::dict& given, py::object on_log)
      : watched_(std::make_shared<Watched>(std::move(on_log), py::none())) {
    refuse_in_forked_child();
    RunOptions options = options_of(given);
    options.log = [w = watched_.get()](LogLevel l, const std::string& text) { w->log(l, text); };
    stream_ = std::make_unique<BatchStream>(loaded.plugins, take_chain(loaded), std::move(options));
  }
  ~Stream() {
    try {
      close();
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): no one is left to be told
    }
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  BatchView next() {
    constexpr auto wait = std::chrono::milliseconds(100);
    while (stream_) {
      BatchView view;
      BatchStream::State state{};
      {
        const py::gil_scoped_release released;
        state = stream_->next(wait, view.batch);
      }
      watched_->wake_up();
      if (state == BatchStream::State::Batch) return view;
      if (state == BatchStream::State::End) break;
    }
    throw py::stop_iteration();
  }

  void close() {
    // Its thread is not there, and its locks may be held for ever.
    if (is_forked_child()) static_cast<void>(stream_.release());
    const py::gil_scoped_release released;
    stream_.reset();
  }

 private:
  std::shared_ptr<Watched> watched_;
  std::unique_ptr<BatchStream> stream_;
};

// Exit code, and what the command wrote to stdout and to stderr.
py::tuple command(const std::vector<std::string>& words) {
  static std::mutex one_at_a_time;
  std::string texts[2];
  std::mutex mutex;
  const auto output = [&](cli::Stream stream, std::string_view text) {
    const std::lock_guard lock(mutex);
    texts[stream == cli::Stream::Out ? 0 : 1] += text;
  };
  int code = 0;
  Watched watched{py::none(), py::none()};
  watched.run([&] {
    const std::lock_guard lock(one_at_a_time);
    code = cli::command(words, watched.interrupts(), output);
  });
  // A path may have any bytes.
  const auto decoded = [](const std::string& text) {
    return py::reinterpret_steal<py::object>(PyUnicode_DecodeUTF8(
        text.data(), static_cast<py::ssize_t>(text.size()), "surrogateescape"));
  };
  return py::make_tuple(code, decoded(texts[0]), decoded(texts[1]));
}

using ObjectLine =
    std::tuple<std::string, std::string, std::string, std::uint64_t, std::string, std::string>;

std::vector<ObjectLine> objects_of(const std::filesystem::path& run_dir, Outcome outcome) {
  std::vector<ObjectLine> out;
  each_object(run_dir, outcome, [&](const ObjectStatus& object) {
    out.emplace_back(object.source_id, object.stage, name_of(object.outcome), object.attempts,
                     object.when, object.reason);
    return true;
  });
  return out;
}

}  // namespace

void add_runs(py::module_& module) {
  py::enum_<StartMode>(module, "StartMode")
      .value("FRESH", StartMode::Fresh)
      .value("RESUME", StartMode::Resume)
      .value("RESTART", StartMode::Restart)
      .value("RETRY_FAILED", StartMode::RetryFailed);
  py::enum_<Outcome>(module, "Outcome")
      .value("MATCHED", Outcome::Matched)
      .value("NOT_FOUND", Outcome::NotFound)
      .value("FAILED", Outcome::Failed)
      .value("BAD", Outcome::BadObject);
  py::class_<Problem>(module, "Problem", "What is wrong with a chain, and where.")
      .def_property_readonly("file", [](const Problem& p) { return p.place.file; })
      .def_property_readonly(
          "line", [](const Problem& p) { return p.place.line; },
          "From 1; 0 if it is not in a file.")
      .def_property_readonly("column", [](const Problem& p) { return p.place.column; })
      .def_readonly("message", &Problem::message)
      .def_readonly("is_warning", &Problem::is_warning)
      .def("__str__", &Problem::text)
      .def("__repr__", [](const Problem& p) { return "<problem " + p.text() + ">"; });
  py::class_<LoadedChain>(module, "LoadedChain")
      .def_property_readonly("is_good", [](const LoadedChain& l) { return l.chain.has_value(); })
      .def_readonly("problems", &LoadedChain::problems)
      .def_property_readonly("name", [](const LoadedChain& l) { return l.chain->settings().name; })
      .def_property_readonly("stages",
                             [](const LoadedChain& l) {
                               std::vector<std::tuple<std::string, std::string, std::string>> out;
                               for (const ChainStage& s : l.chain->stages())
                                 out.emplace_back(s.label, s.use, name_of(s.offer.role));
                               return out;
                             })
      .def("effective", [](const LoadedChain& l) { return l.chain->effective(); });
  module.def("load", [](std::string text, const std::string& file, Pairs set, Pairs swap,
                        std::vector<std::string> plugins, bool allow_insecure_plugins,
                        std::optional<BatchView> arrays) {
    const ChainParts parts{std::move(text),
                           file,
                           std::move(set),
                           std::move(swap),
                           {plugins.begin(), plugins.end()},
                           allow_insecure_plugins,
                           std::move(arrays)};
    const py::gil_scoped_release released;
    return load(parts);
  });
  module.def("run", &run_chain);
  py::class_<Stream>(module, "Stream")
      .def(py::init<LoadedChain&, const py::dict&, py::object>())
      .def("__iter__", [](py::object self) { return self; })
      .def("__next__", &Stream::next)
      .def("close", &Stream::close);
  module.def("bar_line",
             [](std::uint64_t done, std::optional<std::uint64_t> total, std::uint64_t this_run,
                double seconds, const std::string& stage, std::size_t width) {
               return cli::bar_line({done, total, this_run, seconds, stage}, width);
             });
  module.def("command", &command);
  module.def("objects_of", &objects_of, py::call_guard<py::gil_scoped_release>());
}

}  // namespace qsohost::python
