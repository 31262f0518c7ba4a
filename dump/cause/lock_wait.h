// Finds out for which lock a sleeping task waits, and who holds it, from the task's stack and the kernel's BTF.
#ifndef DUMP_CAUSE_LOCK_WAIT_H_
#define DUMP_CAUSE_LOCK_WAIT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/meter.h"
#include "dump/cause/certainty.h"
#include "dump/kernel/kernel_memory.h"
#include "dump/kernel/struct_layout.h"

namespace vmm {

enum class LockKind { kMutex, kRwSemaphore, kRtMutex };

// "mutex", "rwsem", "rt_mutex".
std::string_view LockKindName(LockKind kind);

struct LockWait {
  LockKind kind = LockKind::kMutex;
  uint64_t lock = 0;              // of the struct
  std::optional<uint64_t> owner;  // its task_struct. None: `why_no_owner`
  std::string why_no_owner;
  std::string remark;  // "one of 3 readers, the last that came"; empty: none
  Certainty certainty = Certainty::kGuess;
  std::vector<Evidence> evidence;
};

// A function on a task's stack, with the part of the stack that is its own: [from, to).
struct LockFrame {
  std::string function;
  uint64_t from = 0;
  uint64_t to = 0;
};

// A larger frame is searched only so far, in bytes.
inline constexpr uint64_t kMaxLockFrame = 2048;
// A lock with more waiters is not believed.
inline constexpr size_t kMaxWaiters = 16384;

// True if a task with this function on its stack may wait for a lock that LockReader finds.
bool IsLockFunction(std::string_view function);

// One thread at a time. What is given must outlive it.
class LockReader {
 public:
  // The address of a known task, and the stack on which an address lies.
  struct Tasks {
    std::function<bool(uint64_t task)> is_task;
    std::function<bool(uint64_t task, uint64_t address)> is_on_stack_of;
  };

  LockReader(const KernelMemory& memory, const StructLayout& layout, Tasks tasks, Meter& meter);

  // `task` sleeps, and `frames` are its stack, innermost first. None if it waits for no lock of these kinds. `meter`
  // pays a step for each read; once it is spent, nothing is found any more.
  //
  // A mutex or an rwsem keeps its waiters in a list, and each waiter is a struct on its task's own stack. So the list
  // leads from the stack to the lock: it is the one entry that is not on any waiter's stack.
  std::optional<LockWait> Find(uint64_t task, std::span<const LockFrame> frames);

 private:
  struct ListLayout {
    uint64_t waiter_list = 0, waiter_task = 0;  // in the waiter
    uint64_t lock_list = 0;                     // in the lock
  };

  std::optional<uint64_t> Word(uint64_t address);
  std::optional<LockWait> FindRtMutex(uint64_t task);
  std::optional<LockWait> FindByList(uint64_t task, const LockFrame& frame, LockKind kind);
  std::optional<uint64_t> HeadOfList(const ListLayout& layout, uint64_t waiter);
  bool IsWaiter(const ListLayout& layout, uint64_t entry);
  void ReadMutexOwner(LockWait& wait);
  void ReadRwSemaphoreOwner(LockWait& wait);
  void SetOwner(LockWait& wait, uint64_t word, uint64_t flags);

  const KernelMemory& memory_;
  const StructLayout& layout_;
  const Tasks tasks_;
  Meter& meter_;
  std::optional<ListLayout> mutex_, rwsem_;
};

}  // namespace vmm

#endif  // DUMP_CAUSE_LOCK_WAIT_H_
