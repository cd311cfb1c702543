// The rows of a comparison and their summary, light curve by light curve.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compare/compare.hpp"

namespace qsohost::cli {

// One light curve as fitted by one fitter.
struct ComparedFit {
  std::string failure;
  double seconds = 0;
  std::optional<std::int32_t> n_epochs{};
  std::int32_t flags = 0;
  double log_jitter = 0;  // NaN for none
  // By position in Scores' list of names; NaN where missing.
  std::vector<double> values{};
};

// Rows of numbers stored on disk until the median of a column is needed; NaN, which cannot be
// sorted, is left out of it.
class Spool {
 public:
  explicit Spool(std::size_t width);
  void add(std::span<const double> row);
  std::uint64_t size(std::size_t column) const { return sizes_[column]; }  // without NaN
  double median(std::size_t column) const;                                 // NaN if empty

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;  // without a name, removed with the process
  std::vector<std::uint64_t> sizes_;
};

class Scores {
 public:
  struct Names {
    std::vector<std::string> groups, fitters, values;
  };
  // `is_shared(a, b, i)`: fitters a and b both have value i, and their difference means something.
  Scores(Names names, Flagged flagged,
         const std::function<bool(std::size_t, std::size_t, std::size_t)>& is_shared);

  // A light curve of `group`, by position; one entry per fitter.
  void add(std::size_t group, const std::vector<ComparedFit>& fits);

  std::vector<FitterScore> fitters() const;  // by fitter, then by group
  std::vector<PairScore> pairs() const;      // likewise

 private:
  struct OfFitter {
    FitterScore score;
    std::map<std::string, std::uint64_t> reasons;
    std::map<std::int32_t, std::uint64_t> doubts;
    Spool times{1};
  };
  struct OfPair {
    std::size_t first, second;
    PairScore score;
    std::vector<std::size_t> places;  // of values
    Spool differences;                // of these
    std::vector<std::array<std::uint64_t, 2>> lower;
  };
  void add(const ComparedFit& fit, OfFitter& of) const;
  void add(const ComparedFit& first, const ComparedFit& second, OfPair& of) const;

  Names names_;
  Flagged flagged_;
  std::vector<OfFitter> of_fitter_;  // as fitters()
  std::vector<OfPair> of_pair_;
};

}  // namespace qsohost::cli
