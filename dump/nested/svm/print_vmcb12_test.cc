#include "dump/nested/svm/print_vmcb12.h"

#include <cstring>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dump/nested/svm/svm_names.h"
#include "dump/nested/testing/fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Vmcb12 Vmcb(std::string_view fixture) {
  const std::vector<uint8_t> page = Fixture(fixture);
  Vmcb12 vmcb = {};
  EXPECT_EQ(sizeof(vmcb), page.size());
  std::memcpy(&vmcb, page.data(), std::min(page.size(), sizeof(vmcb)));
  return vmcb;
}

TEST(PrintVmcb12Test, AnL2ThatLeftOnANestedPageFaultIsShownFieldByField) {
  const std::string text = PrintStateFields(DescribeVmcb12(Vmcb("svm-page2000-L1-3.bin")));
  EXPECT_THAT(text, HasSubstr("  intercepts_word4               00000003          VMRUN, VMMCALL\n"));
  EXPECT_THAT(text, HasSubstr("  exit_code                      0000000000000400  nested page fault\n"));
  EXPECT_THAT(text, HasSubstr("  exit_info_2                    0000000000050000\n"));
  EXPECT_THAT(text, HasSubstr("  nested_ctl                     0000000000000001  nested paging\n"));
  EXPECT_THAT(text, HasSubstr("  nested_cr3                     0000000000030000  table at 0x30000\n"));
  EXPECT_THAT(text, HasSubstr("  cs.attrib                      0a9b              64-bit code, DPL 0, present\n"));
  EXPECT_THAT(text, HasSubstr("  tr.attrib                      008b              busy TSS, DPL 0, present\n"));
  EXPECT_THAT(text, HasSubstr("  efer                           0000000000001500  LME LMA SVME\n"));
  EXPECT_THAT(text, HasSubstr("  rip                            0000000000005020\n"));
}

TEST(PrintVmcb12Test, AStateThatIsNotL2sIsLeftOut) {
  const std::string text = PrintStateFields(DescribeVmcb12(Vmcb("svm-page2000-L1-3.bin"), VmcbParts::kControl));
  EXPECT_THAT(text, HasSubstr("nested_cr3"));
  EXPECT_THAT(text, Not(HasSubstr("\n  rip ")));
}

TEST(PrintVmcb12Test, EachFieldHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const StateField& field : DescribeVmcb12(Vmcb12{})) EXPECT_TRUE(names.insert(field.name).second) << field.name;
  EXPECT_EQ(35u + 8 * 4 + 2 * 2 + 30, names.size());
}

TEST(PrintVmcb12Test, TwoExitsDifferInWhatTheyWereFor) {
  const std::vector<StateField> vmmcall = DescribeVmcb12(Vmcb("svm-page2000-L1-2.bin"));
  const std::vector<StateField> fault = DescribeVmcb12(Vmcb("svm-page2000-L1-3.bin"));
  const std::string text = PrintStateDiff(DiffStateFields(vmmcall, fault));
  EXPECT_THAT(text, HasSubstr("  exit_code                      0000000000000081  -> 0000000000000400  nested page"));
  EXPECT_THAT(text, Not(HasSubstr("nested_cr3")));
}

TEST(SvmNamesTest, ExitsHaveNames) {
  EXPECT_EQ("CR3 write", SvmExitCodeName(0x13));
  EXPECT_EQ("exception 14", SvmExitCodeName(0x4e));
  EXPECT_EQ("HLT", SvmExitCodeName(0x78));
  EXPECT_EQ("VMRUN", SvmExitCodeName(0x80));
  EXPECT_EQ("EFER write trap", SvmExitCodeName(0x8f));
  EXPECT_EQ("INVLPGB", SvmExitCodeName(0xa0));
  EXPECT_EQ("HLT when idle", SvmExitCodeName(0xa6));
  EXPECT_EQ("unknown", SvmExitCodeName(0xa7));
  EXPECT_EQ("invalid guest state", SvmExitCodeName(~0ull));
}

TEST(SvmNamesTest, AnInterceptHasTheNameOfItsExit) {
  EXPECT_EQ("CR0 read, CR0 write", SvmInterceptNames(0, 1 << 16 | 1));
  EXPECT_EQ("exception 14", SvmInterceptNames(2, 1 << 14));
  EXPECT_EQ("INTR, shutdown", SvmInterceptNames(3, 1u << 31 | 1));
  EXPECT_EQ("VMRUN", SvmInterceptNames(4, 1));
  EXPECT_EQ("TLBSYNC, bit 31", SvmInterceptNames(5, 1u << 31 | 1 << 4));
}

}  // namespace
}  // namespace vmm
