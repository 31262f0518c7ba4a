#include "dump/cause/lock_wait.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

constexpr uint64_t kWord = 8;

// The low bits of an owner field, which a task_struct's alignment leaves free.
constexpr uint64_t kMutexPickup = 4;
constexpr uint64_t kMutexFlags = 7;        // kernel/locking/mutex.h
constexpr uint64_t kRwSemaphoreFlags = 7;  // kernel/locking/rwsem.c: 2 bits, 3 from Linux 5.3 to 5.7
constexpr uint64_t kReaderOwned = 1;
constexpr uint64_t kRtMutexFlags = 1;  // RT_MUTEX_HAS_WAITERS

// Of rw_semaphore.count, since Linux 5.3.
constexpr uint64_t kWriterLocked = 1;
constexpr int kReadersShift = 8;

bool StartsWithAny(std::string_view name, std::initializer_list<std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view beginning) { return name.starts_with(beginning); });
}

std::optional<LockKind> KindOf(std::string_view function) {
  if (StartsWithAny(function, {"mutex_lock", "__mutex_lock", "__ww_mutex_lock", "ww_mutex_lock"})) {
    return LockKind::kMutex;
  }
  if (StartsWithAny(function, {"rwsem_down_", "down_read", "down_write", "__down_read", "__down_write"})) {
    return LockKind::kRwSemaphore;
  }
  return std::nullopt;
}

}  // namespace

std::string_view LockKindName(LockKind kind) {
  switch (kind) {
    case LockKind::kMutex: return "mutex";
    case LockKind::kRwSemaphore: return "rwsem";
    case LockKind::kRtMutex: return "rt_mutex";
  }
  return "";
}

bool IsLockFunction(std::string_view function) {
  return KindOf(function).has_value() || StartsWithAny(function, {"rt_mutex", "__rt_mutex", "rtlock", "__futex"});
}

LockReader::LockReader(const KernelMemory& memory, const StructLayout& layout, Tasks tasks, Meter& meter)
    : memory_(memory), layout_(layout), tasks_(std::move(tasks)), meter_(meter) {
  const auto find = [&](std::string_view list, std::string_view task, std::string_view lock) {
    const std::optional<uint64_t> waiter_list = layout_.Offset(list), waiter_task = layout_.Offset(task);
    const std::optional<uint64_t> lock_list = layout_.Offset(lock);
    if (!waiter_list.has_value() || !waiter_task.has_value() || !lock_list.has_value()) {
      return std::optional<ListLayout>();
    }
    return std::optional(ListLayout{*waiter_list, *waiter_task, *lock_list});
  };
  mutex_ = find("mutex_waiter.list", "mutex_waiter.task", "mutex.wait_list");
  rwsem_ = find("rwsem_waiter.list", "rwsem_waiter.task", "rw_semaphore.wait_list");
}

std::optional<uint64_t> LockReader::Word(uint64_t address) {
  if (!meter_.Step()) return std::nullopt;
  const absl::StatusOr<uint64_t> word = memory_.ReadObject<uint64_t>(address);
  return word.ok() ? std::optional(*word) : std::nullopt;
}

std::optional<LockWait> LockReader::Find(uint64_t task, std::span<const LockFrame> frames) {
  if (auto wait = FindRtMutex(task); wait.has_value()) return wait;
  for (const LockFrame& frame : frames) {
    const std::optional<LockKind> kind = KindOf(frame.function);
    if (!kind.has_value()) continue;
    if (auto wait = FindByList(task, frame, *kind); wait.has_value()) return wait;
  }
  return std::nullopt;
}

void LockReader::SetOwner(LockWait& wait, uint64_t word, uint64_t flags) {
  const uint64_t owner = word & ~flags;
  if (owner == 0) {
    wait.why_no_owner = "nobody holds it: it is being handed over";
  } else if (tasks_.is_task(owner)) {
    wait.owner = owner;
  } else {
    wait.why_no_owner = absl::StrFormat("its owner field %#x names no task of the list", word);
    wait.certainty = Certainty::kGuess;
  }
}

// task->pi_blocked_on names the waiter, and the waiter names the lock.
std::optional<LockWait> LockReader::FindRtMutex(uint64_t task) {
  const std::optional<uint64_t> blocked_on = layout_.Offset("task_struct.pi_blocked_on");
  const std::optional<uint64_t> waiter_lock = layout_.Offset("rt_mutex_waiter.lock");
  const std::optional<uint64_t> waiter_task = layout_.Offset("rt_mutex_waiter.task");
  std::optional<uint64_t> owner = layout_.Offset("rt_mutex_base.owner");  // since Linux 5.15
  if (!owner.has_value()) owner = layout_.Offset("rt_mutex.owner");
  if (!blocked_on || !waiter_lock || !waiter_task || !owner) return std::nullopt;
  const std::optional<uint64_t> waiter = Word(task + *blocked_on);
  if (!waiter.has_value() || *waiter == 0 || Word(*waiter + *waiter_task) != task) return std::nullopt;
  const std::optional<uint64_t> lock = Word(*waiter + *waiter_lock);
  if (!lock.has_value()) return std::nullopt;
  const std::optional<uint64_t> word = Word(*lock + *owner);
  if (!word.has_value()) return std::nullopt;
  LockWait wait;
  wait.kind = LockKind::kRtMutex;
  wait.lock = *lock;
  wait.certainty = Certainty::kSure;
  wait.evidence = {{"task_struct.pi_blocked_on", task + *blocked_on},
                   {"its rt_mutex_waiter", *waiter},
                   {"the lock's owner field", *lock + *owner}};
  SetOwner(wait, *word, kRtMutexFlags);
  return wait;
}

