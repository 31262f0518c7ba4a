#include "vmm/run/console_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/status.h"
#include "base/unique_fd.h"

namespace vmm {
namespace {

absl::StatusOr<std::unique_ptr<ConsoleWriter>> OpenFile(const std::string& path) {
  // The writer has a descriptor of its own.
  const UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666));
  if (!fd.valid()) return ErrnoStatus(errno, "--console=" + path);
  return ConsoleWriter::Create(fd.get());
}

}  // namespace

absl::StatusOr<std::unique_ptr<ConsoleWriter>> OpenConsole(const VmConfig& config) {
  if (config.console == "off") return OpenFile("/dev/null");
  if (!config.console.empty() && config.console != "-") return OpenFile(config.console);
  if (config.program.has_value()) {
    const bool shown = config.console == "-" || config.verbose;
    return shown ? ConsoleWriter::Create(STDERR_FILENO) : OpenFile("/dev/null");
  }
  // A vmcore on standard output leaves no room for the console there.
  return ConsoleWriter::Create(config.dump_fd == STDOUT_FILENO ? STDERR_FILENO : STDOUT_FILENO);
}

}  // namespace vmm
