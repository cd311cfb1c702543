// The five kinds of stage. The host enforces their roles: a Source only creates objects; Fetchers
// and Fitters add columns and never remove; Filters remove rows or epochs, or convert times, and
// never add; Sinks only read.
//
// Constructors touch nothing, so that a stage can be inspected without running. `const` is the
// threading contract: const functions are called from any thread, several at a time.
//
// Whatever a call throws is reported with the name of the stage, except NotFound, TryAgain and
// BadObject where they set an object's outcome. An exception that leaves close(), a destructor or
// one of the plugin's own threads cannot be caught: it ends the program.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/context.hpp"
#include "qsohost/light_curve.hpp"
#include "qsohost/option.hpp"
#include "qsohost/port.hpp"

namespace qsohost::inline v1 {

class Examination;

// The numbers are stored in the notes of plugins: do not change them.
enum class Role : std::uint8_t { Source = 0, Fetcher = 1, Filter = 2, Fitter = 3, Sink = 4 };
QSOHOST_API std::string_view name_of(Role role);  // "Source", ...

// The outcome of a Fetcher for one object. The numbers are a file format, that of run.db: do not
// change them.
enum class Outcome : std::uint8_t { Matched = 0, NotFound = 1, Failed = 2, BadObject = 3 };
QSOHOST_API std::string_view name_of(Outcome outcome);  // "matched", "not found", ...

// The same with the reason, in a few words; none for Matched.
struct Ending {
  Outcome outcome = Outcome::Matched;
  std::string reason{};
};

// Named sums that end up in the run's closing report, e.g. ("ztf.g", "epochs in"). Any thread.
class QSOHOST_API Counts {
 public:
  Counts() = default;
  Counts(const Counts& other);
  void add(std::string_view item, std::string_view what, std::int64_t n = 1);
  void add(const Counts& other);
  struct Entry {
    std::string item;
    std::string what;
    std::int64_t n = 0;
  };
  std::vector<Entry> entries() const;  // in the order of first use, items together

 private:
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
};

// What a Fetcher reports for each object of a batch. An object without an outcome is an error of
// the plugin: none is dropped silently.
class QSOHOST_API Outcomes {
 public:
  struct State {
    std::optional<Outcome> outcome;
    std::string reason;        // empty for Matched
    std::string detail;        // what was found, briefly: "g 312, r 280; oids 3"
    std::uint64_t epochs = 0;  // filled in by the host
  };

  // `groups`: those that the fetcher adds.
  Outcomes(std::size_t rows, std::vector<std::string> groups);

  // Calls `fetch_one` for each object in order and ends its row in each group. NotFound, TryAgain
  // and BadObject thrown by it become the object's outcome and undo what it had appended; if
  // it returns, the object is matched.
  void for_each(Batch& batch, const std::function<void(const Object&)>& fetch_one);

  // The same for a fetcher that already knows the outcome of some objects: `fetch_one` returns it,
  // and may throw as above too.
  void end_each(Batch& batch, const std::function<Ending(const Object&)>& fetch_one);

  void set(std::size_t row, Outcome outcome, std::string reason = {});
  // A few words on what was found, for the ledger of the run; optional.
  void set_detail(std::size_t row, std::string detail);
  const std::vector<State>& states() const { return states_; }
  std::vector<State>& states() { return states_; }
  Counts& counts() { return counts_; }

 private:
  std::vector<State> states_;
  std::vector<std::string> groups_;
  Counts counts_;
};

// Where a Fitter writes its results for one object, in the columns that it declared. An object has
// all of its results or none: if fit() throws BadObject, they are undone.
class QSOHOST_API Result {
 public:
  // Called by the host. `arrays` and `counts` are of this object alone.
  Result(Batch& batch, std::size_t row, const Ports& declared, std::deque<Group>& arrays,
         Counts& counts)
      : batch_(&batch), row_(row), declared_(&declared), arrays_(&arrays), counts_(&counts) {}

