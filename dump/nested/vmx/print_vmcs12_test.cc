#include "dump/nested/vmx/print_vmcs12.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "dump/nested/testing/fixture.h"
#include "dump/nested/vmx/vmx_names.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

VmcsRegion Region(std::string_view fixture) {
  const std::vector<uint8_t> blob = Fixture(fixture);
  return *VmcsRegion::Parse(std::span(blob).subspan(128));
}

std::string Meaning(std::string_view name, uint64_t value) {
  const VmcsField* field = FindVmcsField(name);
  EXPECT_NE(nullptr, field) << name;
  return field == nullptr ? "" : VmcsFieldMeaning(*field, value);
}

std::string Print(const VmcsRegion& region, Vmcs12Layout layout) {
  return PrintStateFields(DescribeVmcs12(region, layout));
}

TEST(PrintVmcs12Test, ARunningL2IsShownFieldByField) {
  const std::string text = Print(Region("vmx-plain-F1-inL2.bin"), Vmcs12Layout::kFrozen);
  EXPECT_THAT(text, HasSubstr("\n  revision                       11e57ed0          KVM\n"));
  EXPECT_THAT(text, HasSubstr("\n  launch_state                   00000000          clear\n"));
  EXPECT_THAT(text, HasSubstr("\n  guest_rip                      0000000000005027\n"));
  EXPECT_THAT(text, HasSubstr("\n  guest_cs_selector              0008\n"));
  EXPECT_THAT(text, HasSubstr("\n  guest_cs_ar_bytes              0000a09b          64-bit code, DPL 0, present\n"));
  EXPECT_THAT(text, HasSubstr("\n  guest_ldtr_ar_bytes            00010000          unusable\n"));
  EXPECT_THAT(text, HasSubstr("\n  guest_tr_ar_bytes              0000008b          busy TSS, DPL 0, present\n"));
  EXPECT_THAT(text, HasSubstr("\n  guest_ia32_efer                0000000000000500  LME LMA\n"));
  EXPECT_THAT(
      text, HasSubstr("\n  ept_pointer                    000000000003001e  4 levels, write-back, table at 0x30000\n"));
  EXPECT_THAT(text, HasSubstr("\n  secondary_vm_exec_control      00000002          EPT\n"));
  EXPECT_THAT(text, HasSubstr("\n  vmcs_link_pointer              ffffffffffffffff  none\n"));
}

TEST(PrintVmcs12Test, EveryFieldOfTheLayoutHasOneLine) {
  const VmcsRegion region;
  const std::string frozen = Print(region, Vmcs12Layout::kFrozen);
  const std::string cet = Print(region, Vmcs12Layout::kCet);
  for (const VmcsField& field : Vmcs12Fields()) {
    const std::string line = "\n  " + std::string(field.name) + " ";
    EXPECT_THAT(cet, HasSubstr(line));
    EXPECT_EQ(field.since == Vmcs12Layout::kFrozen, frozen.find(line) != std::string::npos) << field.name;
  }
  EXPECT_EQ(5 + 3 + 147, std::count(cet.begin(), cet.end(), '\n'));
}

TEST(PrintVmcs12Test, ExitReasonsHaveNames) {
  EXPECT_EQ("VMCALL", Meaning("vm_exit_reason", 18));
  EXPECT_EQ("EPT violation", Meaning("vm_exit_reason", 48));
  EXPECT_EQ("XSAVES", Meaning("vm_exit_reason", 63));
  EXPECT_EQ("instruction timeout", Meaning("vm_exit_reason", 75));
  EXPECT_EQ("entry failed: guest state, no entry was made", Meaning("vm_exit_reason", 0x80000021));
  EXPECT_EQ("unknown", Meaning("vm_exit_reason", 35));
  EXPECT_EQ("unknown", Meaning("vm_exit_reason", 0xffff));
}

TEST(PrintVmcs12Test, ControlBitsHaveNamesButThoseThatMustBeOne) {
  EXPECT_EQ("", Meaning("pin_based_vm_exec_control", 0x16));
  EXPECT_EQ("external-interrupt exiting, NMI exiting", Meaning("pin_based_vm_exec_control", 0x1f));
  EXPECT_EQ("HLT exiting, secondary controls", Meaning("cpu_based_vm_exec_control", 0x840061f2));
  EXPECT_EQ("EPT, VMCS shadowing", Meaning("secondary_vm_exec_control", 2 | 1 << 14));
  EXPECT_EQ("64-bit host, load EFER", Meaning("vm_exit_controls", 0x236ffb & ~4));
  EXPECT_EQ("IA-32e mode guest, load EFER", Meaning("vm_entry_controls", 0x93fb));
  EXPECT_EQ("bit 30", Meaning("vm_entry_controls", 1u << 30));
}

TEST(PrintVmcs12Test, EventsErrorsAndStatesHaveNames) {
  EXPECT_EQ("exception, vector 14", Meaning("vm_exit_intr_info", 0x80000b0e));
  EXPECT_EQ("", Meaning("vm_exit_intr_info", 0xb0e));
  EXPECT_EQ("VMREAD or VMWRITE of an unsupported component", Meaning("vm_instruction_error", 12));
  EXPECT_EQ("", Meaning("vm_instruction_error", 0));
  EXPECT_EQ("wait for SIPI", Meaning("guest_activity_state", 3));
  EXPECT_EQ("unknown", Meaning("guest_activity_state", ~0ull));
  EXPECT_EQ("blocked by STI, blocked by NMI", Meaning("guest_interruptibility_info", 9));
  EXPECT_EQ("5 levels, uncached, accessed and dirty flags, table at 0x1000", Meaning("ept_pointer", 0x1060));
  EXPECT_EQ("", Meaning("guest_rip", 48));
}

TEST(PrintVmcs12Test, TwoExitsDifferInWhatTheyWereFor) {
  const std::vector<StateField> vmcall = DescribeVmcs12(Region("vmx-plain-G-afterL2.bin"), Vmcs12Layout::kFrozen);
  const std::vector<StateField> violation = DescribeVmcs12(Region("vmx-plain-G-afterL2.2.bin"), Vmcs12Layout::kFrozen);
  const std::vector<StateDifference> differences = DiffStateFields(vmcall, violation);
  const std::string text = PrintStateDiff(differences);
  EXPECT_THAT(text, HasSubstr("  vm_exit_reason                 00000012          -> 00000030  EPT violation\n"));
  EXPECT_THAT(text, HasSubstr("  guest_physical_address         0000000000000000  -> 0000000000050000\n"));
  EXPECT_THAT(text, Not(HasSubstr("ept_pointer")));
  EXPECT_EQ(static_cast<long>(differences.size()), std::count(text.begin(), text.end(), '\n'));
}

TEST(PrintVmcs12Test, ARegionDoesNotDifferFromItself) {
  const std::vector<StateField> fields = DescribeVmcs12(Region("vmx-plain-C-pattern.bin"), kNewestVmcs12Layout);
  EXPECT_TRUE(DiffStateFields(fields, fields).empty());
}

}  // namespace
}  // namespace vmm
