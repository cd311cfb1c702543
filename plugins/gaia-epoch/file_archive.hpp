// epoch_photometry in files, looked up by source_id: arrays with a row for each source, as the bulk
// files have them, or a row for each transit, as DataLink sends them (see epoch_rows.hpp).
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
  Block read_arrays(std::size_t file, std::uint64_t first, std::uint64_t count);
  Block read_transits(std::size_t file, std::span<const std::uint64_t> rows);
  void add_arrays(std::size_t file, std::span<const std::uint64_t> rows,
                  std::span<const std::int64_t> ids, std::vector<Block>& blocks);

  std::vector<Wanted> wanted_;
  std::vector<IndexedFile> files_;
  // Of each file: identifiers, then the wanted columns; none for one with a row a transit.
  std::vector<std::vector<std::size_t>> fields_;
  std::optional<RowIndex> index_;
};

}  // namespace gaia
