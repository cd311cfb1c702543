#include "command.hpp"

#include <exception>
#include <new>
#include <utility>

#include "compare_command.hpp"
#include "describe_command.hpp"
#include "doctor_command.hpp"
#include "inspect.hpp"
#include "list.hpp"
#include "new_plugin.hpp"
#include "qsohost/error.hpp"
#include "qsohost/host/loader.hpp"
#include "relate_command.hpp"
#include "report_command.hpp"
#include "run_command.hpp"
#include "status.hpp"
#include "submit_command.hpp"

namespace qsohost::cli {
namespace {

// While it exists, all output goes to `output`.
class Redirection {
 public:
  explicit Redirection(std::function<void(Stream, std::string_view)> output) {
    redirect_output(std::move(output));
  }
  ~Redirection() { redirect_output({}); }
  Redirection(const Redirection&) = delete;
  Redirection& operator=(const Redirection&) = delete;
};

void find_plugins(Plugins& plugins, const Arguments& arguments) {
  if (arguments.allow_insecure_plugins) plugins.allow_insecure();
  for (const auto& file : arguments.plugins) plugins.add_file(file);
  // Reported at once, because the user named these files; `list` shows all refusals anyway.
  if (arguments.command != Command::List) {
    for (const Refusal& refusal : plugins.refusals())
      complain("warning: {}", refusal_text(refusal));
  }
  // A chain names plugins itself, and they precede the standard folders; loading the chain adds
  // these.
  const bool is_without =
      arguments.command == Command::Status || arguments.command == Command::Submit;
  if (arguments.chain.empty() && !is_without) {
    plugins.add_standard_folders();
  }
}

}  // namespace

int execute(const Arguments& arguments) {
  Plugins plugins;
  find_plugins(plugins, arguments);
  switch (arguments.command) {
    case Command::List:
      plugins.probe_all();
      write_text(Stream::Out, arguments.json ? list_as_json(plugins) : list_as_text(plugins));
      return unless_output_is_lost(kDone);
    case Command::Inspect:
      write_text(Stream::Out, inspect(plugins, arguments));
      return unless_output_is_lost(kDone);
    case Command::Merge:
      return merge(plugins, arguments);
    case Command::New: {
      const Language language = arguments.in_python ? Language::Python : Language::Cxx;
      for (const auto& file : new_plugin(arguments.kind, arguments.name, ".", language))
        say("{}\n", file.lexically_normal().string());
      say("{}/README.md says how to build, test and run it.\n", arguments.name);
      return kDone;
    }
    case Command::Status:
      return show_status(arguments);
    case Command::Describe:
      write_text(Stream::Out, describe(arguments));
      return unless_output_is_lost(kDone);
    case Command::Compare:
      return compare_fitters(plugins, arguments);
    case Command::Doctor:
      return examine_archives(plugins, arguments);
    case Command::Relate:
      return relate_fits(arguments.relation);
    case Command::Report:
      return write_report(arguments);
    case Command::Submit:
      return submit_shards(plugins, arguments);
    default:
      return work_on_chain(plugins, arguments);
  }
}

int exit_code_of(const std::function<int()>& work) {
  try {
    return work();
  } catch (const UsageError& error) {
    complain("qsohost: {}\n", error.what());
    return kUsage;
  } catch (const std::bad_alloc&) {
    write_text(Stream::Err, "qsohost: out of memory; allow more (ulimit -v, --mem of SLURM)\n");
    return kRunFailed;
  } catch (const std::exception& error) {
    complain("qsohost: {}\n", error.what());
    return kRunFailed;
  } catch (...) {
    write_text(Stream::Err, "qsohost: something was thrown that is no std::exception\n");
    return kRunFailed;
  }
}

int command(const std::vector<std::string>& words, const std::atomic<int>& interrupts,
            const std::function<void(Stream, std::string_view)>& output) {
  const Redirection redirection(output);
  std::vector<const char*> argv{"qsohost"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  return exit_code_of([&] {
    Parsed parsed = parse_arguments(static_cast<int>(argv.size()), argv.data());
    if (!parsed.arguments) return parsed.exit_code;
    parsed.arguments->run.interrupts = &interrupts;
    return execute(*parsed.arguments);
  });
}

}  // namespace qsohost::cli
