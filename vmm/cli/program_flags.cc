#include "vmm/cli/program_flags.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "absl/flags/flag.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/cli/command_line.h"
#include "vmm/harness/guest_files.h"

ABSL_FLAG(vmm::RepeatedText, file, {},
          "HOST[:GUEST]: a file or folder for the program, at the path GUEST\n"
          "[where it is here]; repeatable");
ABSL_FLAG(std::string, rootfs, "",
          "DIR: a folder of the host as the guest's root, / too; its changes stay\n"
          "in the guest's memory; with ,ro they are refused, with ,rw made here");
ABSL_FLAG(bool, shell, false,
          "a shell of the guest's root in place of a PROGRAM, on a terminal where\nours is one; Ctrl-A x quits");
ABSL_FLAG(std::string, modules_dir, "", "DIR: the kernel's modules [/lib/modules/RELEASE]");
ABSL_FLAG(vmm::RepeatedText, env, {}, "NAME[=VALUE]: in the program's environment [VALUE as here]; repeatable");
ABSL_FLAG(std::string, cwd, "", "PATH: the program's working directory in the guest [as here]");
ABSL_FLAG(std::string, exit_status, "vmm",
          "HOW: vmm or shell; shell passes a program's status above 119 on,\n"
          "and 128 and the number of the signal that killed it [vmm]");

namespace vmm {
namespace {

// The name of a flag that was given and is only for programs; empty if there is none.
std::string_view GivenFlag() {
  if (!absl::GetFlag(FLAGS_file).values.empty()) return "--file";
  if (!absl::GetFlag(FLAGS_rootfs).empty()) return "--rootfs";
  if (!absl::GetFlag(FLAGS_modules_dir).empty()) return "--modules-dir";
  if (!absl::GetFlag(FLAGS_env).values.empty()) return "--env";
  if (!absl::GetFlag(FLAGS_cwd).empty()) return "--cwd";
  if (absl::GetFlag(FLAGS_exit_status) != "vmm") return "--exit-status";
  return "";
}

}  // namespace

absl::StatusOr<std::pair<std::string, std::string>> ParseFilePair(const std::string& text) {
  const size_t colon = text.find(':');
  const std::string host = text.substr(0, colon);
  if (host.empty()) return absl::InvalidArgumentError("no file is named");
  const std::string guest = colon == std::string::npos ? AbsolutePath(host) : text.substr(colon + 1);
  if (!guest.starts_with('/')) return absl::InvalidArgumentError("the path in the guest must be absolute");
  return std::pair(host, AbsolutePath(guest));
}

absl::StatusOr<std::string> ParseVariable(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == 0 || text.empty()) return absl::InvalidArgumentError("no variable is named");
  if (equals != std::string::npos) return text;
  const char* const value = std::getenv(text.c_str());  // NOLINT(concurrency-mt-unsafe): nobody sets it
  if (value == nullptr) return absl::InvalidArgumentError("there is no such variable here; NAME=VALUE gives one");
  return absl::StrFormat("%s=%s", text, value);
}

std::string ShellFor(const std::optional<RootTree>& root) {
  const char* const ours = std::getenv("SHELL");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  const bool known = root.has_value() && root->is_hosts_own() && ours != nullptr && CheckProgram(ours).ok();
  return known ? ours : "/bin/sh";
}

absl::StatusOr<std::optional<ProgramConfig>> ProgramFromFlags(std::vector<std::string> words) {
  const bool shell = absl::GetFlag(FLAGS_shell);
  if (shell && !words.empty()) {
    return absl::InvalidArgumentError(absl::StrFormat("--shell runs a shell: not with the program %s", words[0]));
  }
  if (shell) words = {"/bin/sh"};  // the root decides below
  if (words.empty()) {
    const std::string_view flag = GivenFlag();
    if (flag.empty()) return std::nullopt;
    return absl::InvalidArgumentError(
        absl::StrFormat("%s is for a program, and none is given: vmm [flags] -- PROGRAM [ARGUMENTS]", flag));
  }
  ProgramConfig program{.words = std::move(words)};
  for (const std::string& text : absl::GetFlag(FLAGS_file).values) {
    ASSIGN_OR_RETURN(auto pair, Annotate(ParseFilePair(text), "--file=" + text));
    program.files.push_back(std::move(pair));
  }
  for (const std::string& text : absl::GetFlag(FLAGS_env).values) {
    ASSIGN_OR_RETURN(std::string variable, Annotate(ParseVariable(text), "--env=" + text));
    program.environment.push_back(std::move(variable));
  }
  if (const std::string text = absl::GetFlag(FLAGS_rootfs); !text.empty()) {
    ASSIGN_OR_RETURN(program.root, Annotate(ParseRootTree(text), "--rootfs=" + text));
    if (!program.files.empty()) {
      return absl::InvalidArgumentError(
          "--file packs files for a guest that has no root of its own: not with --rootfs");
    }
  }
  if (shell) program.words = {ShellFor(program.root)};
  program.terminal = shell && isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0;
  program.terminal_errors = program.terminal && isatty(STDERR_FILENO) != 0;
  program.modules_folder = absl::GetFlag(FLAGS_modules_dir);
  const std::string folder = absl::GetFlag(FLAGS_cwd);
  if (!folder.empty() && !folder.starts_with('/')) {
    return absl::InvalidArgumentError(absl::StrFormat("--cwd=%s: must be absolute", folder));
  }
  if (!folder.empty()) program.working_folder = AbsolutePath(folder);
  const std::string status = absl::GetFlag(FLAGS_exit_status);
  if (status != "vmm" && status != "shell") {
    return absl::InvalidArgumentError(absl::StrFormat("--exit-status=%s: must be vmm or shell", status));
  }
  program.shell_status = status == "shell";
  return program;
}

}  // namespace vmm
