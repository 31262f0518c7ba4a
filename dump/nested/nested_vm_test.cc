#include "dump/nested/nested_vm.h"

#include <memory>
#include <string>
#include <vector>

#include "base/guest_memory.h"
#include "dump/nested/nested_cpu.h"
#include "dump/nested/testing/fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

constexpr const char* kVmxMemory = "vmx-plain-guestmem.bin.xz";
constexpr const char* kSvmMemory = "svm-guestmem.bin.xz";

// A dump: L1's RAM, the registers of its vCPUs (vCPU n has RIP 0x1000 + n), and nested states.
struct Dump {
  explicit Dump(const char* memory_name) : memory(FixtureMemory(memory_name)), registers(2) {
    for (size_t i = 0; i < registers.size(); ++i) {
      registers[i].rip = 0x1000 + i;
      registers[i].cr0 = 0x80000031;
    }
  }

  void AddNote(uint32_t vcpu, const std::string& blob) {
    blobs.push_back(std::make_unique<std::vector<uint8_t>>(Fixture(blob)));
    notes.push_back({.vcpu = vcpu, .state = *blobs.back()});
  }
  NestedCpus Cpus() { return *FindNestedCpus(*memory, notes); }
  std::vector<NestedVm> Vms() { return *FindNestedVms(*memory, registers, Cpus().cpus); }

  std::unique_ptr<GuestMemory> memory;
  std::vector<CpuState> registers;
  std::vector<std::unique_ptr<std::vector<uint8_t>>> blobs;
  std::vector<NestedStateNote> notes;
};

TEST(NestedCpuTest, ARunningL2IsTheNotesAndItsStalePageIsLeftOut) {
  Dump dump(kVmxMemory);
  dump.AddNote(1, "vmx-plain-F1-inL2.bin");
  const NestedCpus found = dump.Cpus();
  ASSERT_EQ(1u, found.cpus.size()) << "the VMXON region at 0x1000 is the note's, too";
  EXPECT_EQ("vmcs12 at 0x2000, from the nested state of vCPU 1, where L2 runs", TitleOf(found.cpus[0]));
  EXPECT_TRUE(found.remarks.empty());
}

TEST(NestedCpuTest, WithoutANoteThePagesInMemoryAreAllThereIs) {
  Dump dump(kVmxMemory);
  const NestedCpus found = dump.Cpus();
  ASSERT_EQ(2u, found.cpus.size());
  EXPECT_EQ("vmcs12 at 0x1000, found in memory; no vCPU: empty: a VMXON region, or not yet written",
            TitleOf(found.cpus[0]));
  EXPECT_THAT(TitleOf(found.cpus[1]), HasSubstr("no vCPU: vmcs_link_pointer 0x123400c1776600c1"))
      << "the stale page still has the pattern that a test had written before";
}

TEST(NestedCpuTest, OfARunningVmcbOnlyTheControlAreaIsL2s) {
  Dump dump(kSvmMemory);
  dump.AddNote(0, "svm-L2-49.bin");
  const NestedCpus found = dump.Cpus();
  ASSERT_EQ(1u, found.cpus.size());
  EXPECT_EQ("vmcb12 at 0x2000, from the nested state of vCPU 0, where L2 runs", TitleOf(found.cpus[0]));
  for (const StateField& field : DescribeNestedCpu(found.cpus[0])) EXPECT_EQ("control", field.area);
}

TEST(NestedCpuTest, ANoteThatCannotBeReadIsRemarkedOn) {
  Dump dump(kVmxMemory);
  dump.AddNote(0, "vmx-plain-F1-inL2.bin");
  dump.blobs[0]->at(4) ^= 1;
  const NestedCpus found = dump.Cpus();
  ASSERT_EQ(1u, found.remarks.size());
  EXPECT_THAT(found.remarks[0], HasSubstr("vCPU 0"));
  EXPECT_EQ(2u, found.cpus.size()) << "what is in memory is there all the same";
}

TEST(NestedVmTest, ARunningL2HasTheRegistersOfItsVcpuInTheDump) {
  Dump dump(kVmxMemory);
  dump.AddNote(1, "vmx-plain-F1-inL2.bin");
  const std::vector<NestedVm> vms = dump.Vms();
  ASSERT_EQ(1u, vms.size());
  EXPECT_EQ(0x3001eu, vms[0].root);
  ASSERT_EQ(1u, vms[0].vcpus.size());
  EXPECT_EQ(0x1001u, vms[0].vcpus[0].registers.rip);
  EXPECT_TRUE(vms[0].vcpus[0].has_general_registers);
  const auto memory = MemoryOf(*dump.memory, vms[0]);
  ASSERT_TRUE(memory.ok()) << memory.status();
  EXPECT_EQ(0xe6, *(*memory)->ReadObject<uint8_t>(GuestAddr{0x5027}));
}

TEST(NestedVmTest, ARunningL2OfAVcpuThatTheDumpLacksHasNoRegisters) {
  Dump dump(kVmxMemory);
  dump.AddNote(7, "vmx-plain-F1-inL2.bin");
  const std::vector<NestedVm> vms = dump.Vms();
  ASSERT_EQ(1u, vms.size());
  EXPECT_FALSE(vms[0].vcpus[0].has_general_registers);
  EXPECT_FALSE(vms[0].vcpus[0].registers.started);
}

