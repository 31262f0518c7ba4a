#include "dump/elf/prstatus.h"

#include <cstring>

#include "dump/testing/named_registers.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

// The eight bytes that a reader finds if it knows only offsets.
std::string WordAt(const ElfPrstatus& note, size_t offset) {
  return std::string(reinterpret_cast<const char*>(&note) + offset, 8);
}

TEST(PrstatusTest, EachRegisterStandsInItsPlace) {
  const ElfPrstatus note = MakePrstatus(NamedRegisters(), 0);
  const char* names[] = {"r15     ", "r14     ", "r13     ", "r12     ", "rbp     ", "rbx     ", "r11     ", "r10     ",
                         "r9      ", "r8      ", "rax     ", "rcx     ", "rdx     ", "rsi     ", "rdi     ", nullptr,
                         "rip     ", nullptr,    "rflags  ", "rsp     ", nullptr,    "fs_base ", "gs_base "};
  for (size_t i = 0; i < std::size(names); ++i) {
    if (names[i] == nullptr) continue;  // orig_rax and the selectors, below
    EXPECT_EQ(WordAt(note, 112 + 8 * i), names[i]);
  }
  EXPECT_EQ(WordAt(note, 112 + 8 * 17), std::string("cs\0\0\0\0\0\0", 8));
  EXPECT_EQ(WordAt(note, 112 + 8 * 20), std::string("ss\0\0\0\0\0\0", 8));
  EXPECT_EQ(WordAt(note, 112 + 8 * 23), std::string("ds\0\0\0\0\0\0", 8));
  EXPECT_EQ(WordAt(note, 112 + 8 * 24), std::string("es\0\0\0\0\0\0", 8));
  EXPECT_EQ(WordAt(note, 112 + 8 * 25), std::string("fs\0\0\0\0\0\0", 8));
  EXPECT_EQ(WordAt(note, 112 + 8 * 26), std::string("gs\0\0\0\0\0\0", 8));
}

TEST(PrstatusTest, ThePidIsTheCpuNumberPlusOne) {
  EXPECT_EQ(MakePrstatus(CpuState{}, 0).pr_pid, 1);
  EXPECT_EQ(MakePrstatus(CpuState{}, 7).pr_pid, 8);
}

TEST(PrstatusTest, ACpuThatWasNeverStartedHasItsNoteAndNoRegisters) {
  CpuState cpu = NamedRegisters();
  cpu.started = false;
  ElfPrstatus expected = {};
  expected.pr_pid = 4;
  const ElfPrstatus note = MakePrstatus(cpu, 3);
  EXPECT_EQ(std::memcmp(&note, &expected, sizeof(note)), 0);
}

TEST(PrstatusTest, TheWayBackGivesTheSameNote) {
  const ElfPrstatus note = MakePrstatus(NamedRegisters(), 0);
  const ElfPrstatus again = MakePrstatus(CpuOf(note), 0);
  EXPECT_EQ(std::memcmp(&note, &again, sizeof(note)), 0);
  EXPECT_FALSE(CpuOf(ElfPrstatus{}).started);
}

}  // namespace
}  // namespace vmm
