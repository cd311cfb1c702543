#include "neowise_examination.hpp"

#include <vector>

#include <qsohost/io/tap_tables.hpp>

#include "neowise_answer.hpp"

namespace neowise {

void examine(const std::string& url, qsohost::Examination& archive) {
  archive.about("single exposures of NEOWISE (TAP)", url, [&] {
    archive.release("the mission ended in August 2024; the table is complete");
    std::vector<qsohost::ColumnRole> roles;
    for (const std::string_view column : kColumns) {
      roles.push_back({std::string(column), {std::string(column)}});
    }
    qsohost::examine_tap_table(archive, url, std::string(kTable), roles);
  });
}

}  // namespace neowise
