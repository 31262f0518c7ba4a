#include "vmm/sandbox/sandbox.h"

#include <linux/seccomp.h>
#include <malloc.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_format.h"
#include "base/log.h"
#include "base/status.h"
#include "sandbox/landlock.h"
#include "sandbox/privileges.h"
#include "sandbox/sanitized.h"

namespace vmm {
namespace {

bool HostHasSeccomp(SandboxMode mode) {
  const uint32_t action = mode == SandboxMode::kLog ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_KILL_PROCESS;
  return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Sandbox>> Sandbox::Create(SandboxMode mode) {
  std::unique_ptr<Sandbox> sandbox(new Sandbox);
  sandbox->report_.mode = mode;
  if (mode == SandboxMode::kOff) return sandbox;
  // Without a limit, malloc asks for the number of processors when some thread first needs an arena of its own, and
  // opens a file for that.
  mallopt(M_ARENA_MAX, 8);
  if (kSanitized || !HostHasSeccomp(mode)) {
    sandbox->report_.lacking.emplace_back(kSanitized ? "seccomp: this is a build with a sanitizer"
                                                     : "seccomp: system calls are not confined");
    return sandbox;
  }
  for (const ThreadKind kind : kThreadKinds) {
    ASSIGN_OR_RETURN(SeccompFilter filter, SeccompFilter::Compile(kind, mode));
    sandbox->filters_.push_back(std::move(filter));
  }
  if (mode == SandboxMode::kLog) sandbox->denied_ = new DeniedCalls;
  return sandbox;
}

absl::Status Sandbox::ConfineProcess(std::span<const std::string> writable, std::span<const std::string> removable) {
  if (report_.mode == SandboxMode::kOff) return absl::OkStatus();
  RETURN_IF_ERROR(Annotate(GiveUpNewPrivileges(), "sandbox"));
  RETURN_IF_ERROR(Annotate(DropCapabilities(), "sandbox"));
  const std::vector<std::string> readable = {"/proc", "/sys"};
  if (report_.mode == SandboxMode::kOn) {
    if (LandlockVersion() == 0) {
      report_.lacking.emplace_back("Landlock: files are not confined");
    } else {
      RETURN_IF_ERROR(Annotate(ConfineFiles(writable, readable, removable), "sandbox"));
      report_.landlock = LandlockVersion();
    }
  }
  if (filters_.empty()) return absl::OkStatus();
  // With a listener, a thread can have only one filter, and those of its children would come on top of it: then this
  // thread is confined last.
  if (report_.mode == SandboxMode::kOn) {
    RETURN_IF_ERROR(
        Annotate(filters_[static_cast<size_t>(ThreadKind::kMain)].InstallOnAllThreads(), "sandbox: main thread"));
  }
  report_.seccomp = true;
  return absl::OkStatus();
}

void Sandbox::ConfineThread(ThreadKind kind) {
  if (!report_.seccomp) return;
  if (kind == ThreadKind::kMain && denied_ == nullptr) return;  // by ConfineProcess()
  const SeccompFilter& filter = filters_[static_cast<size_t>(kind)];
  absl::Status confined;
  if (denied_ != nullptr) {
    absl::StatusOr<UniqueFd> listener = filter.InstallWithListener();
    confined = listener.status();
    if (listener.ok()) denied_->Watch(kind, *std::move(listener));
  } else {
    confined = filter.InstallOnThisThread();
  }
  if (confined.ok()) return;
  LogWarning(absl::StrFormat("sandbox: %s thread: %s", ThreadKindName(kind), std::string(confined.message())));
  std::abort();
}

}  // namespace vmm
