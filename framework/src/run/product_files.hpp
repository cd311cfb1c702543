// The products of a run as files: where they go, whether they may go there, and how all of them are
// replaced together. A file that does not belong to this run is never replaced or removed.
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

  // Checks that the products declared by the chain can be written; throws UsageError for two
  // products in one file, an input, a folder, a name that is too long, a file of another origin.
  void check(const Chain& chain, const std::vector<Input>& inputs);

  // Throws UsageError if a product in the ledger no longer belongs to this run.
  void require_all_ours() const;

  std::filesystem::path part(const std::filesystem::path& product) override;

  // Renames all files from part() to their final names, after recording them in the ledger.
  void publish();

  // From the ledger, absolute.
  std::vector<std::filesystem::path> paths() const;
  std::vector<std::filesystem::path> missing() const;  // those that no longer exist
  std::vector<std::filesystem::path> changed() const;  // modified since they were made
  // Removes those that belong to this run; calls `warn` about others.
  void remove(const std::function<void(const std::string&)>& warn) const;
  // What a killed run left beside its products.
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
  std::map<std::filesystem::path, std::filesystem::path> parts_;  // by final path
};

}  // namespace qsohost::inline v1
