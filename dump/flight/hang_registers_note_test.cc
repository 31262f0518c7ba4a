#include "dump/flight/hang_registers_note.h"

#include <cstring>
#include <functional>

#include "dump/flight/testing/made_up_story.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

CpuState Halted() {
  CpuState cpu{.rsp = 0xffffffff82003f58, .rip = 0xffffffff8202c0de, .rflags = 0x46};
  cpu.cr0 = 0x80050033;
  cpu.cr3 = 0x2000;
  cpu.idt = {.base = 0xfffffe0000000000, .limit = 0xfff};
  cpu.halted = true;
  return cpu;
}

HangRegistersNote ANote() {
  CpuState off;
  off.started = false;
  return {.nmi_vcpu = 0, .destroyed = 0, .before = {Halted(), std::nullopt, off}};
}

// The reason for refusing ANote() after `change` of its header or its first record. "" if it is accepted.
std::string Refused(const std::function<void(HangRegistersNoteHeader&, HangRegistersRecord&)>& change) {
  std::string desc = ANote().Serialise();
  HangRegistersNoteHeader header;
  HangRegistersRecord record;
  std::memcpy(&header, desc.data(), sizeof(header));
  std::memcpy(&record, desc.data() + sizeof(header), sizeof(record));
  change(header, record);
  std::memcpy(desc.data(), &header, sizeof(header));
  std::memcpy(desc.data() + sizeof(header), &record, sizeof(record));
  return std::string(HangRegistersNote::Parse(BytesOf(desc)).status().message());
}

TEST(HangRegistersNoteTest, ReadBackIsWhatWasWritten) {
  const std::string desc = ANote().Serialise();
  EXPECT_EQ(desc.size(), 24u + 3 * 448);
  const auto read = HangRegistersNote::Parse(BytesOf(desc));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->nmi_vcpu, 0);
  EXPECT_EQ(read->destroyed, 0);
  ASSERT_EQ(read->before.size(), 3u);
  ASSERT_TRUE(read->before[0].has_value());
  EXPECT_TRUE(read->before[0]->started);
  EXPECT_TRUE(read->before[0]->halted);
  EXPECT_EQ(read->before[0]->rip, Halted().rip);
  EXPECT_EQ(read->before[0]->rsp, Halted().rsp);
  EXPECT_EQ(read->before[0]->rflags, Halted().rflags);
  EXPECT_EQ(read->before[0]->cr3, Halted().cr3);
  EXPECT_EQ(read->before[0]->idt.base, Halted().idt.base);
  EXPECT_FALSE(read->before[1].has_value()) << "it did not answer";
  ASSERT_TRUE(read->before[2].has_value());
  EXPECT_FALSE(read->before[2]->started);
}

TEST(HangRegistersNoteTest, ANoteThatCannotBeIsRefusedWithTheReason) {
  EXPECT_EQ(Refused([](auto&, auto&) {}), "");
  EXPECT_THAT(Refused([](auto& header, auto&) { header.version = 2; }), HasSubstr("version 2, not 1"));
  EXPECT_THAT(Refused([](auto& header, auto&) { header.records = 4; }), HasSubstr("do not fit"));
  EXPECT_THAT(Refused([](auto& header, auto&) { header.record_size = 447; }), HasSubstr("records of 447 bytes"));
  EXPECT_THAT(Refused([](auto& header, auto&) { header.nmi_vcpu = 3; }), HasSubstr("sent the NMI is vCPU 3, of 3"));
  EXPECT_THAT(Refused([](auto& header, auto&) { header.destroyed = -2; }), HasSubstr("destroyed is vCPU -2, of 3"));
  EXPECT_THAT(Refused([](auto&, auto& record) { record.vcpu = 1; }), HasSubstr("record 0 is of vCPU 1"));
}

TEST(HangRegistersNoteTest, EveryCutOfItIsRefused) {
  const std::string desc = ANote().Serialise();
  for (size_t size = 0; size < desc.size(); ++size) {
    EXPECT_FALSE(HangRegistersNote::Parse(BytesOf(desc).first(size)).ok()) << size;
  }
}

}  // namespace
}  // namespace vmm
