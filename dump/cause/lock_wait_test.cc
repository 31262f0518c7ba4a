#include "dump/cause/lock_wait.h"

#include <gmock/gmock.h>

#include <map>

#include "base/budget.h"
#include "dump/kernel/testing/btf_builder.h"
#include "dump/kernel/testing/made_up_kernel.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

constexpr Budget kBudget{"test", 0, 100'000, "reads", 0};

// Tasks and locks in the data of a made-up kernel. Each task's stack is 0x400 bytes.
class LockWaitTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kData = MadeUpKernel::kData + 0x60000;
  static constexpr uint64_t kLock = kData;
  static constexpr uint64_t kTaskA = kData + 0x1000, kTaskB = kData + 0x1100, kTaskC = kData + 0x1200;
  static constexpr uint64_t kStackA = kData + 0x2000, kStackB = kData + 0x2400, kStackC = kData + 0x2800;
  static constexpr uint64_t kWaiterA = kStackA + 0x80, kWaiterB = kStackB + 0x80;
  static constexpr uint64_t kListInLock = 0x18;

  LockWaitTest() : btf_(*Btf::Parse(Types())), layout_(nullptr, &btf_) {}

  static std::vector<uint8_t> Types() {
    BtfBuilder btf;
    const uint32_t u64 = btf.Int("long unsigned int", 8);
    const uint32_t list = btf.Struct("list_head", 16, {{"next", u64, 0}, {"prev", u64, 8}});
    btf.Struct("mutex", 0x28, {{"owner", u64, 0}, {"wait_list", list, kListInLock}});
    btf.Struct("mutex_waiter", 0x20, {{"list", list, 0}, {"task", u64, 16}});
    btf.Struct("rw_semaphore", 0x28, {{"count", u64, 0}, {"owner", u64, 8}, {"wait_list", list, kListInLock}});
    btf.Struct("rwsem_waiter", 0x20, {{"list", list, 0}, {"task", u64, 16}});
    btf.Struct("rt_mutex_base", 0x20, {{"owner", u64, 0x18}});
    btf.Struct("rt_mutex_waiter", 0x60, {{"task", u64, 0x30}, {"lock", u64, 0x38}});
    btf.Struct("task_struct", 0x100, {{"pi_blocked_on", u64, 0x40}});
    return btf.Build();
  }

  void Put(uint64_t at, uint64_t word) { kernel_.PutWord(at, word); }

  // A ring of list_heads.
  void PutList(const std::vector<uint64_t>& entries) {
    for (size_t i = 0; i < entries.size(); ++i) {
      const uint64_t next = entries[(i + 1) % entries.size()];
      Put(entries[i], next);
      Put(next + 8, entries[i]);
    }
  }

  // A and B wait in the list of kLock.
  void PutTwoWaiters() {
    PutList({kLock + kListInLock, kWaiterA, kWaiterB});
    Put(kWaiterA + 16, kTaskA);
    Put(kWaiterB + 16, kTaskB);
  }

  std::optional<LockWait> Find(std::string function, uint64_t steps = kBudget.steps) {
    const KernelMemory memory = kernel_.memory();
    Meter meter({"test", 0, steps, "reads", 0});
    const std::map<uint64_t, uint64_t> stacks = {{kTaskA, kStackA}, {kTaskB, kStackB}, {kTaskC, kStackC}};
    LockReader reader(memory, layout_,
                      {[&](uint64_t task) { return stacks.contains(task); },
                       [&](uint64_t task, uint64_t at) { return at - stacks.at(task) < 0x400; }},
                      meter);
    const LockFrame frames[] = {{"schedule", kStackA, kStackA + 0x20}, {function, kStackA + 0x20, kStackA + 0x200}};
    return reader.Find(kTaskA, frames);
  }

  MadeUpKernel kernel_;
  const Btf btf_;
  const StructLayout layout_;
};

TEST_F(LockWaitTest, TheOwnerOfAMutexIsFoundThroughTheWaiterOnTheStack) {
  PutTwoWaiters();
  Put(kLock, kTaskC | 3);  // the low bits are flags
  const auto wait = Find("__mutex_lock.constprop.0");
  ASSERT_TRUE(wait.has_value());
  EXPECT_EQ(wait->kind, LockKind::kMutex);
  EXPECT_EQ(wait->lock, kLock);
  EXPECT_EQ(wait->owner, kTaskC);
  EXPECT_EQ(wait->certainty, Certainty::kSure);
  ASSERT_EQ(wait->evidence.size(), 2u);
  EXPECT_EQ(wait->evidence[0].address, kWaiterA);
  EXPECT_EQ(wait->evidence[1].address, kLock);
}

