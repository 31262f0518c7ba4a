#include "dump/kernel/kernel_memory.h"

#include "dump/kernel/testing/made_up_kernel.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(KernelMemoryTest, TheImageTheDirectMapAndTheRestAreRead) {
  MadeUpKernel kernel;
  const KernelMemory memory = kernel.memory();
  EXPECT_EQ(*memory.ReadString(LinuxGuest::kText, 64), "kernel text");
  EXPECT_EQ(*memory.ReadString(kernel.guest().page_offset() + LinuxGuest::kImagePhys, 64), "kernel text");
  EXPECT_EQ(*memory.ReadString(kernel.guest().stack(1), 64), "stack 1 page 0");
}

TEST(KernelMemoryTest, ARunThatIsInPiecesInPhysicalMemoryIsReadWhole) {
  MadeUpKernel kernel;
  const auto bytes = kernel.memory().ReadBytes(kernel.guest().stack(0) + kPageSize, 2 * kPageSize);
  ASSERT_TRUE(bytes.ok());
  EXPECT_STREQ(reinterpret_cast<const char*>(bytes->data()), "stack 0 page 1");
  EXPECT_STREQ(reinterpret_cast<const char*>(bytes->data() + kPageSize), "stack 0 page 2");
}

TEST(KernelMemoryTest, WhatIsNotMappedOrNotTheKernelsIsNotFound) {
  MadeUpKernel kernel;
  const KernelMemory memory = kernel.memory();
  EXPECT_EQ(memory.ReadObject<uint64_t>(0x1000).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(memory.ReadObject<uint64_t>(0xffffc90000000000).status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(memory.ReadBytes(kernel.guest().stack(0) + 3 * kPageSize, 2 * kPageSize).ok());
  EXPECT_FALSE(memory.ReadBytes(0xffffffffffffff00, 0x200).ok());
}

TEST(KernelMemoryTest, AStringEndsAtItsLimitOrBeforeAPageThatIsNotThere) {
  MadeUpKernel kernel;
  const uint64_t top = kernel.guest().stack(0) + 4 * kPageSize;
  kernel.PutStack(top - 8, 0x6867666564636261);
  EXPECT_EQ(*kernel.memory().ReadString(top - 8, 100), "abcdefgh");
  EXPECT_EQ(*kernel.memory().ReadString(top - 8, 3), "abc");
  EXPECT_FALSE(kernel.memory().ReadString(top, 3).ok());
}

}  // namespace
}  // namespace vmm
