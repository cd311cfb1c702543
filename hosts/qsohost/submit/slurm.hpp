// SLURM by its own commands: sbatch, squeue, scontrol.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace qsohost::cli {

// MaxArraySize of the site: the highest index of an array is one less. None without a SLURM.
std::optional<std::uint64_t> slurm_array_size();

// Submits a script; returns the number of the job. Throws RunError with what sbatch says.
std::string slurm_submit(const std::filesystem::path& script,
                         const std::vector<std::string>& options);

// Those of the jobs that are queued or running.
std::vector<std::string> slurm_queued(const std::vector<std::string>& jobs);

}  // namespace qsohost::cli
