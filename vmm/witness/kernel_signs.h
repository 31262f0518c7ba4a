// The words by which a Linux kernel says on its console that something is wrong, classified by meaning.
#ifndef VMM_WITNESS_KERNEL_SIGNS_H_
#define VMM_WITNESS_KERNEL_SIGNS_H_

#include <optional>
#include <string_view>

namespace vmm {

enum class KernelSign {
  kPanic,       // "Kernel panic - not syncing", an exception in early boot, or a death by Xen's word (xen_signs.h)
  kOops,        // a fault that the kernel did not expect
  kBug,         // BUG(), SLUB's "BUG name (", and every other "BUG:"
  kKasan,       // a sanitizer report: KASAN, KCSAN, KMSAN, KFENCE, UBSAN
  kWarning,     // WARN()
  kSoftLockup,  // a CPU that does not schedule
  kHardLockup,  // a CPU that takes no interrupts
  kRcuStall,
  kHungTask,
  kLockdep,  // lock rules were broken; nothing bad need have happened yet
  kMemoryLeak,
};

// "panic", "soft-lockup", ...: stable words, used in result.json and by --catch-console.
std::string_view KernelSignName(KernelSign sign);
std::optional<KernelSign> ParseKernelSign(std::string_view name);

// Returns the sign in one console line, if there is one. The kernel's own line must begin where the console's line
// does, or after a time stamp or level within it (kernel_line.h): words in the middle of a line are somebody else's. A
// program's line gives a sign only if it has the whole form of a kernel line. `whole`: `line` begins where the
// console's line did. If there are several signs, returns the one that comes first in KernelSign.
//
// Sources: the printk calls of Linux 6.1, and of 2.6 to 7.x if they differ (sign_table.cc).
std::optional<KernelSign> FindKernelSign(std::string_view line, bool whole = true);

// True for a kPanic that is an exception before the kernel had a trap table ("PANIC: early exception 0x0e IP ...").
// Such a kernel does not call panic(); it halts. Only a booting kernel can mean these words.
bool SaysEarlyException(std::string_view line);

}  // namespace vmm

#endif  // VMM_WITNESS_KERNEL_SIGNS_H_
