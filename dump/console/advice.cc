#include "dump/console/advice.h"

namespace vmm {

std::string_view NextStep(TroubleKind kind) {
  switch (kind) {
    case TroubleKind::kKasan:
    case TroubleKind::kKfence:
      return "compare the stack of the access with those of the allocation and the free, which the log has";
    case TroubleKind::kKmsan:
      return "look in the log for \"Uninit was created at\": that memory was used before it was set";
    case TroubleKind::kKcsan: return "look in the log for both accesses: one of them needs a lock or a marked access";
    case TroubleKind::kUbsan: return "the log's next line has the values that broke the rule";
    case TroubleKind::kOops:
      return "look at the first frame below the fault, and at the registers that hold its pointers";
    case TroubleKind::kBug:
    case TroubleKind::kWarning: return "read the check at the place that the log names, and who called it";
    case TroubleKind::kLockdep:
      return "the log has the locks that are held and the chain that led here: find the wrong order";
    case TroubleKind::kSoftLockup: return "look at the stack of the CPU that is stuck: it does not let others run";
    case TroubleKind::kHardLockup: return "look at the stack of the CPU that is stuck: it takes no interrupts";
    case TroubleKind::kWorkqueueLockup: return "find the work item that runs, or the CPU that runs none";
    case TroubleKind::kRcuStall:
      return "look at the stacks of the CPUs or tasks that the log names: one never leaves its RCU reader";
    case TroubleKind::kHungTask: return "find the owner of what the task waits for among the other tasks' stacks";
    case TroubleKind::kMemoryLeak: return "follow the object from its allocation to the path that forgets to free it";
    case TroubleKind::kMachineCheck: return "suspect the hardware: decode the banks in the log";
    case TroubleKind::kPanic: return "the words of the panic and the stack that follows panic() tell who asked for it";
  }
  return "";
}

}  // namespace vmm
