#include "neowise_examination.hpp"

#include <fmt/format.h>

#include <qsohost/io/tap_tables.hpp>

#include <vector>

#include "neowise_answer.hpp"

namespace neowise {

namespace {

void examine_table(const std::string& service, qsohost::Examination& archive) {
  archive.release(fmt::format("table {}", kTable));
  std::vector<qsohost::ColumnRole> roles;
  for (const std::string_view column : kColumns) {
    roles.push_back({std::string(column), {std::string(column)}});
  }
  qsohost::examine_tap_table(archive, service, std::string(kTable), roles);
}

}  // namespace

void examine_archive(const std::string& url, qsohost::Examination& archive) {
  std::string service = url;
  while (service.ends_with('/')) service.pop_back();
  archive.about("exposures of NEOWISE (TAP)", service, [&] { examine_table(service, archive); });
}

}  // namespace neowise
