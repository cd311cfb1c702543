// The rows of a comparison and their summary.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compare/compare.hpp"

namespace qsohost::cli {

// One light curve as fitted by one fitter.
struct ComparedFit {
  std::string failure;
  double seconds = 0;
  // By position in Scores' list of names; NaN where missing.
  std::vector<double> values;
};

// Numbers stored on disk until their median is needed; NaN, which cannot be sorted, is ignored.
class Spool {
 public:
  Spool();
  void add(double value);
  std::uint64_t size() const { return size_; }
  double median() const;  // NaN if empty

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;  // without a name, removed with the process
  std::uint64_t size_ = 0;
};

class Scores {
 public:
  // `names`: of values; `shared[a][b]`: positions of those that fitters a and b both have.
  Scores(std::vector<std::string> fitters, std::vector<std::string> names,
         const std::vector<std::vector<bool>>& given);

  // One entry per fitter.
  void add(const std::vector<ComparedFit>& fits);

  std::vector<FitterScore> fitters() const;
  std::vector<PairScore> pairs() const;

 private:
  struct OfFitter {
    std::uint64_t curves = 0;
    double seconds = 0;
    std::map<std::string, std::uint64_t> reasons;
    Spool times;
  };
  struct OfPair {
    std::size_t first, second;
    std::uint64_t curves = 0;
    std::vector<std::size_t> places;  // of values
    std::vector<Spool> differences;   // of these
    std::vector<std::array<std::uint64_t, 2>> lower;
  };
  std::vector<std::string> names_;
  std::vector<std::string> labels_;
  std::vector<OfFitter> of_fitter_;
  std::vector<OfPair> of_pair_;
};

}  // namespace qsohost::cli
