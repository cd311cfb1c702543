// Stages with no survey behind them, for tests of the executor: what they do, how long they take
// and how they fail is all in their options.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <new>
#include <qsohost/plugin.hpp>
#include <stdexcept>
#include <string>
#include <thread>

using namespace qsohost;

namespace {

// Batches between the source and the last sink, and the most there were at once.
std::atomic<int> in_flight{0};
std::atomic<int> most_in_flight{0};

// Not a loop to the compiler.
int without_end(int n) {  // NOLINT(misc-no-recursion)
  volatile int here[64] = {n};
  return n < 0 ? here[0] : without_end(n + 1) + here[0];
}

void crash_as(const std::string& how) {
  // cppcheck-suppress nullPointer
  if (how == "segv") *static_cast<volatile int*>(nullptr) = 1;
  if (how == "abort") std::abort();
  if (how == "fpe") std::raise(SIGFPE);
  if (how == "recursion") without_end(1);
  if (how == "thread") std::thread([] { throw std::runtime_error("made to fail"); }).join();
}

void fail_as(const std::string& how) {
  crash_as(how);
  if (how == "std") throw std::runtime_error("made to fail");
  if (how == "escape") throw std::runtime_error("red \x1b[31m, bell \a, next\nline");
  if (how == "memory") throw std::bad_alloc();
  if (how == "number") throw 42;
  if (how == "chain") throw RunError("made to fail");
  if (how == "bad") throw BadObject("made bad");
}

bool is_there(const Path& path) {
  return !path.text.empty() && std::filesystem::exists(path.text);
}

void pause(std::int64_t ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

// Differs from batch to batch, so that they overtake one another.
std::int64_t uneven(std::int64_t ms, const Batch& batch) {
  return ms * static_cast<std::int64_t>(batch.ordinal() * 7 % 5) / 2;
}

struct FauxTable : OptionOwner {
  Option<Path> file{this, "file", Path{}, "a path in a table"};
  Option<std::string> text{this, "text", "", "no path"};
};

class FauxSource : public Source {
 public:
  void declare(const Schema& /*before*/, Ports& ports) const override {
    ports.adds({"", "source_id", DType::I64, "", "1, 2, 3, ..."});
    ports.adds({"", "z", DType::F64, "", "redshift"});
  }
  std::uint64_t seek(std::uint64_t first) override {
    if (!*can_seek_) return 0;
    const auto seen = std::min(first, static_cast<std::uint64_t>(*objects_));
    next_ = static_cast<std::int64_t>(seen) + 1;
    return seen;
  }
  std::vector<Input> fingerprint() const override {
    pause(*fingerprint_ms_);
    return {};
  }
  void open(Context& /*context*/) override {
    next_ = 1;
    in_flight = most_in_flight = 0;
    if (*fails_ == "open") throw std::runtime_error("made to fail at open");
    if (*fails_ == "open usage") throw UsageError("made to fail at open");
  }
  bool read(Batch& batch) override {
    if (next_ > *objects_) return false;
    pause(*ms_);
    const int now = ++in_flight;
    if (now > most_in_flight) most_in_flight = now;
    for (std::size_t i = 0; i < batch.capacity() && next_ <= *objects_; ++i, ++next_) {
      if (next_ == *fail_at_ && (fails_as_->text.empty() || is_there(*fails_as_))) {
        fail_as(fails_as_->text.empty() ? *fails_ : "std");
      }
      if (!reads_log_->text.empty())
        std::ofstream(reads_log_->text, std::ios::app) << next_ << '\n';
      batch.objects().at("source_id").append(1 + (next_ - 1) / *copies_);
      batch.objects().at("z").append(0.001 * static_cast<double>(next_));
    }
    return true;
  }
  std::optional<std::uint64_t> size() const override {
    return static_cast<std::uint64_t>(*objects_);
  }

 private:
  Option<std::int64_t> objects_{this, "objects", 100, "how many", {.min = 0}};
  Option<std::int64_t> fail_at_{this, "fail_at", -1, "object at which to fail"};
  Option<std::string> fails_{this, "fails", "", "how"};
  Option<std::int64_t> ms_{this, "ms", 0, "time it takes"};
  Option<std::int64_t> fingerprint_ms_{this, "fingerprint_ms", 0, "time to say what it reads"};
  Option<std::int64_t> copies_{this, "copies", 1, "so many objects have one source_id"};
  OptionTables<FauxTable> table_{this, "table", "nothing comes of them"};
  Option<Path> fails_as_{this, "fails_as", Path{}, "fails only while this file exists"};
  Option<Path> reads_log_{this, "reads_log", Path{}, "a line for each object that is read"};
  Option<bool> can_seek_{this, "can_seek", false, "goes to an object without those before it"};
  std::int64_t next_ = 1;
};

class FauxFetch : public Fetcher {
 public:
  void declare(const Schema& /*before*/, Ports& ports) const override {
    ports.adds_group({"faux.g", "faux", "g", "mjd", "mag", "magerr", kMjdUtc},
                     {{"mjd", DType::F64, "d", "time"},
                      {"mag", DType::F32, "mag", "magnitude"},
                      {"magerr", DType::F32, "mag", "its error"}});
  }
  int lanes() const override { return static_cast<int>(*lanes_); }
  void fetch(Batch& batch, Outcomes& outcomes) override {
    pause(uneven(*ms_, batch));
    if (*silent_) {
      for (std::size_t i = 0; i < batch.rows(); ++i) batch.group("faux.g").close_row();
      return;
    }
    const bool down = is_there(*fails_while_);
    const bool broken = is_there(*bad_while_);
    Group& epochs = batch.group("faux.g");
    outcomes.for_each(batch, [&](const Object& object) {
      const std::int64_t id = std::stoll(object.id());
      if (id == *fail_at_) fail_as(*fails_);
      for (std::int64_t k = 0; k < id % 7 + *more_; ++k) {
        epochs.at("mjd").append(58000.0 + static_cast<double>((k * 5 + id) % 11));
        epochs.at("mag").append(18.0F + static_cast<float>(k) / 8);
        epochs.at("magerr").append(0.1F);
      }
      // After the epochs: what was appended must be taken back.
      if (id % 10 == 3 && *fails_row_ < 0) throw NotFound("nothing there");
      const bool is_hit =
          *fails_row_ < 0 ? id % 10 == 4 : static_cast<std::int64_t>(object.row()) == *fails_row_;
      if (down && is_hit) throw TryAgain("server is down");
      if (broken && id % 10 == 4) throw BadObject("broken file");
    });
    outcomes.counts().add("faux.g", "asked", static_cast<std::int64_t>(batch.rows()));
  }

 private:
  Option<std::int64_t> lanes_{this, "lanes", 1, "lanes", {.affects_results = false}};
  Option<std::int64_t> ms_{this, "ms", 0, "time it takes"};
  Option<std::int64_t> fail_at_{this, "fail_at", -1, "object at which to fail"};
  Option<std::string> fails_{this, "fails", "", "how"};
  Option<std::int64_t> more_{this, "more", 0, "so many epochs more of each object"};
  Option<bool> silent_{this, "silent", false, "says nothing of any object"};
  Option<Path> fails_while_{this, "fails_while", Path{},
                            "some objects fail while this file exists"};
  Option<std::int64_t> fails_row_{this, "fails_row", -1, "which of a batch fails; -1: by number"};
  Option<Path> bad_while_{this, "bad_while", Path{}, "some objects are bad while this file exists"};
};

class FauxFit : public Fitter {
 public:
  void declare(const Schema& /*before*/, Ports& ports) const override {
    ports.reads({"faux.g", "mag", DType::F32, "mag"});
    ports.adds({"", label() + ".faux.g.mean", DType::F64, "mag", "mean magnitude"});
    if (*reads_it_) ports.reads({"faux.g", *epochs_, DType::Bool});
    ports.adds({"faux.g", *epochs_, DType::Bool, "", "0: goes", 1});
    ports.adds_group({.name = label() + ".faux.g"});
    ports.adds({label() + ".faux.g", "removed", DType::F64, "d", "times of what goes"});
  }
  void fit(const Object& object, Result& result) const override {
    if (std::stoll(object.id()) == *fail_at_) fail_as(*fails_);
    if (is_there(*bad_while_) && std::stoll(object.id()) % 10 == 6) throw BadObject("made bad");
    if (is_there(*crashes_while_) && object.id() == "58") {
      std::string how;
      std::ifstream(crashes_while_->text) >> how;
      crash_as(how);
    }
    const LightCurve curve = object.light_curve("faux.g");
    auto keep = result.epochs<bool>("faux.g", *epochs_);
    double sum = 0;
    for (std::size_t k = 0; k < curve.size(); ++k) {
      sum += curve.mag[k];
      if (curve.time[k] >= 58008) {
        keep[k] = 0;
        result.append(label() + ".faux.g", "removed", curve.time[k]);
      }
    }
    if (curve.size() > 0) {
      result.set(label() + ".faux.g.mean", sum / static_cast<double>(curve.size()));
    }
    result.count("faux.g", "fitted");
  }

 private:
  Option<std::string> epochs_{this, "epochs", "keep", "its column of epochs"};
  Option<bool> reads_it_{this, "reads_it", false, "it reads that column, too"};
  Option<std::int64_t> fail_at_{this, "fail_at", -1, "object at which to fail"};
  Option<std::string> fails_{this, "fails", "", "how"};
  Option<Path> bad_while_{this, "bad_while", Path{}, "some objects are bad while this file exists"};
  Option<Path> crashes_while_{this, "crashes_while", Path{},
                              "object 58 crashes while this file exists, as its first word says"};
};

// Gives no number of an object, only arrays.
class FauxArrays : public Fitter {
 public:
  void declare(const Schema& /*before*/, Ports& ports) const override {
    ports.reads({"faux.g", "mag", DType::F32, "mag"});
    ports.adds_group({.name = label() + ".faux.g"});
    ports.adds({label() + ".faux.g", "brighter", DType::F64, "mag", "magnitudes below 18.3"});
  }
  void fit(const Object& object, Result& result) const override {
    for (const double mag : object.light_curve("faux.g").mag) {
      if (mag < 18.3) result.append(label() + ".faux.g", "brighter", mag);
    }
  }
};

// A fit with a likelihood; the one that cleans has it twice, like ou-loo.
template <bool Cleans>
class FauxModel : public Fitter {
 public:
  void declare(const Schema& /*before*/, Ports& ports) const override {
    ports.reads({"faux.g", "mag", DType::F32, "mag"});
    ports.adds({"", name("n_epochs"), DType::I32, "", "epochs"});
    ports.adds({"", name("flags"), DType::I32, "", "flags"});
    ports.adds({"", name("n_parameters"), DType::I32, "", "parameters"});
    if (Cleans) ports.adds({"", name("n_removed"), DType::I32, "", "epochs removed"});
    for (const char* suffix : {"_full", "_post"}) {
      ports.adds({"", name("loglike", suffix), DType::F64, "", "ln of the likelihood"});
      ports.adds({"", name("aic", suffix), DType::F64, "", "Akaike's criterion"});
      ports.adds({"", name("log_jitter", suffix), DType::F64, "", "ln of the jitter, mag"});
      if (!Cleans) return;
    }
  }
  void fit(const Object& object, Result& result) const override {
    const auto epochs = static_cast<std::int32_t>(object.light_curve("faux.g").size());
    result.set(name("n_epochs"), epochs + static_cast<std::int32_t>(*more_epochs_));
    result.set(name("flags"), static_cast<std::int32_t>(*flags_));
    const std::int32_t parameters = *jitter_ ? 4 : 3;
    result.set(name("n_parameters"), parameters);
    if (Cleans) result.set<std::int32_t>(name("n_removed"), 2);
    double loglike = -epochs + *better_by_;
    for (const char* suffix : {"_full", "_post"}) {
      result.set(name("loglike", suffix), loglike);
      result.set(name("aic", suffix), 2.0 * parameters - 2 * loglike);
      if (*jitter_) result.set(name("log_jitter", suffix), -3.0);
      if (!Cleans) return;
      loglike += 1000;
    }
  }

 private:
  std::string name(const std::string& of, const char* suffix = "") const {
    return label() + ".faux.g." + of + (Cleans ? suffix : "");
  }
  Option<std::string> mean_{this, "mean", "median", "of the process"};
  Option<bool> jitter_{this, "jitter", false, "fits one"};
  Option<std::int64_t> flags_{this, "flags", 0, "of all objects"};
  Option<std::int64_t> more_epochs_{this, "more_epochs", 0, "than there are"};
  Option<double> better_by_{this, "better_by", 0.0, "ln of the likelihood"};
};

// A light curve in another time system than that of FauxFetch.
class FauxClock : public Fetcher {
 public:
  void declare(const Schema& /*before*/, Ports& ports) const override {
    ports.adds_group(
        {"clock.g", "clock", "g", "time", "mag", "mag_err", *like_faux_ ? kMjdUtc : kGaiaTime},
        {{"time", DType::F64, "d", "time"}});
  }
  void fetch(Batch& batch, Outcomes& outcomes) override {
    outcomes.for_each(batch, [](const Object&) {});
  }

 private:
  Option<bool> like_faux_{this, "like_faux", false, "the same system"};
};

class FauxBoth : public Fitter {
 public:
  void declare(const Schema& /*before*/, Ports& ports) const override {
    ports.reads({"faux.g", "mjd", DType::F64, "d"});
    ports.reads({"clock.g", "time", DType::F64, "d"});
    if (*converts_) ports.minds_time_systems();
    if (*sets_) ports.sets_time_system("clock.g", kMjdUtc);
  }
  void fit(const Object& /*object*/, Result& /*result*/) const override {}

 private:
  Option<bool> converts_{this, "converts", false, "it brings the times together"};
  Option<bool> sets_{this, "sets", false, "breaks the law of fitters"};
};

class FauxSetClock : public Filter {
 public:
  void declare(const Schema& /*before*/, Ports& ports) const override {
    ports.sets_time_system("clock.g", kMjdUtc);
  }
  void apply(Batch& /*batch*/, Counts& /*counts*/) const override {}
};

// The sum of the numbers of all objects of the batch, made before any of them is looked at.
class FauxBatchFit : public Fitter {
 public:
  void declare(const Schema& /*before*/, Ports& ports) const override {
    ports.adds({"", label() + ".sum", DType::F64, "", "of the batch"});
    ports.adds_group({.name = label() + ".ids"}, {{"id", DType::I64, "", "of the object"}});
  }
  void fit_batch(FitBatch& fits) const override {
    if (*fails_ == "batch") throw std::runtime_error("made to fail");
    if (*fails_ == "silent") return;
    std::int64_t sum = 0;
    for (std::size_t row = 0; row < fits.batch().rows(); ++row) {
      sum += std::stoll(fits.batch().id(row));
    }
    fits.for_each([&](const Object& object, Result& result) {
      const std::int64_t id = std::stoll(object.id());
      result.append(label() + ".ids", "id", id);
      result.set(label() + ".sum", static_cast<double>(sum));
      if (id == *fail_at_) fail_as(*fails_);
    });
    if (*fails_ == "twice") fits.for_each([](const Object&, Result&) {});
  }

 private:
  Option<std::int64_t> fail_at_{this, "fail_at", -1, "object at which to fail"};
  Option<std::string> fails_{this, "fails", "", "how"};
};

class FauxFilter : public Filter {
 public:
  std::vector<NotDone> apply_where_possible(Batch& batch, Counts& counts) const override {
    std::vector<NotDone> not_done;
    std::vector<std::uint8_t> keep(batch.rows(), 1);
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      const std::int64_t id = std::stoll(batch.id(row));
      if (id == *fail_at_) fail_as(*fails_);
      if (id % *every_ == 0) keep[row] = 0;
      if (id == *bad_at_) not_done.push_back({batch.id(row), "cannot be filtered"});
    }
    batch.keep_rows(keep);
    if (*swaps_) {
      batch.drop_group("faux.g");
      Group& other = batch.add_group({.name = "other.g"});
      const std::vector<std::uint64_t> lengths(batch.rows(), 0);
      other.append_rows(lengths);
    }
    if (*adds_) batch.objects().add({"more", DType::F64, "", ""}).resize(batch.rows());
    counts.add("objects", "kept", static_cast<std::int64_t>(batch.rows()));
    return not_done;
  }

 private:
  Option<std::int64_t> every_{this, "every", 5, "drops every n-th object"};
  Option<std::int64_t> bad_at_{this, "bad_at", -1, "object that it cannot do"};
  Option<bool> swaps_{this, "swaps", false, "puts another group in the place of one"};
  Option<bool> adds_{this, "adds", false, "breaks the law of filters"};
  Option<std::int64_t> fail_at_{this, "fail_at", -1, "object at which to fail"};
  Option<std::string> fails_{this, "fails", "", "how"};
};

// One line per object; the product is the chunks end to end.
class FauxSink : public Sink {
 public:
  void open(Context& context) override {
    context_ = &context;
    pause(*open_ms_);
  }
  void declare(const Schema& /*before*/, Ports& ports) const override {
    ports.writes(label() + ".txt");
    ports.rows(*rows_);
  }
  void write(const Batch& batch, const Chunk& part) override {
    pause(*ms_);
    std::string text;
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      if (std::stoll(batch.id(row)) == *fail_at_) fail_as(*fails_);
      text += batch.id(row);
      for (const Group& group : batch.groups()) {
        for (const Column& column : group) {
          const Slice s = group.slice(row);
          for (std::size_t k = 0; k < s.count; ++k) {
            text += " " + std::to_string(column.number(s.first + k));
          }
        }
      }
      text += "\n";
    }
    const auto chunk = context_->run().chunk_dir / part.file_name("txt");
    const auto temporary = chunk.string() + ".part";
    std::ofstream(temporary) << text;
    publish_file(temporary, chunk);
    if (*last_) --in_flight;
  }
  void close() noexcept override { pause(*close_ms_); }
  void finish(std::span<const Chunk> chunks, Products& products) override {
    pause(*finish_ms_);
    std::ofstream out(products.part(label() + ".txt"));
    for (const Chunk& part : chunks) {
      std::ifstream in(context_->run().chunk_dir / part.file_name("txt"));
      // An empty chunk would set the stream's fail bit.
      if (in.peek() != std::ifstream::traits_type::eof()) out << in.rdbuf();
    }
    context_->info("most in flight " + std::to_string(most_in_flight));
  }

