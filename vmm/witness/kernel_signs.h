// The words by which a Linux kernel says on its console that something is wrong, told apart by
// what they mean. It is the list that syzkaller's and 0day's log readers look for, as far as
// these words are the kernel's own.
#ifndef VMM_WITNESS_KERNEL_SIGNS_H_
#define VMM_WITNESS_KERNEL_SIGNS_H_

#include <optional>
#include <string_view>

namespace vmm {

enum class KernelSign {
  kPanic,       // "Kernel panic - not syncing"
  kOops,        // a fault that the kernel did not foresee
  kBug,         // BUG(), and every other "BUG:"
  kKasan,       // a sanitizer's find: KASAN, KCSAN, KMSAN, KFENCE, UBSAN
  kWarning,     // WARN()
  kSoftLockup,  // a CPU that does not schedule
  kHardLockup,  // a CPU that takes no interrupts
  kRcuStall,
  kHungTask,
  kLockdep,  // lock rules broken; nothing need have happened yet
  kMemoryLeak,
};

// "panic", "soft-lockup", ...: stable words, used in result.json and by --catch-console.
std::string_view KernelSignName(KernelSign sign);
std::optional<KernelSign> ParseKernelSign(std::string_view name);

// The sign in one line of a console, where there is one; of several, the one that says most. The
// line may begin with printk's prefixes (time stamp, caller) or with the rest of a line of user
// space that the kernel broke into.
//
// Source of the words: the kernel's printk calls, Linux 4.4 to 6.12, and syzkaller's
// pkg/report/linux.go for which of them matter.
std::optional<KernelSign> FindKernelSign(std::string_view line);

}  // namespace vmm

#endif  // VMM_WITNESS_KERNEL_SIGNS_H_
