#include "dump/tool/info_command.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/str_format.h"
#include "dump/flight/hang_registers_note.h"
#include "dump/nested/nested_notes.h"
#include "dump/nested/testing/fixture.h"
#include "dump/testing/dumped_guest.h"
#include "dump/tool/run_tool.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class InfoCommandTest : public ::testing::Test {
 protected:
  int Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "info");
    out_.str("");
    err_.str("");
    return RunTool({InfoCommand()}, arguments, out_, err_);
  }

  void SetMetadata(std::string_view text) {
    dump_.ChangeNotes([&](auto& notes) { notes.back().desc.assign(text.begin(), text.end()); });
  }

  DumpedGuest dump_;
  std::ostringstream out_, err_;
};

TEST_F(InfoCommandTest, TheDumpIsToldForPeople) {
  ASSERT_EQ(Run({dump_.path()}), kExitFine) << err_.str();
  for (const char* expected : {"ELF core", LinuxGuest::kRelease, "0x6200000", "4 levels", "64 MiB", "CPUs: 2",
                               "stack of CPU 1", "RAM, direct map", "kernel image", "VMCOREINFO", "\"made\": \"up\""}) {
    EXPECT_THAT(out_.str(), HasSubstr(expected));
  }
}

TEST_F(InfoCommandTest, AllRegistersAreGivenOnRequest) {
  EXPECT_EQ(Run({dump_.path()}), kExitFine);
  EXPECT_THAT(out_.str(), Not(HasSubstr("    r15 ")));
  EXPECT_EQ(Run({dump_.path(), "--registers"}), kExitFine);
  EXPECT_THAT(out_.str(), HasSubstr("    r15 2020202020353172"));
  EXPECT_THAT(out_.str(), HasSubstr("    idt "));
}

TEST_F(InfoCommandTest, OfAHypervisorTheCurrentVmcsIsAmongTheRegisters) {
  const DumpedGuest hypervisor({}, [](LinuxGuest& guest) {
    VmSnapshot& snapshot = guest.snapshot();
    snapshot.cpus[1].nested = {.bytes = Fixture("vmx-plain-E-real.bin"), .max_size = 8320};
    snapshot.more_notes = MakeNestedNotes(snapshot.cpus, Vmcs12Layout::kFrozen);
  });
  ASSERT_EQ(Run({hypervisor.path(), "--json"}), kExitFine);
  const nlohmann::json json = nlohmann::json::parse(out_.str());
  EXPECT_EQ(json["cpus"][1]["vmptr"], "0x2000");
  EXPECT_EQ(json["cpus"][1]["vmxon"], "0x1000");
  EXPECT_FALSE(json["cpus"][0].contains("vmptr"));
  EXPECT_EQ(Run({hypervisor.path(), "--registers"}), kExitFine);
  EXPECT_THAT(out_.str(), HasSubstr("  vmptr 0000000000002000"));
}

TEST_F(InfoCommandTest, OfAHangTheRegistersFromBeforeTheNmiAreTold) {
  HangRegistersNote note{.nmi_vcpu = 0, .destroyed = 0, .before = {CpuState{.rip = 0xffffffff81000010}, std::nullopt}};
  note.before[0]->cr0 = 0x80050033;
  note.before[0]->halted = true;
  const DumpedGuest hung({}, [&](LinuxGuest& guest) {
    guest.snapshot().more_notes = {{kHangRegistersNoteName, 0, note.Serialise()}};
  });
  ASSERT_EQ(Run({hung.path()}), kExitFine);
  EXPECT_THAT(out_.str(), HasSubstr("(sent to CPU 0); it destroyed CPU 0, which is shown above"));
  EXPECT_THAT(out_.str(), HasSubstr("rip 0xffffffff81000010"));
  EXPECT_THAT(out_.str(), HasSubstr("  halted"));
  EXPECT_THAT(out_.str(), HasSubstr("did not answer in time"));
  ASSERT_EQ(Run({hung.path(), "--json"}), kExitFine);
  const nlohmann::json before = nlohmann::json::parse(out_.str())["before_nmi"];
  EXPECT_EQ(before["nmi_cpu"], 0);
  EXPECT_EQ(before["destroyed_cpu"], 0);
  EXPECT_EQ(before["cpus"][0]["rip"], "0xffffffff81000010");
  EXPECT_EQ(before["cpus"][0]["state"], "halted");
  EXPECT_EQ(before["cpus"][1]["state"], "unknown");
}