// True if `entry` is the list field of a waiter: its task is known, and it lies on that task's stack.
bool LockReader::IsWaiter(const ListLayout& layout, uint64_t entry) {
  const std::optional<uint64_t> task = Word(entry - layout.waiter_list + layout.waiter_task);
  return task.has_value() && tasks_.is_task(*task) && tasks_.is_on_stack_of(*task, entry);
}

// Follows the list once around. Returns the one entry that is no waiter; none if there are none or several, or if the
// links do not agree.
std::optional<uint64_t> LockReader::HeadOfList(const ListLayout& layout, uint64_t waiter) {
  const uint64_t start = waiter + layout.waiter_list;
  std::optional<uint64_t> head;
  uint64_t entry = start;
  for (size_t count = 0; count <= kMaxWaiters; ++count) {
    const std::optional<uint64_t> next = Word(entry);
    if (!next.has_value() || Word(*next + kWord) != entry) return std::nullopt;
    if (*next == start) return head;
    entry = *next;
    if (IsWaiter(layout, entry)) continue;
    if (head.has_value()) return std::nullopt;
    head = entry;
  }
  return std::nullopt;
}

std::optional<LockWait> LockReader::FindByList(uint64_t task, const LockFrame& frame, LockKind kind) {
  const std::optional<ListLayout>& layout = kind == LockKind::kMutex ? mutex_ : rwsem_;
  if (!layout.has_value() || frame.to <= frame.from) return std::nullopt;
  const uint64_t end = frame.from + std::min(frame.to - frame.from, kMaxLockFrame);
  for (uint64_t at = frame.from; at < end; at += kWord) {
    if (Word(at) != task) continue;
    const uint64_t waiter = at - layout->waiter_task;
    const std::optional<uint64_t> head = HeadOfList(*layout, waiter);
    if (!head.has_value()) continue;
    LockWait wait;
    wait.kind = kind;
    wait.lock = *head - layout->lock_list;
    wait.certainty = Certainty::kSure;
    wait.evidence = {{absl::StrFormat("its waiter on the stack, in the frame of %s", frame.function), waiter}};
    if (kind == LockKind::kMutex) {
      ReadMutexOwner(wait);
    } else {
      ReadRwSemaphoreOwner(wait);
    }
    return wait;
  }
  return std::nullopt;
}

void LockReader::ReadMutexOwner(LockWait& wait) {
  const std::optional<uint64_t> field = layout_.Offset("mutex.owner");
  const std::optional<uint64_t> word = field.has_value() ? Word(wait.lock + *field) : std::nullopt;
  if (!word.has_value()) {
    wait.why_no_owner = "its owner field cannot be read";
    return;
  }
  wait.evidence.push_back({"the lock's owner field", wait.lock + *field});
  if ((*word & kMutexPickup) != 0) {  // it names the waiter that will get the lock
    wait.why_no_owner = "nobody holds it: it is being handed over";
    return;
  }
  SetOwner(wait, *word, kMutexFlags);
}

void LockReader::ReadRwSemaphoreOwner(LockWait& wait) {
  const std::optional<uint64_t> field = layout_.Offset("rw_semaphore.owner");
  const std::optional<uint64_t> count_field = layout_.Offset("rw_semaphore.count");
  const std::optional<uint64_t> word = field.has_value() ? Word(wait.lock + *field) : std::nullopt;
  const std::optional<uint64_t> count = count_field.has_value() ? Word(wait.lock + *count_field) : std::nullopt;
  if (!word.has_value() || !count.has_value()) {
    wait.why_no_owner = "its owner field cannot be read";
    return;
  }
  wait.evidence.push_back({"the lock's owner field", wait.lock + *field});
  const bool written = (*count & kWriterLocked) != 0;
  if (written && (*word & kReaderOwned) == 0) return SetOwner(wait, *word, kRwSemaphoreFlags);
  // The field then names the reader that took it last, which may have released it since.
  SetOwner(wait, *word, kRwSemaphoreFlags);
  wait.certainty = Certainty::kGuess;
  const uint64_t readers = *count >> kReadersShift;
  wait.remark = written ? "its owner is being recorded"
                        : absl::StrFormat("held by %d reader%s; this one came last", readers, readers == 1 ? "" : "s");
}

}  // namespace vmm
