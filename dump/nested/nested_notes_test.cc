#include "dump/nested/nested_notes.h"

#include <string>

#include "dump/nested/nested_state_note.h"
#include "dump/nested/testing/fixture.h"
#include "dump/nested/vmx/vmcsinfo_note.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

CpuState CpuWith(std::string_view fixture, uint64_t efer = 0x500) {
  CpuState cpu;
  cpu.efer = efer;
  cpu.nested = {.bytes = Fixture(fixture), .max_size = 8320};
  return cpu;
}

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

TEST(NestedNotesTest, AGuestThatIsNoHypervisorHasNone) {
  const std::vector<CpuState> cpus = {CpuState{}, CpuWith("vmx-plain-0-fresh.bin"), CpuWith("svm-0-fresh.bin")};
  EXPECT_TRUE(MakeNestedNotes(cpus, Vmcs12Layout::kFrozen).empty());
}

TEST(NestedNotesTest, EachHypervisorVcpuHasOneAndTheDumpHasTheTable) {
  const std::vector<CpuState> cpus = {CpuWith("vmx-plain-A-vmxon.bin"), CpuState{}, CpuWith("vmx-plain-F1-inL2.bin")};
  const std::vector<CoreNote> notes = MakeNestedNotes(cpus, Vmcs12Layout::kCet);
  ASSERT_EQ(notes.size(), 3u);
  EXPECT_EQ(notes[0].name, "VMM-NESTED");
  EXPECT_EQ(notes[1].name, "VMM-NESTED");
  EXPECT_EQ(notes[2].name, "VMCSINFO");
  for (const CoreNote& note : notes) EXPECT_EQ(note.type, 0u);

  const auto idle = NestedStateNote::Parse(Bytes(notes[0].desc));
  EXPECT_EQ(idle->vcpu, 0u);
  EXPECT_EQ(idle->level, 1u);
  const auto live = NestedStateNote::Parse(Bytes(notes[1].desc));
  EXPECT_EQ(live->vcpu, 2u);
  EXPECT_EQ(live->level, 2u);
  EXPECT_EQ(live->layout, Vmcs12Layout::kCet);
  EXPECT_EQ(live->max_size, 8320u);
  EXPECT_EQ(std::vector<uint8_t>(live->state.begin(), live->state.end()), cpus[2].nested.bytes);
  EXPECT_EQ(VmcsInfo::Parse(Bytes(notes[2].desc))->Offset(0x681e), 544);
}

TEST(NestedNotesTest, OnAmdTheSvmeBitTellsAndThereIsNoTable) {
  const std::vector<CpuState> cpus = {CpuWith("svm-L1-1.bin", 0x1500), CpuWith("svm-L2-49.bin", 0x1500)};
  const std::vector<CoreNote> notes = MakeNestedNotes(cpus, Vmcs12Layout::kFrozen);
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_EQ(NestedStateNote::Parse(Bytes(notes[0].desc))->level, 1u);
  EXPECT_EQ(NestedStateNote::Parse(Bytes(notes[1].desc))->level, 2u);
}

TEST(NestedNotesTest, TheLayoutGoesByTheKernelsRelease) {
  for (const char* release : {"6.18.0", "6.18-rc1", "6.100", "7.0", "10.2.3-amd64"}) {
    EXPECT_EQ(Vmcs12LayoutOf(release), Vmcs12Layout::kCet) << release;
  }
  for (const char* release : {"6.17.9", "6.1.0-56-amd64", "5.19", "4.18", "6", "6.", "", "a.b"}) {
    EXPECT_EQ(Vmcs12LayoutOf(release), Vmcs12Layout::kFrozen) << release;
  }
}

}  // namespace
}  // namespace vmm