TEST(NestedVmTest, AnIdleL2HasThoseOfItsVmcsAndSaysWhatIsMissing) {
  Dump dump(kVmxMemory);
  dump.AddNote(0, "vmx-plain-G-afterL2.bin");
  const std::vector<NestedVm> vms = dump.Vms();
  ASSERT_EQ(1u, vms.size());
  EXPECT_EQ(NestedCpu::Source::kCurrent, vms[0].vcpus[0].source);
  EXPECT_EQ(0x9000u, vms[0].vcpus[0].registers.cr3);
  EXPECT_NE(0x1000u, vms[0].vcpus[0].registers.rip);
  EXPECT_FALSE(vms[0].vcpus[0].has_general_registers);
  EXPECT_THAT(vms[0].vcpus[0].registers_from, HasSubstr("not known"));
}

TEST(NestedVmTest, AnIdleL2InUserModeHasTheKernelGsBaseThatKvmLeftInL1sCpu) {
  Dump dump(kVmxMemory);
  dump.AddNote(0, "vmx-plain-G-afterL2.bin");
  EXPECT_EQ(0u, dump.Vms()[0].vcpus[0].registers.kernel_gs_base);
  dump.registers[0].kernel_gs_base = 0x7f0012345000;  // of a process in L1
  EXPECT_EQ(0u, dump.Vms()[0].vcpus[0].registers.kernel_gs_base);
  dump.registers[0].kernel_gs_base = 0xffff88800fc00000;
  EXPECT_EQ(0xffff88800fc00000, dump.Vms()[0].vcpus[0].registers.kernel_gs_base);
}

TEST(NestedVmTest, TheSameOnAmd) {
  for (const bool runs : {false, true}) {
    Dump dump(kSvmMemory);
    if (runs) dump.AddNote(1, "svm-L2-49.bin");
    const std::vector<NestedVm> vms = dump.Vms();
    ASSERT_EQ(1u, vms.size());
    EXPECT_FALSE(vms[0].vmx);
    EXPECT_EQ(0x30000u, vms[0].root);
    EXPECT_EQ(4, vms[0].levels);
    EXPECT_EQ(runs, vms[0].vcpus[0].has_general_registers);
    EXPECT_EQ(runs ? 0x1001u : 0x5000u, vms[0].vcpus[0].registers.rip);
    const auto memory = MemoryOf(*dump.memory, vms[0]);
    ASSERT_TRUE(memory.ok()) << memory.status();
    EXPECT_EQ(*dump.memory->ReadObject<uint64_t>(GuestAddr{0x20f000}),
              *(*memory)->ReadObject<uint64_t>(GuestAddr{0x5000}));
  }
}

TEST(NestedVmTest, NestedTablesHaveTheLevelsOfL1sOwn) {
  Dump dump(kSvmMemory);
  dump.registers[0].started = false;
  dump.registers[1].cr4 = 1 << 12;
  EXPECT_EQ(5, dump.Vms()[0].levels);
  for (CpuState& cpu : dump.registers) cpu.cr0 = 0;  // kdump's notes have no control registers
  EXPECT_EQ(5, FindNestedVms(*dump.memory, dump.registers, dump.Cpus().cpus, 5)->front().levels);
  dump.AddNote(1, "svm-L2-49.bin");
  EXPECT_EQ(4, dump.Vms()[0].levels) << "L1's state is in the blob, the registers are L2's";
}

TEST(NestedVmTest, VcpusWithTheSameTablesAreOneVmInTheOrderOfTheirPerCpuAreas) {
  Dump dump(kSvmMemory);
  Vmcb12 vmcb = *dump.memory->ReadObject<Vmcb12>(GuestAddr{0x2000});
  vmcb.save.gs.base = 0xffff888000000000;  // below the first one's
  ASSERT_TRUE(dump.memory->WriteObject(GuestAddr{0x300000}, vmcb).ok());
  vmcb.save.gs.base = 0;  // in user mode
  vmcb.save.kernel_gs_base = 0xffff888000002000;
  ASSERT_TRUE(dump.memory->WriteObject(GuestAddr{0x301000}, vmcb).ok());
  vmcb.control.nested_cr3 = 0x31000;
  ASSERT_TRUE(dump.memory->WriteObject(GuestAddr{0x302000}, vmcb).ok());
  const std::vector<NestedVm> vms = dump.Vms();
  ASSERT_EQ(2u, vms.size());
  std::vector<GuestAddr> at;
  for (const NestedVcpu& vcpu : vms[0].vcpus) at.push_back(vcpu.at);
  EXPECT_EQ((std::vector<GuestAddr>{GuestAddr{0x300000}, GuestAddr{0x2000}, GuestAddr{0x301000}}), at);
  EXPECT_EQ(1u, vms[1].vcpus.size());
}

TEST(NestedVmTest, WithShadowPagingThereIsNoMemoryToBeHad) {
  Dump dump(kSvmMemory);
  Vmcb12 vmcb = *dump.memory->ReadObject<Vmcb12>(GuestAddr{0x2000});
  vmcb.control.nested_ctl = 0;
  ASSERT_TRUE(dump.memory->WriteObject(GuestAddr{0x2000}, vmcb).ok());
  const std::vector<NestedVm> vms = dump.Vms();
  ASSERT_EQ(1u, vms.size());
  EXPECT_THAT(vms[0].no_memory, HasSubstr("without nested paging"));
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition, MemoryOf(*dump.memory, vms[0]).status().code());
}

}  // namespace
}  // namespace vmm
