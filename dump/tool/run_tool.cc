#include "dump/tool/run_tool.h"

#include <algorithm>
#include <new>

#include "absl/strings/str_format.h"
#include "base/version.h"
#include "dump/tool/printable.h"

namespace vmm {
namespace {

void PrintHelp(const std::vector<Command>& commands, std::ostream& out) {
  out << "vmcore: reads the memory dump of a Linux guest or host: ELF cores of vmm, QEMU, cloud-hypervisor and "
         "kdump.\n\n"
         "usage: vmcore COMMAND FILE... [--json]\n\n";
  for (const Command& command : commands) {
    out << absl::StrFormat("  %-9s%-12s %s\n", command.name, command.operands, command.summary);
  }
  out << "\n`vmcore COMMAND --help` says more; `vmcore --version` prints the version.\n"
         "Exit code: 0 fine, 1 the file is bad or differs, 2 bad usage.\n";
}

void PrintOption(const CommandOption& option, std::ostream& out) {
  const std::string name = option.value.empty() ? option.name : absl::StrFormat("%s=%s", option.name, option.value);
  out << absl::StrFormat("  --%-18s %s\n", name, option.help);
}

void PrintHelp(const Command& command, std::ostream& out) {
  out << absl::StrFormat("usage: vmcore %s %s [OPTIONS]\n\n%s\n\n", command.name, command.operands, command.summary)
      << command.details;
  if (!command.details.empty()) out << "\n";
  for (const CommandOption& option : command.options) PrintOption(option, out);
  PrintOption({"json", "", "the result as one JSON object"}, out);
  PrintOption({"verbose", "", "what of the sandbox this host cannot give, on stderr"}, out);
  PrintOption({"help", "", "this text"}, out);
}

// The words after a command, sorted, or the reason why they are wrong.
struct Words {
  std::vector<std::string> operands;
  std::map<std::string, std::string> options;
  std::string error;
};

Words Sort(const Command& command, std::vector<std::string> arguments) {
  Words words;
  bool only_operands = false;  // after "--"
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string word = !only_operands && arguments[i] == "-o" ? "--output" : arguments[i];
    if (only_operands || !word.starts_with("--")) {
      words.operands.push_back(word);
      continue;
    }
    if (word == "--") {
      only_operands = true;
      continue;
    }
    const size_t equals = word.find('=');
    const std::string name = word.substr(2, equals == word.npos ? word.npos : equals - 2);
    const auto known = std::find_if(command.options.begin(), command.options.end(),
                                    [&](const CommandOption& option) { return option.name == name; });
    const bool common = name == "json" || name == "verbose" || name == "help";
    if (!common && known == command.options.end()) {
      words.error = absl::StrFormat("there is no option --%s", name);
      return words;
    }
    if (common || known->value.empty()) {
      if (equals != word.npos) {
        words.error = absl::StrFormat("--%s takes no value", name);
        return words;
      }
      words.options[name] = "";
    } else if (equals != word.npos) {
      words.options[name] = word.substr(equals + 1);
    } else if (i + 1 < arguments.size()) {
      words.options[name] = arguments[++i];
    } else {
      words.error = absl::StrFormat("--%s needs a value: --%s=%s", name, name, known->value);
      return words;
    }
  }
  return words;
}

void ConfineTo(const Command& command, const Invocation& call, const Confine& confine) {
  const CommandFiles files = command.files ? command.files(call) : call.Files();
  for (const std::string& part : confine(files)) {
    if (call.Has("verbose")) call.err() << "vmcore " << command.name << ": not confined: " << Printable(part) << "\n";
  }
}

int RunCommand(const Command& command, const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err,
               const Confine& confine) {
  Words words = Sort(command, arguments);
  if (words.options.contains("help")) {
    PrintHelp(command, out);
    return kExitFine;
  }
  const size_t count = words.operands.size();
  if (words.error.empty() && (count < command.min_operands || count > command.max_operands)) {
    words.error = absl::StrFormat("usage: vmcore %s %s", command.name, command.operands);
  }
  const Invocation invocation(command.name, std::move(words.operands), std::move(words.options), out, err);
  if (!words.error.empty()) return invocation.Misused(words.error);
  if (confine) ConfineTo(command, invocation, confine);
  int exit_code = kExitBadFile;
  try {
    exit_code = command.run(invocation);
  } catch (const std::bad_alloc&) {
    return invocation.Fail(absl::ResourceExhaustedError("out of memory: the file asks for more than there is"));
  }
  return exit_code == kExitFine && !invocation.cut_short().empty() ? kExitBadFile : exit_code;
}

}  // namespace

int RunTool(const std::vector<Command>& commands, const std::vector<std::string>& arguments, std::ostream& out,
            std::ostream& err, const Confine& confine) {
  int exit_code = kExitFine;
  if (arguments.empty()) {
    PrintHelp(commands, err);
    return kExitBadUsage;
  }
  if (arguments[0] == "--help" || arguments[0] == "help") {
    PrintHelp(commands, out);
  } else if (arguments[0] == "--version") {
    out << absl::StrFormat("vmcore %s\n", kVersion);
  } else {
    const auto command =
        std::find_if(commands.begin(), commands.end(), [&](const Command& c) { return c.name == arguments[0]; });
    if (command == commands.end()) {
      err << "vmcore: there is no command " << Printable(arguments[0]) << "; `vmcore --help` lists them\n";
      return kExitBadUsage;
    }
    exit_code = RunCommand(*command, {arguments.begin() + 1, arguments.end()}, out, err, confine);
  }
  out.flush();
  if (out.good()) return exit_code;
  err << "vmcore: the output could not be written\n";
  return kExitBadFile;
}

}  // namespace vmm
