#include "dump/write/gdb_script.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_format.h"
#include "base/file_sink.h"
#include "base/status.h"
#include "base/unique_fd.h"

namespace vmm {
namespace {

std::string ScriptName(std::string_view core_name) { return absl::StrFormat("%s.gdb", core_name); }

std::string FirstWords(std::string_view core_name) { return absl::StrFormat("# Opens %s in gdb.", core_name); }

}  // namespace

std::string GdbScript(std::string_view core_name, std::string_view release, std::optional<uint64_t> kernel_offset) {
  const std::string vmlinux = absl::StrFormat("/usr/lib/debug/boot/vmlinux-%s", release.empty() ? "RELEASE" : release);
  return absl::StrFormat(
      "%s Call it in the directory of both, with the vmlinux of the guest's kernel:\n"
      "#   gdb -x %s.gdb -ex 'kernel %s' -ex 'thread apply all bt'\n"
      "# Thread N is vCPU N-1. Without symbols, from here on: 'info threads', 'info registers'.\n"
      "define kernel\n"
      "  symbol-file -o %#x $arg0\n"
      "end\n"
      "document kernel\n"
      "Load the symbols of a vmlinux, moved to where the dumped kernel ran.\n"
      "end\n"
      "core-file %s\n",
      FirstWords(core_name), core_name, vmlinux, kernel_offset.value_or(0), core_name);
}

absl::Status WriteGdbScript(const OutputDir& dir, std::string_view core_name, std::string_view release,
                            std::optional<uint64_t> kernel_offset) {
  ASSIGN_OR_RETURN(const std::unique_ptr<FileSink> sink, FileSink::Create(dir, ScriptName(core_name)));
  const std::string script = GdbScript(core_name, release, kernel_offset);
  RETURN_IF_ERROR(sink->WriteAt(0, {reinterpret_cast<const uint8_t*>(script.data()), script.size()}));
  RETURN_IF_ERROR(sink->Sync());
  return sink->Commit();
}

void RemoveGdbScript(const OutputDir& dir, std::string_view core_name) {
  const std::string name = ScriptName(core_name);
  const UniqueFd fd(openat(dir.fd(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat file = {};
  if (!fd.valid() || fstat(fd.get(), &file) != 0 || !S_ISREG(file.st_mode) || file.st_uid != geteuid()) return;
  const std::string wanted = FirstWords(core_name);
  std::string found(wanted.size(), '\0');
  if (pread(fd.get(), found.data(), found.size(), 0) != static_cast<ssize_t>(found.size()) || found != wanted) return;
  unlinkat(dir.fd(), name.c_str(), 0);
}

}  // namespace vmm