TEST_F(InfoCommandTest, ANoteOfThatKindThatCannotBeReadIsToldWithTheReason) {
  const DumpedGuest hung({}, [&](LinuxGuest& guest) {
    guest.snapshot().more_notes = {{kHangRegistersNoteName, 0, "short"}};
  });
  ASSERT_EQ(Run({hung.path()}), kExitFine);
  EXPECT_THAT(out_.str(), HasSubstr("5 bytes are less than a header's 24"));
}

TEST_F(InfoCommandTest, VmcoreInfoComesAsItIs) {
  EXPECT_EQ(Run({dump_.path(), "--vmcoreinfo"}), kExitFine);
  EXPECT_EQ(out_.str(), dump_.guest().VmcoreInfoText());
}

TEST_F(InfoCommandTest, JsonHasEverything) {
  ASSERT_EQ(Run({dump_.path(), "--json"}), kExitFine);
  const nlohmann::json json = nlohmann::json::parse(out_.str());
  EXPECT_EQ(json["format"], "ELF core");
  EXPECT_EQ(json["kernel"]["release"], LinuxGuest::kRelease);
  EXPECT_EQ(json["kernel"]["kernel_offset"], "0x6200000");
  EXPECT_EQ(json["kernel"]["page_table_levels"], 4);
  EXPECT_EQ(json["memory"]["bytes"], 64 << 20);
  EXPECT_EQ(json["cpus"].size(), 2u);
  EXPECT_EQ(json["cpus"][1]["rsp"], absl::StrFormat("%#x", dump_.guest().snapshot().cpus[1].rsp));
  EXPECT_EQ(json["elf"]["program_headers"].size(), dump_.phdrs().size());
  EXPECT_EQ(json["notes"].size(), 6u);
  EXPECT_EQ(json["vmcoreinfo"][0], absl::StrFormat("OSRELEASE=%s", LinuxGuest::kRelease));
  EXPECT_EQ(json["vmm"]["made"], "up");
  EXPECT_TRUE(json["faults"].empty());
}

TEST_F(InfoCommandTest, ANoteThatIsNoJsonIsShownAsText) {
  SetMetadata("\x1b[2J{");
  EXPECT_EQ(Run({dump_.path()}), kExitFine);
  EXPECT_THAT(out_.str(), HasSubstr("\\x1b[2J{"));
  EXPECT_EQ(Run({dump_.path(), "--json"}), kExitFine);
  EXPECT_EQ(nlohmann::json::parse(out_.str())["vmm"], "\\x1b[2J{");
}

TEST_F(InfoCommandTest, JsonNestedWithoutEndIsNotFollowed) {
  SetMetadata(std::string(1200, '[') + std::string(1200, ']'));
  EXPECT_EQ(Run({dump_.path(), "--json"}), kExitFine);
  EXPECT_TRUE(nlohmann::json::parse(out_.str())["vmm"].is_string());
}

TEST_F(InfoCommandTest, FaultsAreToldOf) {
  dump_.Truncate(dump_.Size() - 4096);
  EXPECT_EQ(Run({dump_.path()}), kExitBadFile);
  EXPECT_THAT(out_.str(), HasSubstr("4096 are missing"));
}

TEST_F(InfoCommandTest, WhatCannotBeReadEndsWith1) {
  EXPECT_EQ(Run({"/nowhere"}), kExitBadFile);
  EXPECT_THAT(err_.str(), HasSubstr("vmcore info: /nowhere: open: No such file"));
}

}  // namespace
}  // namespace vmm
