// Where a fitter stores its results, and what they mean.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "qsohost/host/chain.hpp"
#include "qsohost/port.hpp"

namespace qsohost::cli {

struct FitterLayout {
  std::string label;
  std::size_t stage = 0;
  std::vector<std::string> groups;
  std::map<std::string, Port> results;  // by name without "LABEL.GROUP."; of the first group
  std::string mean;                     // value of the option of this name; "": it has none

  // The name itself, or the name of the same result for all epochs.
  std::string own_name(const std::string& name) const {
    return results.contains(name) ? name : name + "_full";
  }
  bool has(const std::string& name) const { return results.contains(own_name(name)); }
  // It cleans, and has results for all epochs and for those kept.
  bool has_two_fits() const { return results.contains("loglike_full"); }
};

FitterLayout layout_of(const ChainStage& stage, std::size_t index);

// False for results that are not parameters of a model or a measure of the fit, that are not the
// fitter's own, or that are of the epochs that it kept, which no other fitter has fitted.
bool is_compared(const std::string& name);

// A log-likelihood, or made of one.
bool is_likelihood(const std::string& name);

// Likelihoods of both mean the same: none of them, or each, is integrated over the mean.
bool are_alike(const FitterLayout& a, const FitterLayout& b);

// What is to be known of a comparison of these two; "" if nothing.
std::string note_on_means(const FitterLayout& a, const FitterLayout& b);

}  // namespace qsohost::cli
