#include "vmm/gdb/command_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/unique_fd.h"

namespace vmm {

std::string GdbCommands(const std::string& socket, std::optional<uint64_t> kernel_offset) {
  const std::string place = kernel_offset.has_value() ? absl::StrFormat("%#x", *kernel_offset) : "$arg1";
  const std::string arguments = kernel_offset.has_value() ? "VMLINUX" : "VMLINUX OFFSET";
  return absl::StrFormat(
      "# Attaches gdb to the guest of a vmm that runs:\n"
      "#   gdb -x %s.gdb -ex 'kernel %s'\n"
      "# Thread N is vCPU N-1. Without symbols, from here on: 'info threads', 'monitor help'.\n"
      "define kernel\n"
      "  symbol-file -o %s $arg0\n"
      "end\n"
      "document kernel\n"
      "kernel %s: load the symbols of a vmlinux, moved to where the guest's kernel runs.\n"
      "end\n"
      "target remote %s\n",
      socket, arguments, place, arguments, socket);
}

absl::Status WriteGdbCommands(const std::string& path, const std::string& commands) {
  const UniqueFd fd(
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600));
  if (!fd.valid()) return ErrnoStatus(errno, path);
  const ssize_t written = write(fd.get(), commands.data(), commands.size());
  if (written == static_cast<ssize_t>(commands.size())) return absl::OkStatus();
  return ErrnoStatus(written < 0 ? errno : ENOSPC, path);
}

}  // namespace vmm
