// DataLink of ESA's Gaia archive: epoch photometry of lists of sources.
// https://www.cosmos.esa.int/web/gaia-users/archive/datalink-products
//
//   /data-server/data             RETRIEVAL_TYPE, ID, RELEASE, DATA_STRUCTURE, FORMAT, VALID_DATA,
//                                 USE_ZIP_ALWAYS; answers a zip. Sources without epochs are left
//                                 out
//   /data-server/datalink/links   ID; names the products of each source
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <vector>

#include "archive_service.hpp"
#include "archives/epoch_store.hpp"
#include "archives/zip.hpp"
#include "gaia_release.hpp"
#include "tap/answer.hpp"

namespace qsohost::skysim {

class DataLinkService : public ArchiveService {
 public:
  // `newest`: the release of requests that name none.
  DataLinkService(const std::filesystem::path& folder, GaiaRelease newest,
                  const Conditions& conditions);

  void add_to(httplib::Server& server) override;
  std::string name() const override { return "datalink"; }
  std::string status() const override { return log_.json(); }

 private:
  using Request = httplib::Request;
  using Response = httplib::Response;
  using Visit = std::shared_ptr<ServiceLog::Visit>;

  struct Wanted {
    std::vector<std::int64_t> ids;  // as in DR3, without repeats
    GaiaRelease release{};
    bool is_raw = false;
    TapFormat format{};
    bool valid_only = false;
    bool always_zip = false;
  };

  void data(const Request& request, Response& response);
  void links(const Request& request, Response& response);
  Wanted wanted(const Request& request);
  std::vector<std::int64_t> ids(const std::string& list, GaiaRelease release) const;
  GaiaRelease release(const std::string& name) const;
  bool is_raw(const std::string& structure) const;
  ArchiveAnswer answer(const Wanted& wanted);
  std::vector<ZipMember> members(const Wanted& wanted);
  TapRows transits_of(std::int64_t source_id, const Wanted& wanted);
  ZipMember raw_member(const Wanted& wanted, const std::vector<std::int64_t>& present);
  void trickle(const ArchiveAnswer& answer, Response& response, Visit visit);
  void refuse(Response& response, int status, const std::string& message);
  void fail(const Request& request, Response& response, const std::string& cause);

  GaiaRelease newest_;
  Conditions conditions_;
  EpochStore store_;
  ServiceLog log_;
  std::atomic<int> trickling_ = 0;  // connections
};

}  // namespace qsohost::skysim
