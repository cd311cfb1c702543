// What the stages take of a hand-made response for a target at (10, 20).
#pragma once

#include <catch2/catch.hpp>

#include <qsohost/batch.hpp>

#include <string>
#include <vector>

#include "answers.hpp"

struct Taken {
  explicit Taken(const std::string& text, const ztf::Selection& selection = {}) {
    add_ztf_groups(batch, 1);
    const auto curves = ztf::parse_answer(text);
    detail = ztf::add_curves(ztf::pointers_to(curves), 10, 20, selection, {batch, counts, "ztf"});
  }

  template <class T>
  std::vector<T> values(const std::string& group, const char* column) const {
    const auto values = batch.group(group).at(column).values<T>();
    return {values.begin(), values.end()};
  }
  std::vector<double> times() const { return values<double>("ztf.g", "mjd"); }
  std::vector<std::int64_t> oids() const { return values<std::int64_t>("ztf.g", "oid"); }
  std::vector<float> mags() const { return values<float>("ztf.g", "mag"); }
  // Of the object.
  std::int32_t result(const char* column) const {
    const std::string name = fmt::format("ztf.sources.ztf.g.{}", column);
    return batch.objects().at(name).values<std::int32_t>()[0];
  }
  std::int64_t count(const std::string& what) const {
    for (const auto& entry : counts.entries()) {
      if (entry.item == "ztf.g" && entry.what == what) return entry.n;
    }
    return 0;
  }

  qsohost::Batch batch{0, 0, 1};
  qsohost::Counts counts;
  std::string detail;
};
