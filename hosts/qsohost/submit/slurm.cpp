#include "submit/slurm.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <sstream>

#include "closing_text.hpp"
#include "qsohost/error.hpp"

namespace qsohost::cli {
namespace {

struct Answer {
  bool is_good = false;
  std::string text;  // stdout and stderr
};

Answer answer_of(const std::vector<std::string>& words) {
  std::string command;
  for (const std::string& word : words) command += shell_word(word) + " ";
  std::FILE* const pipe = ::popen((command + "2>&1").c_str(), "r");
  if (pipe == nullptr)
    throw RunError(fmt::format(
        "{}: cannot be started; look whether it is installed on this machine", words.front()));
  Answer answer;
  std::array<char, 4096> block{};
  while (const std::size_t n = std::fread(block.data(), 1, block.size(), pipe)) {
    answer.text.append(block.data(), n);
  }
  const int status = ::pclose(pipe);
  answer.is_good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  while (!answer.text.empty() && answer.text.back() == '\n') answer.text.pop_back();
  return answer;
}

}  // namespace

std::optional<std::uint64_t> slurm_array_size() {
  const Answer answer = answer_of({"scontrol", "show", "config"});
  std::istringstream lines(answer.text);
  for (std::string line; answer.is_good && std::getline(lines, line);) {
    std::istringstream in(line);
    std::string name;
    std::string equals;
    std::uint64_t size = 0;
    if (in >> name >> equals >> size && name == "MaxArraySize" && size > 0) return size;
  }
  return std::nullopt;
}

std::string slurm_submit(const std::filesystem::path& script,
                         const std::vector<std::string>& options) {
  std::vector<std::string> words{"sbatch", "--parsable"};
  words.insert(words.end(), options.begin(), options.end());
  words.push_back(script.string());
  const Answer answer = answer_of(words);
  if (!answer.is_good) {
    std::string command = fmt::format("{}", fmt::join(words, " "));
    throw RunError(fmt::format(
        "{}: {}\n  once that is put right, go on with\n  qsohost submit --into {} --resume",
        command, answer.text, shell_word(script.parent_path().string())));
  }
  // "12" or, in a federation, "12;cluster", among warnings.
  std::istringstream lines(answer.text);
  for (std::string line; std::getline(lines, line);) {
    const std::string job = line.substr(0, line.find(';'));
    const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
    if (!job.empty() && std::ranges::all_of(job, is_digit)) return job;
  }
  throw RunError(fmt::format("{} gives no job number: {}", fmt::join(words, " "), answer.text));
}

std::vector<std::string> slurm_queued(const std::vector<std::string>& jobs) {
  std::vector<std::string> out;
  for (const std::string& job : jobs) {
    // A job that SLURM has forgotten is an error.
    const Answer answer = answer_of({"squeue", "--noheader", "--format=%i", "--jobs=" + job});
    if (answer.is_good && !answer.text.empty()) out.push_back(job);
  }
  return out;
}

}  // namespace qsohost::cli
