#include "dump/xen/crash_info_note.h"

#include <array>
#include <cstring>

#include "dump/xen/abi/xen_note_abi.h"
#include "dump/xen/testing/made_up_xen.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(CrashInfoNoteTest, LeadsToDom0sP2m) {
  const FlatMemory machine = MadeUpXen();
  const std::optional<CoreNote> note = CrashInfoNoteFor({.cpus = {MadeUpXenCpu()}, .memory = &machine});
  ASSERT_TRUE(note.has_value());
  EXPECT_EQ(note->name, "Xen");
  EXPECT_EQ(note->type, 0x1000001u);
  ASSERT_EQ(note->desc.size(), 80u);
  XenCrashInfo info;
  std::memcpy(&info, note->desc.data(), sizeof(info));
  EXPECT_EQ(info.major_version, 4u);
  EXPECT_EQ(info.minor_version, 17u);
  EXPECT_EQ(info.xen_phys_start, kMadeUpXenStart);
  EXPECT_EQ(info.dom0_pfn_to_mfn_frame_list_list, MadeUpDom0().mfn_of(kMadeUpListList));
}

TEST(CrashInfoNoteTest, IsNotMadeForAMachineWithoutXen) {
  const FlatMemory machine = MadeUpXen();  // its memory would do: the CPUs do not run it
  CpuState cpu = MadeUpXenCpu();
  cpu.rip = 0xffffffff81000000;
  cpu.idt.base = 0xfffffe0000000000;
  EXPECT_FALSE(CrashInfoNoteFor({.cpus = {cpu}, .memory = &machine}).has_value());
}

TEST(CrashInfoNoteTest, IsNotMadeTwice) {
  const FlatMemory machine = MadeUpXen();
  VmSnapshot snapshot{.cpus = {MadeUpXenCpu()}, .memory = &machine};
  snapshot.all_notes = {*CrashInfoNoteFor(snapshot)};
  EXPECT_FALSE(CrashInfoNoteFor(snapshot).has_value());
}

TEST(CrashInfoNoteTest, IsNotMadeIfDom0IsNotKnown) { EXPECT_FALSE(CrashInfoNote(XenMachine()).has_value()); }

}  // namespace
}  // namespace vmm
