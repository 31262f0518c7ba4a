// The places in a kernel's code where its end can be caught.
#ifndef VMM_CATCH_CATCH_POINT_H_
#define VMM_CATCH_CATCH_POINT_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/guest_addr.h"

namespace vmm {

// What to catch. A panic is caught when its message is in the log and the other CPUs have not yet been stopped. An oops
// or a BUG() is caught when its report is in the log. A warning or a KASAN report is caught as it begins.
enum class CatchKind { kPanic, kOops, kWarn, kKasan };

// "panic", "oops", "warn" or "kasan". The parser also takes "bug", which is an oops.
std::string_view CatchKindName(CatchKind kind);
std::optional<CatchKind> ParseCatchKind(std::string_view name);

// The functions that x86 Linux 4.14 to 7.2 enters for `kind`. A kernel has some of them.
std::span<const std::string_view> CatchFunctions(CatchKind kind);

// The function to use if a kernel has no function that every end of `kind` enters. A kernel built for a single CPU is
// such a kernel. panic() enters this function later, at its end. Empty: there is none for `kind`.
std::string_view LastCatchFunction(CatchKind kind);

// Entering one of these is not always a plain panic.
// - A reboot also calls the first, to stop the other CPUs. It waits for them and a panic does not: the argument shows
//   which it is.
// - The second is replaced by the third on the way to the guest's own crash kernel. But with crash_kexec_post_notifiers
//   on the kernel's command line, panic() enters the second whether or not there is a crash kernel.
inline constexpr std::string_view kStopOtherCpus = "native_stop_other_cpus";
inline constexpr std::string_view kCrashStopOtherCpus = "crash_smp_send_stop";
inline constexpr std::string_view kCrashShutdown = "native_machine_crash_shutdown";

// True if every end of its kind enters `function`, one of CatchFunctions(). False for the two on the way to a crash
// kernel: a kernel for a single CPU has them, too, but its plain panic enters neither.
bool EveryEndEnters(std::string_view function);

// Returns how many bytes at a function's start must stay as they are: the ENDBR64, and the call or NOP that ftrace
// patches and checks. `code` is the function's first bytes.
size_t UntouchableBytes(std::span<const uint8_t> code);

// OUT imm8, AL. It is two bytes long, and it causes an exit on every KVM.
inline constexpr uint8_t kCatchPort = 0xfc;
inline constexpr std::array<uint8_t, 2> kPlantedOut = {0xe6, kCatchPort};

struct CatchPoint {
  CatchKind kind = CatchKind::kPanic;
  std::string function;
  uint64_t address = 0;  // virtual, of the planted instruction
  GuestAddr phys;
  std::array<uint8_t, kPlantedOut.size()> original = {};
};

}  // namespace vmm

#endif  // VMM_CATCH_CATCH_POINT_H_
