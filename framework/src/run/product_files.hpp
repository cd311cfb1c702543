// The products of a run as files: where they go, whether they may go there, and how all of them
// change at once. A file that is not this run's is never replaced nor removed.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "qsohost/host/chain.hpp"
#include "qsohost/stage.hpp"
#include "run/run_db.hpp"

namespace qsohost::inline v1 {

class ProductFiles final : public Products {
 public:
  // `run_dir` as RunDirectory has it.
  ProductFiles(std::filesystem::path run_dir, RunDb& db);

  // Looks whether the products that the chain declares can be written; throws UsageError for two of
  // one file, an input, a folder, a name that is too long, a file that is not this run's.
  void check(const Chain& chain, const std::vector<Input>& inputs);

  // Throws UsageError if a product of the ledger is not this run's any more.
  void require_all_ours() const;

  std::filesystem::path part(const std::filesystem::path& product) override;

  // Gives all files that were asked for by part() their names, after the ledger knows them.
  void publish();

  // Of the ledger, absolute.
  std::vector<std::filesystem::path> paths() const;
  std::vector<std::filesystem::path> missing() const;  // those that are gone
  std::vector<std::filesystem::path> changed() const;  // by whoever, since they were made
  // Those that are this run's; of others `warn` is told.
  void remove(const std::function<void(const std::string&)>& warn) const;
  // What a run that was killed has left beside its products.
  void remove_temporaries() const;

 private:
  void plan(const std::vector<std::filesystem::path>& places);
  std::filesystem::path place_of(const std::filesystem::path& product) const;
  std::string ledger_path(const std::filesystem::path& place) const;
  std::filesystem::path temporary(const std::filesystem::path& place) const;
  bool is_ours(const std::filesystem::path& place) const;
  void require_ours(const std::filesystem::path& place) const;
  void try_to_write(const std::filesystem::path& place) const;

  std::filesystem::path run_dir_;
  RunDb& db_;
  std::string id_;
  std::map<std::filesystem::path, std::filesystem::path> parts_;  // by the place that they go to
};

}  // namespace qsohost::inline v1