  // An object column of the type declared, with one value per object.
  template <class T>
  void set(std::string_view column, T value) {
    one_value("", column).template values<T>()[row_] = static_cast<Stored<T>>(value);
  }
  // This object's cell of an object column of any width: as many values as were declared.
  template <class T>
  std::span<Stored<T>> cell(std::string_view column) {
    Column& c = own("", column);
    return c.template values<T>().subspan(row_ * c.width(), c.width());
  }
  // This object's part of an epoch column that was added to an existing group ("keep").
  template <class T>
  std::span<Stored<T>> epochs(std::string_view group, std::string_view column) {
    Column& c = one_value(group, column);
    const Slice s = batch_->group(group).slice(row_);
    return c.template values<T>().subspan(s.first, s.count);
  }
  // One more element for this object in a group that this fitter adds (arrays of any length). All
  // columns of that group must get the same number of elements.
  template <class T>
  void append(std::string_view group, std::string_view column, T value) {
    array(group, column).append(value);
  }
  void count(std::string_view item, std::string_view what, std::int64_t n = 1) {
    counts_->add(item, what, n);
  }

 private:
  // A column that this fitter added to the batch; throws RunError if it did not.
  Column& own(std::string_view group, std::string_view column);
  Column& one_value(std::string_view group, std::string_view column);
  Column& array(std::string_view group, std::string_view column);

  Batch* batch_;
  std::size_t row_;
  const Ports* declared_;
  std::deque<Group>* arrays_;
  Counts* counts_;
};

// An external input of a stage's results. The ledger of a run stores it, and a run is resumed only
// if its inputs are unchanged.
struct Input {
  std::string name;   // "/data/dr16q.fits", "script fit.py"
  std::string state;  // compared as text
};

// A file: its size and a digest of its content; for one larger than 256 MiB, of its first and last
// MiB and its modification time. One that cannot be read has the state "not there".
QSOHOST_API Input file_input(const std::filesystem::path& file);
// A text, such as a script or a query: a digest of it.
QSOHOST_API Input text_input(std::string name, std::string_view text);

class QSOHOST_API Stage : public OptionOwner, public PortOwner {
 public:
  virtual ~Stage();

  // The stage's name in the chain, used in results and messages.
  const std::string& label() const { return label_; }
  void set_label(std::string label) { label_ = std::move(label); }  // by the host

  // Rules between options; throws RunError. Pure: opens nothing.
  virtual void validate() const {}
  // Ports that depend on options or on the stages before. Called by --check, when nothing is open,
  // and again once the source is open.
  virtual void declare(const Schema& before, Ports& ports) const;
  // Inputs of its results besides its options and its code: the files that it will read, the text
  // of a script. Called before open().
  virtual std::vector<Input> fingerprint() const { return {}; }
  // A stage that was closed may be opened again; a Source then begins with its first object.
  virtual void open(Context& context);
  virtual void close() noexcept {}
  // Asks the archives that the stage uses what they serve, for `qsohost doctor`; see
  // examination.hpp. By default it uses none. Called without open(), once its options are set.
  virtual void examine(Examination& archive) const;
  // How many batches may be in a Filter or Fitter at once; 0: as many as there are threads. One
  // with a limit has threads of its own, so that no others wait for it, and its for_each() works on
  // the calling thread alone. A Fetcher has lanes(); Sources and Sinks get one batch at a time.
  virtual int max_parallel() const { return 0; }

 protected:
  Stage() = default;

 private:
  std::string label_;
};

class QSOHOST_API Source : public Stage {
 public:
  static constexpr Role role = Role::Source;
  ~Source() override;
  // Fills up to batch.capacity() rows, "source_id" among the columns; false at the end (the batch
  // then stays empty). The order must be the same in every run. One thread. A source that waits for
  // its rows must return false too when Context::stop_requested().
  virtual bool read(Batch& batch) = 0;
  // Total number of objects, if known without reading everything.
  virtual std::optional<std::uint64_t> size() const { return std::nullopt; }
  // Makes object `first`, counted from 0, the next that read() returns, without reading those
  // before it. Returns the object that is next: `first`, or the number of objects if there are
  // fewer, or 0 if it cannot seek; then the host reads and drops those before. Called after open(),
  // before read(). A shard skips what --skip leaves out, a resumed run all committed batches except
  // the last. Skipped objects are not compared with those of the run before, so a source that can
  // seek must list in fingerprint() every file that determines their order.
  virtual std::uint64_t seek(std::uint64_t first);
  // Numbers about the input as a whole, such as rows that cannot be used, for the closing report
  // and `qsohost status`. Called after open(), and again when the run ends: those that are not
  // known keep the value that an earlier call or run has given.
  virtual Counts counts() const;
};

class QSOHOST_API Fetcher : public Stage {
 public:
  static constexpr Role role = Role::Fetcher;
  ~Fetcher() override;
  // Appends the epochs of every object, in row order, to the groups it declared, and sets each
  // object's outcome. Called on the fetcher's own I/O threads, never on a compute thread.
  virtual void fetch(Batch& batch, Outcomes& outcomes) = 0;
  // How many batches may be in fetch() at once, each on its own thread.
  virtual int lanes() const { return 1; }
};

// An object that a Filter could not do, by source_id, since rows may go.
struct NotDone {
  std::string id;
  std::string reason;
};

// Overrides apply() or, if there may be objects that it cannot do, apply_where_possible().
class QSOHOST_API Filter : public Stage {
 public:
  static constexpr Role role = Role::Filter;
  ~Filter() override;
  virtual void apply(Batch& batch, Counts& counts) const;
  // Returns the objects that it could not do: the ledger lists them as bad, with the reason. They
  // stay in the batch, so the Filter must leave a mark in them, such as NaN.
  virtual std::vector<NotDone> apply_where_possible(Batch& batch, Counts& counts) const;
};

// A batch as passed to a Fitter.
class QSOHOST_API FitBatch {
 public:
  using FitOne = std::function<void(const Object&, Result&)>;
  // By the host.
  FitBatch(const Batch& batch, std::function<void(const FitOne&)> for_each)
      : batch_(&batch), for_each_(std::move(for_each)) {}

