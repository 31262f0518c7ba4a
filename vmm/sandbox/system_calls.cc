#include "vmm/sandbox/system_calls.h"

#include <asm/ioctls.h>
#include <sys/syscall.h>

#include <array>

#include "vmm/kvm/running_requests.h"

namespace vmm {
namespace {

// clang-format off

// A vCPU's exits end in devices on ports. They write to consoles that are open, lock, and wake other threads.
constexpr std::array kVcpuCalls = {
    SYS_read, SYS_write, SYS_pread64, SYS_poll, SYS_futex, SYS_clock_nanosleep, SYS_clock_gettime,
    SYS_mmap, SYS_munmap, SYS_mprotect, SYS_madvise, SYS_brk,
    SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_restart_syscall, SYS_getpid, SYS_gettid, SYS_tgkill, SYS_getrandom,
    SYS_exit,
};

// A device's thread moves bytes between guest RAM and descriptors. It opens Unix sockets, and nothing else.
constexpr std::array kDeviceCalls = {
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev,
    SYS_fdatasync, SYS_fallocate, SYS_lseek, SYS_fstat, SYS_newfstatat, SYS_getrandom, SYS_fcntl, SYS_close,
    SYS_connect, SYS_accept4, SYS_shutdown, SYS_getsockopt,
    SYS_sendmsg, SYS_recvmsg, SYS_sendto, SYS_recvfrom,
    SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_ctl, SYS_poll, SYS_futex, SYS_clock_gettime,
    SYS_mmap, SYS_munmap, SYS_mprotect, SYS_madvise, SYS_brk,
    SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_restart_syscall, SYS_gettid, SYS_exit,
};

constexpr std::array kSamplerCalls = {
    SYS_openat, SYS_pread64, SYS_close, SYS_write, SYS_futex, SYS_clock_gettime,
    SYS_mmap, SYS_munmap, SYS_mprotect, SYS_madvise, SYS_brk,
    SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_restart_syscall, SYS_exit,
};

// The main thread only waits while the guest runs. But its filter cannot be widened at the guest's death: it holds from
// the start what a dump, a report and a record need, and what the narrower threads call before they are confined.
constexpr std::array kMainCalls = {
    // waits, and wakes others
    SYS_poll, SYS_ppoll, SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_ctl, SYS_futex, SYS_clock_nanosleep,
    SYS_clock_gettime, SYS_restart_syscall, SYS_read, SYS_write, SYS_readv, SYS_writev,
    SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_tgkill, SYS_kill, SYS_wait4, SYS_waitid,
    SYS_sendmsg, SYS_recvmsg, SYS_sendto, SYS_recvfrom, SYS_shutdown, SYS_getsockopt, SYS_accept4,
    SYS_connect,
    // memory
    SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_brk,
    // files below the output directories: Landlock sees to that
    SYS_openat, SYS_open, SYS_close, SYS_fcntl, SYS_fstat, SYS_newfstatat, SYS_stat, SYS_fstatfs, SYS_statfs, SYS_lseek,
    SYS_pread64, SYS_preadv, SYS_pwrite64, SYS_pwritev, SYS_ftruncate, SYS_fallocate, SYS_flock, SYS_fchmod, SYS_fsync,
    SYS_fdatasync, SYS_rename, SYS_renameat, SYS_renameat2, SYS_linkat, SYS_unlink, SYS_unlinkat, SYS_getdents64,
    SYS_readlink, SYS_readlinkat, SYS_getcwd,
    // threads, facts about itself, and the end
    SYS_clone3, SYS_clone, SYS_set_robust_list, SYS_rseq, SYS_prctl, SYS_seccomp, SYS_sched_getaffinity, SYS_getpid, SYS_getppid,
    SYS_gettid, SYS_getuid, SYS_geteuid, SYS_uname, SYS_sysinfo, SYS_getrandom, SYS_pipe2, SYS_eventfd2, SYS_exit,
    SYS_exit_group, SYS_prlimit64, SYS_setrlimit, SYS_close_range, SYS_timerfd_settime,
};

// clang-format on

}  // namespace

std::string_view ThreadKindName(ThreadKind kind) {
  switch (kind) {
    case ThreadKind::kMain: return "main";
    case ThreadKind::kVcpu: return "vCPU";
    case ThreadKind::kDevice: return "device";
    case ThreadKind::kSampler: return "sampler";
  }
  return "?";
}

std::span<const int> AllowedCalls(ThreadKind kind) {
  switch (kind) {
    case ThreadKind::kMain: return kMainCalls;
    case ThreadKind::kVcpu: return kVcpuCalls;
    case ThreadKind::kDevice: return kDeviceCalls;
    case ThreadKind::kSampler: return kSamplerCalls;
  }
  return {};
}

bool MayMakeUnixSockets(ThreadKind kind) { return kind == ThreadKind::kMain || kind == ThreadKind::kDevice; }

std::vector<uint32_t> AllowedRequests(ThreadKind kind) {
  switch (kind) {
    case ThreadKind::kMain: {
      std::vector<uint32_t> requests = MainThreadRequests();
      requests.insert(requests.end(), {TCGETS, TCSETS, TCSETSW, TCSETSF, TIOCGWINSZ});  // the user's terminal
      return requests;
    }
    case ThreadKind::kVcpu: return VcpuThreadRequests();
    case ThreadKind::kDevice:
    case ThreadKind::kSampler: return {};
  }
  return {};
}

}  // namespace vmm
