#include "dump/elf/qemu_note.h"

#include <cstring>

#include "dump/testing/named_registers.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

std::string BytesAt(const QemuCpuState& note, size_t offset, size_t size) {
  return std::string(reinterpret_cast<const char*>(&note) + offset, size);
}

TEST(QemuNoteTest, EachRegisterStandsInItsPlace) {
  const QemuCpuState note = MakeQemuCpuState(NamedRegisters());
  EXPECT_EQ(BytesAt(note, 0, 8), std::string("\1\0\0\0\xb8\1\0\0", 8));
  const char* names[] = {"rax     ", "rbx     ", "rcx     ", "rdx     ", "rsi     ", "rdi     ",
                         "rsp     ", "rbp     ", "r8      ", "r9      ", "r10     ", "r11     ",
                         "r12     ", "r13     ", "r14     ", "r15     ", "rip     ", "rflags  "};
  for (size_t i = 0; i < std::size(names); ++i) EXPECT_EQ(BytesAt(note, 8 + 8 * i, 8), names[i]);
  EXPECT_EQ(BytesAt(note, 392, 8), "cr0     ");
  EXPECT_EQ(BytesAt(note, 408, 8), "cr2     ");
  EXPECT_EQ(BytesAt(note, 416, 8), "cr3     ");
  EXPECT_EQ(BytesAt(note, 424, 8), "cr4     ");
  EXPECT_EQ(BytesAt(note, 432, 8), "k_gs_bas");
}

TEST(QemuNoteTest, EachSegmentStandsInItsPlace) {
  const QemuCpuState note = MakeQemuCpuState(NamedRegisters());
  const char* names[] = {"cs", "ds", "es", "fs", "gs", "ss", "ld", "tr"};
  const char* limits[] = {"cs_l", "ds_l", "es_l", "fs_l", "gs_l", "ss_l", "ldtl", "tr_l"};
  const char* bases[] = {"cs_base ", "ds_base ", "es_base ", "fs_base ",
                         "gs_base ", "ss_base ", "ldt_base", "tr_base "};
  for (size_t i = 0; i < std::size(names); ++i) {
    const size_t at = 152 + 24 * i;
    EXPECT_EQ(BytesAt(note, at, 4), std::string(names[i]) + std::string(2, '\0'));
    EXPECT_EQ(BytesAt(note, at + 4, 4), limits[i]);
    EXPECT_EQ(BytesAt(note, at + 16, 8), bases[i]);
  }
  EXPECT_EQ(BytesAt(note, 344 + 4, 4), std::string("gd\0\0", 4));
  EXPECT_EQ(BytesAt(note, 344 + 16, 8), "gdt_base");
  EXPECT_EQ(BytesAt(note, 368 + 4, 4), std::string("id\0\0", 4));
  EXPECT_EQ(BytesAt(note, 368 + 16, 8), "idt_base");
}

// The flat 64-bit code segment of Linux, as its GDT has it: 0x00af9b000000ffff.
TEST(QemuNoteTest, FlagsAreTheDescriptorsHighDword) {
  CpuState cpu;
  cpu.cs = {.selector = 0x10, .limit = 0xffffffff, .type = 0xb, .s = true, .present = true, .l = true, .g = true};
  EXPECT_EQ(MakeQemuCpuState(cpu).cs.flags, 0x00a09b00u);
  cpu.cs.dpl = 3;
  cpu.cs.avl = true;
  cpu.cs.l = false;
  cpu.cs.db = true;
  EXPECT_EQ(MakeQemuCpuState(cpu).cs.flags, 0x00d0fb00u);
  cpu.cs.unusable = true;
  EXPECT_EQ(MakeQemuCpuState(cpu).cs.flags, 0x00d07b00u);
}

TEST(QemuNoteTest, ACpuThatWasNeverStartedHasNoCr3) {
  CpuState cpu = NamedRegisters();
  cpu.started = false;
  const QemuCpuState note = MakeQemuCpuState(cpu);
  EXPECT_EQ(note.version, 1u);
  EXPECT_EQ(note.size, 440u);
  EXPECT_EQ(note.cr[3], 0u);
  EXPECT_EQ(note.rip, 0u);
}

TEST(QemuNoteTest, TheWayBackGivesTheSameNote) {
  const QemuCpuState note = MakeQemuCpuState(NamedRegisters());
  const QemuCpuState again = MakeQemuCpuState(CpuOf(note));
  EXPECT_EQ(std::memcmp(&note, &again, sizeof(note)), 0);
}

TEST(QemuNoteTest, TheWayBackKnowsWhoWasNotStarted) {
  CpuState cpu = NamedRegisters();
  cpu.started = false;
  EXPECT_FALSE(CpuOf(MakeQemuCpuState(cpu)).started);
}

}  // namespace
}  // namespace vmm