  const Batch& batch() const { return *batch_; }
  // Calls `fit_one` for every object (object.row() is its row), on several threads at once; what it
  // throws applies to that object, as described at Fitter::fit. Call once.
  void for_each(const FitOne& fit_one) { for_each_(fit_one); }

 private:
  const Batch* batch_;
  std::function<void(const FitOne&)> for_each_;
};

// Overrides fit() or, if many objects at once are faster, fit_batch().
class QSOHOST_API Fitter : public Stage {
 public:
  static constexpr Role role = Role::Fitter;
  ~Fitter() override;
  // One object. May throw BadObject: the object is flagged, its results keep their fill values and
  // its arrays stay empty, whatever was written to `result`.
  virtual void fit(const Object& object, Result& result) const;
  // All objects of a batch; by default each by fit(). A fitter that works on the batch as a whole
  // (on a GPU) does so first, and then stores its results:
  //
  //   const auto found = fit_on_device(batch.batch());
  //   batch.for_each([&](const Object& object, Result& result) {
  //     if (!found[object.row()].is_good) throw BadObject("the fit has no maximum");
  //     result.set("tau", found[object.row()].tau);
  //   });
  //
  // An exception that leaves fit_batch() ends the run. Several batches may be in it at once.
  virtual void fit_batch(FitBatch& batch) const;
};

// What a Sink stores of one batch. A batch that is done again is another attempt and another chunk,
// so files of an interrupted run are never mistaken for those of a committed batch.
struct Chunk {
  std::uint64_t ordinal = 0;  // of the batch
  std::uint64_t attempt = 1;
  std::uint64_t objects = 0;  // of the batch as it came to the sink
  // Where the files are of a chunk of another run, which is merged; empty: in the sink's chunk_dir.
  std::filesystem::path folder{};
  // The file for this chunk, from a sink's chunk_dir: "00000012-1.fits", or with `part`
  // "00000012-1-part.fits". The host removes chunks by these names.
  QSOHOST_API std::string file_name(std::string_view extension, std::string_view part = {}) const;
};

// Where a Sink writes its products.
class QSOHOST_API Products {
 public:
  virtual ~Products();
  // The file to write in place of `product`, a path as declared by Ports::writes() with the name of
  // the chain filled in; its folder exists. When all sinks have finished, the host renames all of
  // these files.
  virtual std::filesystem::path part(const std::filesystem::path& product) = 0;
};

class QSOHOST_API Sink : public Stage {
 public:
  static constexpr Role role = Role::Sink;
  ~Sink() override;
  // Stores the batch as this chunk in run().chunk_dir so that it survives a crash once this returns
  // (see publish_file). Writing a chunk again replaces it. One thread, in source order.
  virtual void write(const Batch& batch, const Chunk& chunk) = 0;
  // Called once when every batch is committed: makes the products from these chunks, in this order.
  // Throws RunError if one of them does not match its number of objects.
  virtual void finish(std::span<const Chunk> chunks, Products& products) = 0;
  // True if the chunks must stay when the run is done, for `qsohost merge`.
  virtual bool keeps_chunks() const { return false; }
};

}  // namespace qsohost::inline v1
