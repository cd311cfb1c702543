// One block of the left table at the service: one job at a time, and another one for what an answer
// may have left out.
//
// CSV does not say that it was cut. The service sends rows in the order of the upload, so a cut one
// ends before its last matches. An answer that ends oddly (after its last row more rows of the
// block have no match than anywhere before), or that is as long as one is known to get, is taken up
// to its last row; that row and those after it are sent again, until that brings nothing new.
// Answers that are no longer than one that was found whole are not doubted. Without that order, the
// block is sent in halves.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <qsohost/http.hpp>
#include <qsohost/io/crossmatch_tables.hpp>

#include "match_answer.hpp"

namespace xmatch {

struct Service {
  std::string url;
  std::string right;
  double radius_arcsec = 1;
};

// Rows that are asked for as MAXREC. The service's own limit is not documented.
inline constexpr std::size_t kMostRows = 200'000;

// What answers have shown of how many rows the service sends.
class RowLimit {
 public:
  bool may_be_cut(std::size_t rows, bool ends_oddly) const {
    if (rows >= least_cut_) return true;
    return ends_oddly && rows > most_whole_ && least_cut_ == kMostRows;
  }
  void add_whole(std::size_t rows) { most_whole_ = std::max(most_whole_, rows); }
  void add_cut(std::size_t rows) { least_cut_ = std::min(least_cut_, rows); }

 private:
  std::size_t most_whole_ = 0;
  std::size_t least_cut_ = kMostRows;
};

class MatchBlock final : public qsohost::Conversation {
 public:
  // `places` by rows, ascending. All arguments outlive it.
  MatchBlock(const Service& service, std::span<const qsohost::SkyPlace> places,
             RightColumns& columns, RowLimit& limit);

  std::vector<qsohost::Request> begin() override { return {request()}; }
  std::vector<qsohost::Request> answer(const qsohost::Request& request,
                                       const qsohost::Response& response) override;
  std::vector<qsohost::Request> failed(const qsohost::Request& request,
                                       const std::string& reason) override;
  std::size_t unsettled() const override;

  // When no request is pending.
  std::vector<MatchedRow>& rows() { return rows_; }

 private:
  static constexpr std::size_t kNoDoubt = std::numeric_limits<std::size_t>::max();
  // Places that are sent together.
  struct Part {
    std::size_t begin = 0;
    std::size_t end = 0;
    // Of the rest after an answer that may have been cut:
    std::size_t doubted = kNoDoubt;  // rows of that answer
    std::size_t known = 0;           // of these, rows of the part's first place
  };
  // Where an answer's rows are in its part.
  struct Extent {
    bool is_in_order = true;
    std::size_t last = 0;          // place
    std::size_t rows_of_last = 0;  // pairs of that place
    bool ends_oddly = false;
  };

  qsohost::Request request() const;
  bool is_believed(const qsohost::Response& response, bool is_empty);
  Extent extent_of(const Part& part, const std::vector<MatchedRow>& rows) const;
  void take(std::vector<MatchedRow> rows);
  bool settle_doubt(const Part& part, const std::vector<MatchedRow>& rows, const Extent& extent);
  void ask_for_rest(const Part& part, std::vector<MatchedRow>& rows, const Extent& extent);

  const Service& service_;
  std::span<const qsohost::SkyPlace> places_;
  RightColumns& columns_;
  RowLimit& limit_;
  std::deque<Part> parts_;
  std::vector<std::uint64_t>
      seen_{};  // answers to the pending request that need another, equal one
  std::vector<MatchedRow> rows_{};
};

}  // namespace xmatch
