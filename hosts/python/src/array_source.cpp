#include "array_source.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "qsohost/api.hpp"
#include "qsohost/stage.hpp"

namespace qsohost::python {
namespace {

std::string_view bytes_of(const Column& column) {
  const auto text = [](const auto values) {
    return std::string_view(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  };
  switch (column.dtype()) {
    case DType::Bool:
      return text(column.values<bool>());
    case DType::I16:
      return text(column.values<std::int16_t>());
    case DType::I32:
      return text(column.values<std::int32_t>());
    case DType::I64:
      return text(column.values<std::int64_t>());
    case DType::F32:
      return text(column.values<float>());
    case DType::F64:
      return text(column.values<double>());
    case DType::String:
      break;
  }
  return {};
}

// A digest of all values, so that a resumed run notices other ones.
Input input_of(const std::string& name, const Column& column) {
  if (column.dtype() != DType::String) return text_input(name, bytes_of(column));
  std::string text;
  for (std::size_t i = 0; i < column.strings().size(); ++i)
    text.append(column.strings()[i]).push_back('\0');
  return text_input(name, text);
}

class ArraySource final : public Source {
 public:
  explicit ArraySource(std::shared_ptr<const Batch> all) : all_(std::move(all)) {}

  void declare(const Schema& /*before*/, Ports& ports) const override {
    const auto add = [&](const std::string& group, const Column& column) {
      const ColumnInfo& i = column.info();
      Port port{group, i.name, i.dtype, i.unit, i.description, 0, i.width};
      port.in_product = !group.empty() && i.name != "epoch_id";
      ports.adds(std::move(port));
    };
    for (const Column& column : all_->objects()) add("", column);
    for (const Group& group : all_->groups()) {
      ports.adds_group(group.info());
      for (const Column& column : group) add(group.name(), column);
    }
  }

  std::vector<Input> fingerprint() const override {
    std::vector<Input> inputs;
    for (const Column& column : all_->objects())
      inputs.push_back(input_of("array " + column.name(), column));
    for (const Group& group : all_->groups()) {
      for (const Column& column : group)
        inputs.push_back(input_of("array " + group.name() + " " + column.name(), column));
    }
    return inputs;
  }

  void open(Context& /*context*/) override { next_ = 0; }
  std::optional<std::uint64_t> size() const override { return all_->rows(); }
  std::uint64_t seek(std::uint64_t first) override {
    next_ = std::min<std::uint64_t>(first, all_->rows());
    return next_;
  }

  bool read(Batch& batch) override {
    const std::size_t count = std::min(batch.capacity(), all_->rows() - next_);
    if (count == 0) return false;
    for (const Column& column : all_->objects())
      batch.objects().at(column.name()).append_cells(column, next_, count);
    for (const Group& from : all_->groups()) {
      Group& to = batch.group(from.name());
      for (std::size_t row = next_; row < next_ + count; ++row) {
        const Slice epochs = from.slice(row);
        for (const Column& column : from)
          to.at(column.name()).append_cells(column, epochs.first, epochs.count);
        to.close_row();
      }
    }
    next_ += count;
    return true;
  }

 private:
  std::shared_ptr<const Batch> all_;
  std::size_t next_ = 0;
};

}  // namespace

void add_array_source(Plugins& plugins, std::shared_ptr<const Batch> objects) {
  const StageOffer offer{.stage = "arrays",
                         .summary = "Objects and light curves in memory.",
                         .role = Role::Source,
                         .plugin = "python",
                         .version = QSOHOST_VERSION,
                         .file = {}};
  plugins.add_stage(offer, [objects = std::move(objects)] {
    return StagePtr(new ArraySource(objects), [](Stage* stage) { delete stage; });
  });
}

}  // namespace qsohost::python
