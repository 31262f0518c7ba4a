// The places in a kernel's code at which its end can be caught.
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

// What is caught. A panic is caught when its message is in the log and the other CPUs still run what they ran; an
// oops or BUG() when its report is in the log; a warning or a KASAN report as it begins.
enum class CatchKind { kPanic, kOops, kWarn, kKasan };

// "panic", "oops", "warn", "kasan"; and "bug", which is an oops.
std::string_view CatchKindName(CatchKind kind);
std::optional<CatchKind> ParseCatchKind(std::string_view name);

// The functions that are entered for `kind`, x86 Linux 4.14 to 7.2; a kernel has some of them.
std::span<const std::string_view> CatchFunctions(CatchKind kind);

// The one to take where a kernel has none of those, as one built for a single CPU has not; empty: there is none. It is
// entered later, at the end of panic().
std::string_view LastCatchFunction(CatchKind kind);

// Those of a panic that say more by being entered. A reboot stops the other CPUs by the first one, too, and waits for
// them, which a panic does not: its argument tells. The second one's place is taken by the third on the way to a crash
// kernel of the guest's own; with crash_kexec_post_notifiers on the kernel's command line panic() enters it either way.
inline constexpr std::string_view kStopOtherCpus = "native_stop_other_cpus";
inline constexpr std::string_view kCrashStopOtherCpus = "crash_smp_send_stop";
inline constexpr std::string_view kCrashShutdown = "native_machine_crash_shutdown";

// Every end of its kind enters `function`, one of CatchFunctions(). The two on the way to a crash kernel are there on
// a kernel for a single CPU, too, whose plain panic enters neither.
bool EveryEndEnters(std::string_view function);

// How many bytes of a function's start must stay as they are: the ENDBR64, and the call or NOP that ftrace
// patches and checks. `code` is the function's first bytes.
size_t UntouchableBytes(std::span<const uint8_t> code);

// OUT imm8, AL: two bytes, and an exit on every KVM there is.
inline constexpr uint8_t kCatchPort = 0xfc;
inline constexpr std::array<uint8_t, 2> kPlantedOut = {0xe6, kCatchPort};

struct CatchPoint {
  CatchKind kind = CatchKind::kPanic;
  std::string function;
  uint64_t address = 0;  // of the planted instruction, virtual
  GuestAddr phys;
  std::array<uint8_t, kPlantedOut.size()> original = {};
};

}  // namespace vmm

#endif  // VMM_CATCH_CATCH_POINT_H_
