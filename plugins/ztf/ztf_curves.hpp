// Answers taken apart by ZTF object and put together again, so that a light curve is the same
// whichever way it was asked for.
//
// The rule: the epochs of a target are those of the ZTF objects inside the radius, in the bands
// that were asked for; ordered by oid, then by mjd, then by expid. An epoch's epoch_id is its place
// in that order, from 0, also when only the nearest objects are kept (there are gaps, then).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "ztf_answer.hpp"

namespace ztf {

struct Curve {
  Source source;
  std::vector<Epoch> epochs;  // by mjd, then by expid
};

// The light curves of an answer by oid. Throws BadObject when a column is missing.
std::map<std::int64_t, Curve> by_object(const Answer& answer);

// How many epochs a VOTable has of each oid. It says where it ends: throws TryAgain when it was cut
// or is no VOTable, BadObject when it is malformed.
std::map<std::int64_t, std::size_t> rows_by_object(std::string_view votable);

// As if they had been answered together, in the order given, which must be that of oids.
Answer put_together(const std::vector<const Curve*>& curves);

// Gives every epoch inside the radius its epoch_id; after select().
void number_epochs(Answer& answer);

}  // namespace ztf