TEST_F(LockWaitTest, AnOwnerThatIsNoTaskIsNotNamed) {
  PutTwoWaiters();
  Put(kLock, 0xffff888012345678);
  const auto wait = Find("__mutex_lock");
  ASSERT_TRUE(wait.has_value());
  EXPECT_EQ(wait->owner, std::nullopt);
  EXPECT_EQ(wait->certainty, Certainty::kGuess);
  EXPECT_THAT(wait->why_no_owner, HasSubstr("0xffff888012345678"));
}

TEST_F(LockWaitTest, AMutexThatNobodyHoldsHasNoOwner) {
  PutTwoWaiters();
  Put(kLock, 1);
  const auto wait = Find("__mutex_lock");
  ASSERT_TRUE(wait.has_value());
  EXPECT_EQ(wait->owner, std::nullopt);
  EXPECT_THAT(wait->why_no_owner, HasSubstr("handed over"));
}

// Else a waiter that is about to get the lock would look like a task that waits for itself.
TEST_F(LockWaitTest, AMutexThatIsHandedToAWaiterIsNotHeldByIt) {
  PutTwoWaiters();
  Put(kLock, kTaskA | 4);
  const auto wait = Find("__mutex_lock");
  ASSERT_TRUE(wait.has_value());
  EXPECT_EQ(wait->owner, std::nullopt);
  EXPECT_THAT(wait->why_no_owner, HasSubstr("handed over"));
}

TEST_F(LockWaitTest, AWriterOfAnRwsemIsSureAReaderIsAGuess) {
  PutTwoWaiters();
  Put(kLock, 1);  // count: a writer
  Put(kLock + 8, kTaskC);
  auto wait = Find("rwsem_down_read_slowpath");
  ASSERT_TRUE(wait.has_value());
  EXPECT_EQ(wait->kind, LockKind::kRwSemaphore);
  EXPECT_EQ(wait->owner, kTaskC);
  EXPECT_EQ(wait->certainty, Certainty::kSure);

  Put(kLock, 2 << 8);  // two readers
  Put(kLock + 8, kTaskC | 1);
  wait = Find("rwsem_down_write_slowpath");
  ASSERT_TRUE(wait.has_value());
  EXPECT_EQ(wait->owner, kTaskC);
  EXPECT_EQ(wait->certainty, Certainty::kGuess);
  EXPECT_THAT(wait->remark, HasSubstr("2 readers"));
}

TEST_F(LockWaitTest, AnRtMutexIsFoundThroughTheTask) {
  Put(kTaskA + 0x40, kWaiterA);
  Put(kWaiterA + 0x30, kTaskA);
  Put(kWaiterA + 0x38, kLock);
  Put(kLock + 0x18, kTaskB | 1);
  const auto wait = Find("rt_mutex_slowlock.constprop.0");
  ASSERT_TRUE(wait.has_value());
  EXPECT_EQ(wait->kind, LockKind::kRtMutex);
  EXPECT_EQ(wait->lock, kLock);
  EXPECT_EQ(wait->owner, kTaskB);
  EXPECT_EQ(wait->certainty, Certainty::kSure);
}

TEST_F(LockWaitTest, TheTasksAddressAloneOnTheStackProvesNothing) {
  Put(kWaiterA + 16, kTaskA);
  EXPECT_EQ(Find("__mutex_lock"), std::nullopt);
  Put(kWaiterA, kWaiterA), Put(kWaiterA + 8, kWaiterA);  // a list of one
  EXPECT_EQ(Find("__mutex_lock"), std::nullopt);
}

TEST_F(LockWaitTest, AListWithTwoEntriesThatAreNoWaitersNamesNoLock) {
  PutTwoWaiters();
  Put(kLock, kTaskC);
  Put(kWaiterB + 16, kTaskC);  // not on C's stack
  EXPECT_EQ(Find("__mutex_lock"), std::nullopt);
}

TEST_F(LockWaitTest, OtherFunctionsAreNotSearched) {
  PutTwoWaiters();
  Put(kLock, kTaskC);
  EXPECT_EQ(Find("do_wait"), std::nullopt);
  EXPECT_FALSE(IsLockFunction("do_wait"));
  EXPECT_TRUE(IsLockFunction("mutex_lock_interruptible"));
}

TEST_F(LockWaitTest, AListThatNeverReturnsEndsWithTheBudget) {
  PutTwoWaiters();
  Put(kLock, kTaskC);
  Put(kWaiterB, kWaiterB), Put(kWaiterB + 8, kWaiterB);  // the list ends in a circle that leaves out its start
  EXPECT_EQ(Find("__mutex_lock"), std::nullopt);
  PutTwoWaiters();
  EXPECT_EQ(Find("__mutex_lock", /*steps=*/5), std::nullopt);
}

}  // namespace
}  // namespace vmm
