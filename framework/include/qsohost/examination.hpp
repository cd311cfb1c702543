// What `qsohost doctor` asks an archive: which release it serves, which columns it has, how fast it
// answers. A handful of small requests, harmless to the archive.
//
//   void examine(Examination& archive) const override {
//     archive.about("my survey", *url, [&] {
//       const Response response = archive.ask({.url = *url + "/columns"});
//       archive.check_columns(names_in(response.body), {{"time", {"mjd", "obsmjd"}}});
//     });
//   }
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/context.hpp"
#include "qsohost/http.hpp"
#include "qsohost/tap.hpp"

namespace qsohost::inline v1 {

// A column that a stage reads from an archive.
struct ColumnRole {
  std::string role;                     // "time of a G transit"
  std::vector<std::string> candidates;  // names that it may have, the preferred ones first
  bool is_needed = true;                // false: the stage works without it
};

// The first of the candidates that is among `served`, as spelled there, whatever the case of its
// letters; "" if none is.
QSOHOST_API std::string column_for(const ColumnRole& role, std::span<const std::string> served);

class QSOHOST_API Examination {
 public:
  virtual ~Examination();

  // The questions to one archive. What they throw is reported as its state; the next archive is
  // asked nevertheless.
  virtual void about(std::string archive, std::string url,
                     const std::function<void()>& questions) = 0;
  // Sends one request, once more if the archive says "later", and counts its time. Throws TryAgain
  // with the reason where there is no good response.
  virtual Response ask(Request request) = 0;
  // The release that the archive serves ("Gaia DR3"), or releases, in its own words.
  virtual void release(std::string text) = 0;
  // A fact that needs no action.
  virtual void note(std::string text) = 0;
  // What does not fit, and what to change, in the chain or in the plugin.
  virtual void change(std::string text) = 0;

  // For secrets.
  virtual Context& context() = 0;

  // A query by TAP, as the stage would send it; returns the body of the answer. Throws as ask().
  std::string ask_tap(TapQuery query);
  // Which of the columns of `roles` the archive serves; says which are missing (`change` for those
  // that are needed) and which of its columns nothing reads.
  void check_columns(std::span<const std::string> served, std::span<const ColumnRole> roles);
};

}  // namespace qsohost::inline v1
