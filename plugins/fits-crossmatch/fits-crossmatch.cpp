// Cross-match of two tables on the sky: the rules are those of qsohost/io/crossmatch.hpp.
//
// The places of the table with fewer rows are kept in memory (24 bytes a row), the other table is
// streamed. Pairs use 32 bytes each; rows are read again, by number, when their batch is due. So
// memory does not grow with the larger table.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <qsohost/io/crossmatch_tables.hpp>
#include <qsohost/plugin.hpp>

#include "pairs.hpp"
#include "zones.hpp"

namespace {

using crossmatch::Pair;
using crossmatch::Place;
using qsohost::CrossmatchInput;

class FitsCrossmatch final : public qsohost::Source {
 public:
  void validate() const override { cross.validate(); }
  void declare(const qsohost::Schema& before, qsohost::Ports& ports) const override;
  std::vector<qsohost::Input> fingerprint() const override {
    return {qsohost::file_input(left->text), qsohost::file_input(right->text)};
  }
  void open(qsohost::Context& context) override;
  bool read(qsohost::Batch& batch) override { return tables_->read(batch); }
  std::uint64_t seek(std::uint64_t first) override { return tables_->seek(first); }
  std::optional<std::uint64_t> size() const override {
    if (!tables_) return std::nullopt;
    return tables_->size();
  }
  qsohost::Counts counts() const override { return tables_->counts(); }
  void close() noexcept override { tables_.reset(); }

 private:
  std::vector<Pair> find_pairs(qsohost::Context& context);
  int thread_count() const;

  qsohost::Option<qsohost::Path> left{
      this, "left", qsohost::required,
      "table of quasars: FITS, VOTable, IPAC, ECSV, CSV or TSV, also gzipped"};
  qsohost::Option<qsohost::Path> right{this, "right", qsohost::required,
                                       "table of a survey, with identifiers; likewise"};
  qsohost::Option<std::string> left_hdu{
      this, "left_hdu", "",
      "HDU or TABLE of the left file, by name or number (\"2\"; the primary HDU is 0, the first "
      "TABLE 1); empty: the first table"};
  qsohost::Option<std::string> right_hdu{this, "right_hdu", "", "the same of the right file"};
  qsohost::CrossmatchOptions cross{this};
  qsohost::Option<std::int64_t> threads{this,
                                        "threads",
                                        0,
                                        "threads to match with; 0: one a core",
                                        {.min = 0, .max = 256, .affects_results = false}};

  std::optional<qsohost::CrossmatchTables> tables_;
};

void FitsCrossmatch::declare(const qsohost::Schema& /*before*/, qsohost::Ports& ports) const {
  if (!tables_) return qsohost::declare_crossmatch(ports);
  tables_->declare(ports);
}

void FitsCrossmatch::open(qsohost::Context& context) {
  CrossmatchInput on_left({.path = left->text,
                           .hdu = *left_hdu,
                           .ra = *cross.left_ra,
                           .dec = *cross.left_dec,
                           .ra_option = "left_ra",
                           .dec_option = "left_dec"});
  CrossmatchInput on_right({.path = right->text,
                            .hdu = *right_hdu,
                            .ra = *cross.right_ra,
                            .dec = *cross.right_dec,
                            .ra_option = "right_ra",
                            .dec_option = "right_dec"});
  tables_.emplace(std::move(on_left), std::move(on_right), cross, context);
  tables_->set_pairs(find_pairs(context), context);
}

int FitsCrossmatch::thread_count() const {
  if (*threads > 0) return static_cast<int>(*threads);
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

std::vector<Pair> FitsCrossmatch::find_pairs(qsohost::Context& context) {
  CrossmatchInput& on_left = tables_->left();
  CrossmatchInput& on_right = tables_->right();
  const bool left_is_larger = on_left.table().rows() > on_right.table().rows();
  const auto scan = [&](CrossmatchInput& input, const auto& see) {
    input.for_each_block(&input == &on_left ? *cross.where : "",
                         [&](std::span<const Place> places) {
                           if (context.stop_requested()) {
                             throw qsohost::TryAgain("stopped while matching");
                           }
                           see(places);
                         });
    report_positions(context, input.rows(), input.first_off_sky());
  };
  std::vector<Place> kept;
  scan(left_is_larger ? on_right : on_left, [&](std::span<const Place> places) {
    kept.insert(kept.end(), places.begin(), places.end());
  });
  const crossmatch::Zones zones(std::exchange(kept, {}), *cross.radius_arcsec);
  const auto indexed = left_is_larger ? crossmatch::Indexed::Right : crossmatch::Indexed::Left;
  std::vector<Pair> pairs;
  scan(left_is_larger ? on_left : on_right, [&](std::span<const Place> places) {
    crossmatch::find_pairs(zones, indexed, places, thread_count(), pairs);
  });
  return pairs;
}

}  // namespace

QSOHOST_PLUGIN("fits-crossmatch", QSOHOST_VERSION,
               qsohost::stage<FitsCrossmatch>("fits-crossmatch",
                                              "pairs of rows of two tables in files, by position"));
