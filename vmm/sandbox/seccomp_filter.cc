#include "vmm/sandbox/seccomp_filter.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

absl::Status Check(int result, std::string_view what) {
  return result >= 0 ? absl::OkStatus() : ErrnoStatus(-result, what);
}

absl::Status AddRules(scmp_filter_ctx context, ThreadKind kind) {
  for (const int call : AllowedCalls(kind)) {
    RETURN_IF_ERROR(
        Check(seccomp_rule_add(context, SCMP_ACT_ALLOW, call, 0), absl::StrFormat("allow system call %d", call)));
  }
  if (MayMakeUnixSockets(kind)) {
    RETURN_IF_ERROR(Check(seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX)),
                          "allow Unix sockets"));
  }
  for (const uint32_t request : AllowedRequests(kind)) {
    // The kernel takes the low 32 bits of the request alone.
    RETURN_IF_ERROR(Check(
        seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, request)),
        absl::StrFormat("allow ioctl request %#x", request)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<sock_filter>> Export(scmp_filter_ctx context) {
  const UniqueFd file(memfd_create("vmm-seccomp", MFD_CLOEXEC));
  if (!file.valid()) return ErrnoStatus(errno, "memfd for a seccomp filter");
  RETURN_IF_ERROR(Check(seccomp_export_bpf(context, file.get()), "export a seccomp filter"));
  const off_t bytes = lseek(file.get(), 0, SEEK_END);
  std::vector<sock_filter> program(static_cast<size_t>(bytes) / sizeof(sock_filter));
  if (pread(file.get(), program.data(), program.size() * sizeof(sock_filter), 0) != bytes) {
    return ErrnoStatus(errno, "read a seccomp filter");
  }
  return program;
}

}  // namespace

absl::StatusOr<SeccompFilter> SeccompFilter::Compile(ThreadKind kind, SandboxMode mode) {
  const uint32_t otherwise = mode == SandboxMode::kLog ? SCMP_ACT_NOTIFY : SCMP_ACT_KILL_PROCESS;
  const std::unique_ptr<void, decltype(&seccomp_release)> context(seccomp_init(otherwise), &seccomp_release);
  if (context == nullptr) return absl::InternalError("seccomp_init failed");
  RETURN_IF_ERROR(AddRules(context.get(), kind));
  // A tree of comparisons in place of a list: a call costs fewer steps.
  seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  ASSIGN_OR_RETURN(std::vector<sock_filter> program, Export(context.get()));
  return SeccompFilter(std::move(program));
}

absl::StatusOr<int> SeccompFilter::Install(unsigned flags) const {
  sock_fprog program = {.len = static_cast<unsigned short>(program_.size()),
                        .filter = const_cast<sock_filter*>(program_.data())};
  const long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  if (result < 0) return ErrnoStatus(errno, "install a seccomp filter");
  return static_cast<int>(result);
}

absl::Status SeccompFilter::InstallOnThisThread() const { return Install(0).status(); }

absl::Status SeccompFilter::InstallOnAllThreads() const {
  ASSIGN_OR_RETURN(const int other, Install(SECCOMP_FILTER_FLAG_TSYNC));
  if (other == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrFormat("install a seccomp filter: thread %d has one already", other));
}

absl::StatusOr<UniqueFd> SeccompFilter::InstallWithListener() const {
  ASSIGN_OR_RETURN(const int fd, Install(SECCOMP_FILTER_FLAG_NEW_LISTENER));
  return UniqueFd(fd);
}

}  // namespace vmm
