// Runs the tool on a core like those of cloud-hypervisor, made from the same guest that we dump ourselves.
#include <gmock/gmock.h>

#include <fstream>
#include <set>
#include <sstream>

#include "dump/check/check_vmcore.h"
#include "dump/testing/cloud_hypervisor_core.h"
#include "dump/testing/dumped_guest.h"
#include "dump/tool/compare_command.h"
#include "dump/tool/convert_command.h"
#include "dump/tool/info_command.h"
#include "dump/tool/run_tool.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

// RAM on both sides of the hole below 4 GiB, which makes two mappings.
const LinuxGuestOptions kTwoMappings = {.ram = {{GuestAddr{0}, 40 << 20}, {GuestAddr{1ull << 32}, 4 << 20}}};

class CloudHypervisorTest : public ::testing::Test {
 protected:
  // Writes a core of the guest of `ours` and returns its path.
  static std::string Core(DumpedGuest& ours) {
    std::string path = ours.folder() + "/cloud-hypervisor";
    std::ofstream(path, std::ios::binary) << CloudHypervisorCore(ours.guest().snapshot());
    return path;
  }

  int Run(const std::vector<std::string>& arguments) {
    out_.str("");
    err_.str("");
    return RunTool({CompareCommand(), ConvertCommand(), InfoCommand()}, arguments, out_, err_);
  }

  static std::set<std::string> Rules(const CheckResult& result) {
    std::set<std::string> rules;
    for (const Finding& finding : result.findings) rules.insert(finding.rule);
    return rules;
  }

  std::ostringstream out_, err_;
};

TEST_F(CloudHypervisorTest, TheKernelIsFoundThoughNoNoteTellsOfIt) {
  DumpedGuest ours(kTwoMappings);
  ASSERT_EQ(Run({"info", Core(ours)}), kExitFine) << err_.str();
  for (const char* expected : {LinuxGuest::kRelease, "0x6200000", "4 levels", "44 MiB", "CPUs: 2"}) {
    EXPECT_THAT(out_.str(), HasSubstr(expected));
  }
}

TEST_F(CloudHypervisorTest, ItHoldsTheSameMemoryAndRegisters) {
  DumpedGuest ours(kTwoMappings);
  const std::string core = Core(ours);
  EXPECT_EQ(Run({"compare", core, ours.path(), "--memory"}), kExitFine) << out_.str();
  EXPECT_EQ(Run({"compare", core, ours.path()}), kExitBadFile);
  EXPECT_THAT(out_.str(), HasSubstr("only the second has a note VMCOREINFO"));
  EXPECT_EQ(out_.str().find("CPU "), std::string::npos) << out_.str();
}

TEST_F(CloudHypervisorTest, CheckTellsWhomItBreaks) {
  DumpedGuest ours(kTwoMappings);
  const CheckResult result = CheckVmcoreFile(Core(ours));
  EXPECT_THAT(Rules(result),
              UnorderedElementsAre("p_offset", "p_vaddr-zero", "no-image", "no-stack", "pr_pid", "vmcoreinfo"));
  for (const Reader reader : kAllReaders) {
    EXPECT_EQ(WhyNot(reader, result.format, result.findings).has_value(), reader != Reader::kCrash) << NameOf(reader);
  }
}

TEST_F(CloudHypervisorTest, OfASmallGuestThereIsOneMappingWhichIsTooFewForCrash) {
  DumpedGuest ours({.ram = {{GuestAddr{0}, 40 << 20}}});
  EXPECT_TRUE(Rules(CheckVmcoreFile(Core(ours))).contains("pt-load-count"));
}

TEST_F(CloudHypervisorTest, ConvertedToKdumpAndBackItIsTheSameMachineAndHasVmcoreInfo) {
  DumpedGuest ours(kTwoMappings);
  const std::string core = Core(ours), kdump = core + ".kdump", back = core + ".elf";
  ASSERT_EQ(Run({"convert", core, kdump, "--format=kdump-zlib"}), kExitFine) << err_.str();
  ASSERT_EQ(Run({"convert", kdump, back, "--format=elf"}), kExitFine) << err_.str();
  for (const std::string& converted : {kdump, back}) {
    EXPECT_EQ(Run({"compare", core, converted, "--memory"}), kExitFine) << out_.str();
    EXPECT_EQ(Run({"compare", core, converted}), kExitBadFile);
    EXPECT_THAT(out_.str(), HasSubstr("Registers and notes\n  only the second has a note VMCOREINFO\n"));
  }
  EXPECT_THAT(Rules(CheckVmcoreFile(back)), UnorderedElementsAre("pr_pid")) << "the notes' bytes are kept";
}

}  // namespace
}  // namespace vmm
