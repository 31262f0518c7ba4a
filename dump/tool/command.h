// A command of the `vmcore` tool. Each command has a file pair NAME_command.{h,cc} with one function that returns its
// Command; dump/tool/commands.cc lists them. A command gets its arguments and two streams, so a test needs no process.
#ifndef DUMP_TOOL_COMMAND_H_
#define DUMP_TOOL_COMMAND_H_

#include <functional>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace vmm {

// Exit codes of the tool.
inline constexpr int kExitFine = 0;
inline constexpr int kExitBadFile = 1;  // the file cannot be read, has faults, or differs
inline constexpr int kExitBadUsage = 2;

// The directory that a file is made in.
std::string DirectoryOf(const std::string& path);

// The files that a call opens, as its words name them.
struct CommandFiles {
  std::vector<std::string> inputs;
  std::vector<std::string> output_directories;
};

// The arguments and streams of one call of a command.
class Invocation {
 public:
  Invocation(std::string command, std::vector<std::string> operands, std::map<std::string, std::string> options,
             std::ostream& out, std::ostream& err)
      : command_(std::move(command)),
        operands_(std::move(operands)),
        options_(std::move(options)),
        out_(out),
        err_(err) {}

  const std::vector<std::string>& operands() const { return operands_; }

  // True if --json was given. Every command has it.
  bool json() const { return Has("json"); }

  // Has() is true if --NAME was given. Value() is its value, or none if it was not given.
  bool Has(const std::string& name) const { return options_.contains(name); }
  std::optional<std::string> Value(const std::string& name) const;

  // The operands, to read, and the directory of --output, if that was given.
  CommandFiles Files() const;

  // For results. Text from the file must go through Printable() (dump/tool/printable.h).
  std::ostream& out() const { return out_; }

  // For messages that are not part of the result.
  std::ostream& err() const { return err_; }

  // These print the reason to err() and return the command's exit code: `return call.Fail(core.status());`
  int Fail(const absl::Status& status) const;
  int Misused(std::string_view why) const;

  // Prints `file_is_cut_short`, "vmcore.1 is cut short: ...", to err(). Turns an exit code of kExitFine into
  // kExitBadFile. OpenCore() (dump/tool/open_core.h) calls it.
  void TellCutShort(const std::string& file_is_cut_short) const;

  // The sentences given to TellCutShort(), printable. If there are any, they are the `cut_short` of a JSON result.
  const std::vector<std::string>& cut_short() const { return cut_short_; }

 private:
  const std::string command_;
  const std::vector<std::string> operands_;
  const std::map<std::string, std::string> options_;
  std::ostream& out_;
  std::ostream& err_;
  mutable std::vector<std::string> cut_short_;
};

struct CommandOption {
  std::string name;   // without its dashes
  std::string value;  // its placeholder in the help, "LEVEL"; empty: takes no value
  std::string help;   // one line
};

struct Command {
  std::string name;
  std::string operands;  // as in the help: "FILE", "A B"
  size_t min_operands = 1;
  size_t max_operands = 1;
  std::string summary;                 // half a line
  std::string details;                 // for `vmcore NAME --help`: lines, each with its newline
  std::vector<CommandOption> options;  // all but --json, --verbose and --help
  // Empty: Invocation::Files().
  std::function<CommandFiles(const Invocation&)> files;
  std::function<int(const Invocation&)> run;
};

}  // namespace vmm

#endif  // DUMP_TOOL_COMMAND_H_
