#include "dump/cause/instruction.h"

#include <gmock/gmock.h>

#include "dump/kernel/testing/made_up_kernel.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class InstructionTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kFunction = MadeUpKernel::kText + 0x8000;

  // Puts `code` at kFunction, `before` bytes of it before RIP.
  CodeListing Decode(std::string_view code, size_t before) {
    kernel_.Put(kFunction, code);
    fault_.registers.ip = kFunction + before;
    return DecodeCode(kernel_.memory(), fault_, kFunction);
  }

  MadeUpKernel kernel_;
  Fault fault_;
};

TEST_F(InstructionTest, TheCodeAroundRipIsDecodedAndItsOperandComputed) {
  fault_.registers.ax = 0;
  fault_.kind = FaultKind::kPageFault;
  fault_.cr2 = 0x20;
  const CodeListing listing = Decode({"\x48\x8b\x47\x18"  // mov 0x18(%rdi),%rax
                                      "\x8b\x40\x20"      // mov 0x20(%rax),%eax
                                      "\xc3",
                                      8},
                                     4);  // ret
  ASSERT_GE(listing.lines.size(), 3u);
  EXPECT_EQ(listing.at_fault, 1u);
  EXPECT_THAT(listing.lines[0].text, HasSubstr("0x18(%rdi), %rax"));
  EXPECT_THAT(listing.lines[1].text, HasSubstr("0x20(%rax), %eax"));
  EXPECT_EQ(listing.lines[1].address, kFunction + 4);
  EXPECT_THAT(listing.lines[1].bytes, SizeIs(3));
  EXPECT_THAT(listing.why_not, IsEmpty());
  const auto operand = FaultingOperand(listing, fault_);
  ASSERT_TRUE(operand.has_value());
  EXPECT_EQ(operand->address, 0x20u);
  EXPECT_EQ(operand->bytes, 4u);
  EXPECT_EQ(operand->formula, "rax+0x20");
  EXPECT_TRUE(operand->reads);
  EXPECT_FALSE(operand->writes);
}

TEST_F(InstructionTest, BaseIndexScaleAndANegativeOffsetAreAdded) {
  fault_.registers.bx = 0x1000;
  fault_.registers.cx = 3;
  fault_.kind = FaultKind::kPageFault;
  fault_.cr2 = 0x1000 + 3 * 8 - 0x10 + 4;  // within the operand, as of an access across two pages
  const CodeListing listing = Decode({"\x48\x89\x44\xcb\xf0", 5}, 0);  // mov %rax,-0x10(%rbx,%rcx,8)
  const auto operand = FaultingOperand(listing, fault_);
  ASSERT_TRUE(operand.has_value());
  EXPECT_EQ(operand->address, 0x1008u);
  EXPECT_EQ(operand->formula, "rbx+rcx*8-0x10");
  EXPECT_TRUE(operand->writes);
}

TEST_F(InstructionTest, APerCpuOperandCountsFromGs) {
  fault_.gs_base = 0xffff888000000000;
  fault_.kind = FaultKind::kPageFault;
  fault_.cr2 = 0xffff888000000040;
  const CodeListing listing = Decode({"\x65\x48\x8b\x04\x25\x40\x00\x00\x00", 9}, 0);  // mov %gs:0x40,%rax
  const auto operand = FaultingOperand(listing, fault_);
  ASSERT_TRUE(operand.has_value());
  EXPECT_EQ(operand->formula, "gs:0x40");
}

TEST_F(InstructionTest, ACallTouchesTheStackBelowRsp) {
  fault_.registers.sp = 0xffffc90000010000;
  fault_.kind = FaultKind::kDoubleFault;
  fault_.cr2 = 0xffffc9000000fff8;
  const CodeListing listing = Decode({"\xe8\x00\x01\x00\x00", 5}, 0);  // call
  EXPECT_EQ(listing.lines[0].target, kFunction + 5 + 0x100);
  const auto operand = FaultingOperand(listing, fault_);
  ASSERT_TRUE(operand.has_value());
  EXPECT_EQ(operand->formula, "rsp-0x8");
  EXPECT_TRUE(operand->writes);
}

TEST_F(InstructionTest, AProtectionFaultIsBlamedOnANonCanonicalOperand) {
  fault_.registers.ax = 0xdead000000000100;
  fault_.kind = FaultKind::kProtection;
  const CodeListing listing = Decode({"\x8b\x40\x20", 3}, 0);
  const auto operand = FaultingOperand(listing, fault_);
  ASSERT_TRUE(operand.has_value());
  EXPECT_EQ(operand->address, 0xdead000000000120u);
  fault_.registers.ax = 0xffff888000000000;  // canonical: it is not the reason
  EXPECT_EQ(FaultingOperand(Decode({"\x8b\x40\x20", 3}, 0), fault_), std::nullopt);
}

TEST_F(InstructionTest, AnAddressThatNoOperandHasIsNotBlamedOnOne) {
  fault_.kind = FaultKind::kPageFault;
  fault_.cr2 = 0x1234;
  EXPECT_EQ(FaultingOperand(Decode({"\x8b\x40\x20", 3}, 0), fault_), std::nullopt);
  EXPECT_EQ(FaultingOperand(Decode({"\x48\x8d\x40\x20", 4}, 0), fault_), std::nullopt);  // lea touches nothing
}

TEST_F(InstructionTest, CodeThatDoesNotLeadToRipIsNotShown) {
  const CodeListing listing = Decode({"\xb8\x8b\x40\x20\x90\x90", 6}, 1);  // a mov of 5 bytes covers RIP
  EXPECT_EQ(listing.at_fault, 0u);
  EXPECT_THAT(listing.why_not, HasSubstr("does not lead here"));
}

TEST_F(InstructionTest, TheListingIsBounded) {
  const std::string nops(0x3000, '\x90');
  const CodeListing listing = Decode(nops, 0x1000);
  EXPECT_THAT(listing.lines, SizeIs(kInstructionsBefore + 1 + kInstructionsAfter));
  EXPECT_EQ(listing.at_fault, kInstructionsBefore);
  fault_.registers.ip = kFunction + kMaxCodeBefore + 1;
  const CodeListing far = DecodeCode(kernel_.memory(), fault_, kFunction);
  EXPECT_THAT(far.why_not, HasSubstr("bytes away"));
  EXPECT_EQ(far.at_fault, 0u);
}

TEST_F(InstructionTest, ARipWithoutMemoryIsToldSo) {
  fault_.registers.ip = 0x10;
  const CodeListing listing = DecodeCode(kernel_.memory(), fault_, std::nullopt);
  EXPECT_THAT(listing.lines, IsEmpty());
  EXPECT_THAT(listing.why_not, HasSubstr("0x10"));
}

}  // namespace
}  // namespace vmm
