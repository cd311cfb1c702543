// epoch_photometry in files, looked up by source_id.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <qsohost/context.hpp>

#include "answer.hpp"
#include "row_index.hpp"

namespace gaia {

class FileArchive final : public Archive {
 public:
  // Opens the files and loads or builds their index, which is saved in the file `index` (empty: not
  // saved). Throws RunError, naming file and columns, for files that cannot be read and for columns
  // that are missing or of a wrong type.
  FileArchive(const std::vector<std::string>& files, const std::string& hdu,
              const std::vector<Wanted>& wanted, const std::filesystem::path& index,
              qsohost::Context& context);

  LookUp look_up(std::span<const std::int64_t> ids, const BatchInfo& batch) override;

 private:
  Block read(std::size_t file, std::uint64_t first, std::uint64_t count);

  std::vector<Wanted> wanted_;
  std::vector<IndexedFile> files_;
  std::vector<std::vector<std::size_t>> fields_;  // of each file: identifiers, then the wanted ones
  std::optional<RowIndex> index_;
};

}  // namespace gaia
