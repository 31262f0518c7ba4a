#include "sandbox/parser_calls.h"

#include <asm/ioctls.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "base/status.h"
#include "sandbox/sanitized.h"

namespace vmm {
namespace {

// clang-format off

// Each kind has the calls of the kind before it, too. Others are judged by their arguments.
constexpr std::array kCalls = {
    // kMemory
    SYS_pread64, SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_futex, SYS_clock_gettime, SYS_rt_sigreturn,
    SYS_restart_syscall, SYS_exit, SYS_exit_group,
    // kFiles
    SYS_read, SYS_write, SYS_writev, SYS_lseek, SYS_openat, SYS_open, SYS_close, SYS_fstat, SYS_newfstatat,
    SYS_stat, SYS_fstatfs, SYS_fcntl, SYS_poll,
    // kFilesToFiles
    SYS_pwrite64, SYS_pwritev, SYS_ftruncate, SYS_fallocate, SYS_flock, SYS_fsync, SYS_fdatasync, SYS_fchmod,
    SYS_renameat2, SYS_linkat, SYS_unlinkat, SYS_getdents64, SYS_geteuid, SYS_getpid, SYS_gettid, SYS_getrandom,
    SYS_clock_nanosleep, SYS_sched_getaffinity, SYS_clone, SYS_clone3, SYS_set_robust_list, SYS_rseq,
    SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_prctl,
};

// clang-format on

constexpr size_t kMemoryCalls = 11;
constexpr size_t kFileCalls = kMemoryCalls + 13;
static_assert(kCalls[kMemoryCalls - 1] == SYS_exit_group && kCalls[kFileCalls - 1] == SYS_poll);

constexpr sock_filter Load(size_t offset) {
  return {.code = BPF_LD | BPF_W | BPF_ABS, .jt = 0, .jf = 0, .k = static_cast<uint32_t>(offset)};
}

constexpr sock_filter Jump(uint16_t test, uint32_t value, uint8_t if_true, uint8_t if_false) {
  return {.code = static_cast<uint16_t>(BPF_JMP | test | BPF_K), .jt = if_true, .jf = if_false, .k = value};
}

constexpr sock_filter Return(uint32_t action) { return {.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = action}; }

// Has room for the longest list.
class Program {
 public:
  Program(ParserKind kind, int answer_fd) {
    Add(Load(offsetof(seccomp_data, arch)));
    Add(Jump(BPF_JEQ, AUDIT_ARCH_X86_64, 1, 0));
    Add(Return(SECCOMP_RET_KILL_PROCESS));
    Add(Load(offsetof(seccomp_data, nr)));  // one of the x32 interface has a bit more, and equals none
    for (const int call : ParserCalls(kind)) {
      Add(Jump(BPF_JEQ, static_cast<uint32_t>(call), 0, 1));
      Add(Return(SECCOMP_RET_ALLOW));
    }
    if (kind == ParserKind::kMemory) {
      AllowWrite(answer_fd);
      AllowAnonymousMap();
    } else {
      AllowWithoutExec(SYS_mmap);
    }
    if (kind == ParserKind::kFilesToFiles) {
      AllowWithoutExec(SYS_mprotect);  // the stack of a new thread
    } else {
      Add(Jump(BPF_JEQ, SYS_mprotect, 0, 1));
      Add(Return(SECCOMP_RET_ERRNO | ENOMEM));
    }
    if (kind != ParserKind::kMemory) AllowQuestionForTerminal();
    Add(Return(SECCOMP_RET_KILL_PROCESS));
  }

  sock_fprog Get() { return {.len = static_cast<unsigned short>(size_), .filter = steps_.data()}; }

 private:
  void Add(sock_filter step) { steps_[size_++] = step; }

  void AllowWithoutExec(uint32_t call) {
    Add(Jump(BPF_JEQ, call, 0, 4));
    Add(Load(offsetof(seccomp_data, args[2])));
    Add(Jump(BPF_JSET, PROT_EXEC, 0, 1));
    Add(Return(SECCOMP_RET_KILL_PROCESS));
    Add(Return(SECCOMP_RET_ALLOW));
  }

  // Guest RAM is a file that is open here. Only reads must reach it.
  void AllowWrite(int fd) {
    Add(Jump(BPF_JEQ, SYS_write, 0, 4));
    Add(Load(offsetof(seccomp_data, args[0])));
    Add(Jump(BPF_JEQ, static_cast<uint32_t>(fd), 1, 0));
    Add(Return(SECCOMP_RET_KILL_PROCESS));
    Add(Return(SECCOMP_RET_ALLOW));
  }

  void AllowAnonymousMap() {
    Add(Jump(BPF_JEQ, SYS_mmap, 0, 6));
    Add(Load(offsetof(seccomp_data, args[3])));
    Add(Jump(BPF_JSET, MAP_ANONYMOUS, 0, 2));
    Add(Load(offsetof(seccomp_data, args[2])));
    Add(Jump(BPF_JSET, PROT_EXEC, 0, 1));
    Add(Return(SECCOMP_RET_KILL_PROCESS));
    Add(Return(SECCOMP_RET_ALLOW));
  }

  // isatty(): the number's name alone would be taken for a request to a device by ci/folder_rules.
  void AllowQuestionForTerminal() {
    Add(Jump(BPF_JEQ, __NR_ioctl, 0, 4));
    Add(Load(offsetof(seccomp_data, args[1])));
    Add(Jump(BPF_JEQ, TCGETS, 1, 0));
    Add(Return(SECCOMP_RET_KILL_PROCESS));
    Add(Return(SECCOMP_RET_ALLOW));
  }

  std::array<sock_filter, 4 + 2 * kCalls.size() + 20> steps_;
  size_t size_ = 0;
};

}  // namespace

std::span<const int> ParserCalls(ParserKind kind) {
  static constexpr auto kNumbers = [] {
    std::array<int, kCalls.size()> numbers = {};
    for (size_t i = 0; i < kCalls.size(); ++i) numbers[i] = static_cast<int>(kCalls[i]);
    return numbers;
  }();
  const std::span<const int> all = kNumbers;
  switch (kind) {
    case ParserKind::kMemory: return all.first(kMemoryCalls);
    case ParserKind::kFiles: return all.first(kFileCalls);
    case ParserKind::kFilesToFiles: return all;
  }
  return {};
}

absl::Status ConfineParserCalls(ParserKind kind, int answer_fd) {
  if constexpr (kSanitized) return absl::UnimplementedError("this is a build with a sanitizer");
  Program program(kind, answer_fd);
  const sock_fprog filter = program.Get();
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0) return absl::OkStatus();
  const int error = errno;
  if (error == ENOSYS || error == EINVAL) return absl::UnimplementedError("this kernel has no filters");
  return ErrnoStatus(error, "install a seccomp filter");
}

}  // namespace vmm
