// The system calls that each kind of thread may make while the guest runs. docs/threat-model.md shows the counts.
#ifndef VMM_SANDBOX_SYSTEM_CALLS_H_
#define VMM_SANDBOX_SYSTEM_CALLS_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace vmm {

enum class ThreadKind {
  kMain,     // waits for the end, and then writes the dump and the report
  kVcpu,     // runs a vCPU and, on its exits, the devices on ports
  kDevice,   // a virtio device's requests
  kSampler,  // reads the scheduler's account of the others
};
inline constexpr ThreadKind kThreadKinds[] = {ThreadKind::kMain, ThreadKind::kVcpu, ThreadKind::kDevice,
                                              ThreadKind::kSampler};

std::string_view ThreadKindName(ThreadKind kind);  // "main", "vCPU", ...

// Numbers of system calls on x86-64. ioctl and socket are not among them: their arguments are
// judged.
std::span<const int> AllowedCalls(ThreadKind kind);

// True if such a thread may call socket(), for Unix sockets alone.
bool MayMakeUnixSockets(ThreadKind kind);

// The requests with which such a thread may call ioctl.
std::vector<uint32_t> AllowedRequests(ThreadKind kind);

}  // namespace vmm

#endif  // VMM_SANDBOX_SYSTEM_CALLS_H_