 private:
  Option<std::int64_t> ms_{this, "ms", 0, "time it takes"};
  Option<std::int64_t> open_ms_{this, "open_ms", 0, "time to open it"};
  Option<std::int64_t> finish_ms_{this, "finish_ms", 0, "time to make the product"};
  Option<std::int64_t> close_ms_{this, "close_ms", 0, "time to close it"};
  Option<bool> last_{this, "last", false, "batches end here"};
  Option<std::string> rows_{this, "rows", "", "which rows it says that it writes"};
  Option<std::int64_t> fail_at_{this, "fail_at", -1, "object at which to fail"};
  Option<std::string> fails_{this, "fails", "", "how"};
  Context* context_ = nullptr;
};

}  // namespace

QSOHOST_PLUGIN("faux", "1.0.0", stage<FauxSource>("faux-source", "numbered objects"),
               stage<FauxFetch>("faux-fetch", "made-up epochs"),
               stage<FauxFit>("faux-fit", "means"), stage<FauxArrays>("faux-arrays", "arrays"),
               stage<FauxModel<false>>("faux-model", "a likelihood"),
               stage<FauxModel<true>>("faux-cleaner", "two likelihoods"),
               stage<FauxClock>("faux-clock", "times of another kind"),
               stage<FauxBoth>("reads-both", "reads both"),
               stage<FauxSetClock>("set-clock", "times of another kind become those of faux"),
               stage<FauxBatchFit>("faux-batch-fit", "sums up a batch"),
               stage<FauxFilter>("faux-filter", "drops some"),
               stage<FauxSink>("faux-sink", "text files"));
