#include "log_file.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>

#include <unistd.h>

#include <atomic>
#include <utility>

#include "output.hpp"
#include "qsohost/error.hpp"
#include "qsohost/host/printable.hpp"
#include "table.hpp"

namespace qsohost::cli {
namespace {

constexpr std::size_t kMostBytes = 16U << 20;
constexpr std::size_t kOldFiles = 3;

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return spdlog::level::debug;
    case LogLevel::Info:
      return spdlog::level::info;
    case LogLevel::Warning:
      return spdlog::level::warn;
    case LogLevel::Error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string_view word_of(RunEnd end) {
  switch (end) {
    case RunEnd::Done:
      return "done";
    case RunEnd::Unsettled:
      return "done, some objects unsettled";
    case RunEnd::Interrupted:
      return "interrupted";
    case RunEnd::Failed:
      break;
  }
  return "failed";
}

}  // namespace

LogFile::LogFile(const std::filesystem::path& file, LogLevel least) {
  try {
    auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file.string(), kMostBytes,
                                                                       kOldFiles);
    log_ = std::make_shared<spdlog::logger>("qsohost", std::move(sink));
  } catch (const spdlog::spdlog_ex& e) {
    throw UsageError(fmt::format("--log-file: {}; name a file that can be written", e.what()));
  }
  log_->set_formatter(std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %l %v",
                                                                  spdlog::pattern_time_type::utc));
  log_->set_level(level_of(least));
  log_->flush_on(spdlog::level::trace);  // the last lines are those that matter after a crash
  log_->set_error_handler([said = std::make_shared<std::atomic_flag>()](const std::string& error) {
    if (said->test_and_set()) return;
    complain("warning: --log-file: {}; the run goes on, the log is not complete\n", error);
  });
}

void LogFile::write(LogLevel level, std::string_view text) {
  log_->log(level_of(level), on_one_line(text));
}

void LogFile::write(const Progress& progress) {
  if (pace_.due(progress)) write(LogLevel::Info, plain_line(progress));
}

void LogFile::write_begin(std::string_view chain, const RunOptions& options) {
  write(LogLevel::Info, fmt::format("qsohost {}, process {}: chain {}, run directory {}",
                                    QSOHOST_VERSION, ::getpid(), chain, options.run_dir.string()));
}

RunReport LogFile::write_end(const std::function<RunReport()>& work) {
  RunReport report;
  try {
    report = work();
  } catch (const Error& e) {
    write(LogLevel::Error, e.what());
    throw;
  }
  for (const std::string& note : report.notes) write(LogLevel::Info, note);
  std::string out = fmt::format("{}: {} objects, {} of them now, in {}", word_of(report.end),
                                report.objects, report.objects_this_run, duration(report.seconds));
  if (!report.error.empty()) out += ": " + report.error;
  write(report.end == RunEnd::Failed ? LogLevel::Error : LogLevel::Info, out);
  return report;
}

std::string on_one_line(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace qsohost::cli
