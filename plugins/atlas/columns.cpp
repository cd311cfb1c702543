#include "columns.hpp"

#include <array>

namespace atlas {

namespace {

using qsohost::DType;

std::string group_of(char band) {
  return std::string("atlas.") + band;
}

}  // namespace

void declare_columns(qsohost::Ports& ports) {
  for (const char band : kBands) {
    const std::string group = group_of(band);
    ports.adds_group({group, "atlas", {band}, "mjd", "mag", "mag_err", qsohost::kMjdUtc});
    ports.adds({group, "epoch_id", DType::I64, "", "row in the result of the object's task"});
    ports.adds({.group = group,
                .name = "mjd",
                .dtype = DType::F64,
                .unit = "d",
                .help = "Modified Julian date (UTC) at which the exposure of 30 s began",
                .in_product = true});
    for (const Field& field : fields()) {
      ports.adds({.group = group,
                  .name = std::string(field.name),
                  .dtype = DType::F32,
                  .unit = std::string(field.unit),
                  .help = std::string(field.help),
                  .in_product = field.in_product});
    }
  }
}

void append(const std::vector<Epoch>& epochs, qsohost::Batch& batch) {
  for (const char band : kBands) {
    qsohost::Group& group = batch.group(group_of(band));
    qsohost::Column& id = group.at("epoch_id");
    qsohost::Column& mjd = group.at("mjd");
    for (const Epoch& epoch : epochs) {
      if (epoch.band != band) continue;
      id.append(std::int64_t{epoch.row});
      mjd.append(epoch.mjd);
    }
    for (const Field& field : fields()) {
      qsohost::Column& column = group.at(field.name);
      for (const Epoch& epoch : epochs) {
        if (epoch.band == band) column.append(epoch.*field.member);
      }
    }
  }
}

}  // namespace atlas
