// Columns of Gaia's own table that VizieR's lacks, by source_id, from a TAP service.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <qsohost/http.hpp>
#include <qsohost/tap.hpp>

namespace xmatch {

struct GaiaTable {
  std::string url;  // TAP
  std::string table;
  std::vector<std::string> columns;
};

// Throws UsageError unless it can stand in a query as it is.
void check_column_name(const std::string& name);

// Services send no more than some thousand rows and do not say so: rows are counted, and sources
// that are missing are asked for again until none of them comes, twice.
class GaiaColumns final : public qsohost::Conversation {
 public:
  GaiaColumns(const GaiaTable& table, const std::set<std::int64_t>& ids);

  std::vector<qsohost::Request> begin() override;
  std::vector<qsohost::Request> answer(const qsohost::Request& request,
                                       const qsohost::Response& response) override;
  std::vector<qsohost::Request> failed(const qsohost::Request& request,
                                       const std::string& reason) override;
  std::size_t unsettled() const override { return unsettled_; }

  // When no request is pending: the columns of each source that is there.
  std::map<std::int64_t, std::vector<std::string>>& rows() { return rows_; }

 private:
  struct LookUp {
    std::vector<std::int64_t> ids;
    bool is_second;
    qsohost::TapExchange tap;
  };
  qsohost::Request look_up(std::vector<std::int64_t> ids, bool is_second);
  void read(const std::vector<std::int64_t>& ids, const std::string& body);
  std::vector<qsohost::Request> go_on(std::uint64_t tag, std::optional<qsohost::Request> next);

  const GaiaTable& table_;
  std::vector<std::int64_t> ids_;
  std::size_t unsettled_;
  std::map<std::uint64_t, LookUp> pending_;
  std::uint64_t next_tag_ = 0;
  std::map<std::int64_t, std::vector<std::string>> rows_;
};

}  // namespace xmatch
