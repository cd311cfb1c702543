// Stages for tests of what cells hold: a source whose redshifts are vectors, and a fitter that
// gives up half way through an object.
#include <qsohost/plugin.hpp>
#include <string>

using namespace qsohost;

namespace {

// Object i (from 1) has z = i, i + 0.5, ...: `width` values.
class VectorSource : public Source {
 public:
  void declare(const Schema& /*before*/, Ports& ports) const override {
    if (!open_ && !*early_) {
      ports.adds({"", "source_id", std::nullopt, "", ""});
      return ports.adds_unknown();
    }
    ports.adds({"", "source_id", DType::I64, "", ""});
    ports.adds({"", "z", DType::F64, "", "redshift", 0, static_cast<std::size_t>(*width_)});
    ports.adds({"", "name", DType::String, "", ""});
  }
  void open(Context& /*context*/) override { open_ = true; }
  bool read(Batch& batch) override {
    if (next_ > 6) return false;
    Column z({"z", DType::F64, "", "", static_cast<std::size_t>(*gives_ > 0 ? *gives_ : *width_)});
    for (; next_ <= 6; ++next_) {
      batch.objects().at("source_id").append(next_);
      batch.objects().at("name").append_string("n");
      for (std::size_t k = 0; k < z.width(); ++k) {
        z.append(static_cast<double>(next_) + 0.5 * static_cast<double>(k));
      }
    }
    batch.objects().at("z") = std::move(z);
    return true;
  }

 private:
  Option<bool> early_{this, "early", false, "columns are known before the source is open"};
  Option<std::int64_t> width_{this, "width", 2, "values of a redshift"};
  Option<std::int64_t> gives_{this, "gives", 0, "values that it gives; 0: as declared"};
  bool open_ = false;
  std::int64_t next_ = 1;
};

// Copies the redshift by all the ways that there are.
class ReadZ : public Fitter {
 public:
  void declare(const Schema& /*before*/, Ports& ports) const override {
    if (*declares_ >= 0) {
      ports.reads({.group = "",
                   .name = "z",
                   .dtype = DType::F64,
                   .help = "redshift",
                   .width = static_cast<std::size_t>(*declares_)});
    }
    ports.adds({"", label() + ".z", DType::F64, "", ""});
  }
  void fit(const Object& object, Result& result) const override {
    result.set(label() + ".z", object.number("z"));
  }

 private:
  Option<std::int64_t> declares_{this, "declares", 1, "values of z that it needs; 0 any, -1 none"};
};

class ReadZByPort : public Filter {
 public:
  void apply(Batch& batch, Counts& counts) const override {
    counts.add("z", "values", static_cast<std::int64_t>(z_(batch).size()));
  }

 private:
  In<double, 2> z_{this, "", "z", "", "redshift"};
};

// All kinds of results: objects of an even number are bad after half of them.
class HalfFit : public Fitter {
 public:
  void declare(const Schema& /*before*/, Ports& ports) const override {
    ports.adds({"", label() + ".n", DType::I32, "", "", -1});
    ports.adds({"", label() + ".mean", DType::F32, "", ""});
    ports.adds({"", label() + ".pair", DType::F64, "", "", 0, 2});
    ports.adds({.group = "",
                .name = label() + ".text",
                .dtype = DType::String,
                .width = 2,
                .fill_text = "t"});
    ports.adds({"faux.g", "keep", DType::Bool, "", "", 1});
    ports.adds_group({.name = label() + ".a"});
    ports.adds({label() + ".a", "x", DType::F64, "", ""});
    ports.adds({label() + ".a", "y", DType::I64, "", ""});
  }
  void fit(const Object& object, Result& result) const override {
    const std::int64_t id = std::stoll(object.id());
    const std::string arrays = label() + ".a";
    result.set(label() + ".n", static_cast<std::int32_t>(id));
    result.set(label() + ".mean", static_cast<float>(id));
    if (*fails_ == "set pair") result.set(label() + ".pair", 1.0);
    if (*fails_ == "set z") result.set("z", 1.0);
    if (*fails_ == "own epochs") result.epochs<double>(arrays, "x");
    const auto pair = result.cell<double>(label() + ".pair");
    pair[0] = static_cast<double>(id);
    pair[1] = static_cast<double>(id) + 0.5;
    for (auto& keep : result.epochs<bool>("faux.g", "keep")) keep = 0;
    result.count("faux.g", "fitted");
    for (std::int64_t k = 0; k < id % 4; ++k) {
      result.append(arrays, "x", 0.5 * static_cast<double>(id));
      if (*fails_ == "uneven" && id == 7) return;
      if (id % 2 == 0) throw BadObject("made bad");
      result.append(arrays, "y", id);
    }
    if (id % 2 == 0) throw BadObject("made bad");
  }

 private:
  Option<std::string> fails_{this, "fails", "", "how"};
};

}  // namespace

QSOHOST_PLUGIN("faux_cells", "1.0.0", stage<VectorSource>("vector-source", "vectors as redshifts"),
               stage<ReadZ>("read-z", "z of one object"),
               stage<ReadZByPort>("read-z-pairs", "z of two values"),
               stage<HalfFit>("half-fit", "bad half way"));
