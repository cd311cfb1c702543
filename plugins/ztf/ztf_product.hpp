// Writes the light curves of a target, and what is known of their sources, to a batch.
#pragma once

#include "ztf_answer.hpp"
#include "ztf_sources.hpp"

namespace ztf {

std::string group_name(std::size_t band);  // "ztf.g"

// The epochs taken, each with its epoch_id.
void append_epochs(std::span<const Candidate> candidates, qsohost::Batch& batch);

// The results LABEL.sources.GROUP. `two_sources`: see two_source_exposures().
void append_sources(std::span<const Candidate> candidates, const TwoSources& two_sources,
                    const Destination& to);

}  // namespace ztf
