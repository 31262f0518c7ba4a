#include "dump/tool/report_command.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/str_format.h"
#include "dump/abi/virtio_note_abi.h"
#include "dump/flight/testing/made_up_story.h"
#include "dump/kernel/testing/made_up_kernel.h"
#include "dump/testing/dumped_guest.h"
#include "dump/tool/dmesg_command.h"
#include "dump/tool/info_command.h"
#include "dump/tool/run_tool.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// The vmcore of a made-up kernel that has died.
class ReportCommandTest : public ::testing::Test {
 protected:
  explicit ReportCommandTest(const std::function<void(MadeUpKernel&)>& change = [](MadeUpKernel&) {})
      : dump_({}, [&](LinuxGuest& guest) {
          MadeUpKernel kernel(guest, {});
          symbols_ = kernel.symbols();
          change(kernel);
        }) {}

  int Run(std::vector<std::string> arguments) {
    out_.str("");
    err_.str("");
    return RunTool({ReportCommand(), DmesgCommand(), InfoCommand()}, arguments, out_, err_);
  }

  std::vector<Symbol> symbols_;
  DumpedGuest dump_;
  std::ostringstream out_, err_;
};

TEST_F(ReportCommandTest, TheDeathIsToldForPeople) {
  ASSERT_EQ(Run({"report", dump_.path()}), kExitFine) << err_.str();
  for (const char* expected :
       {"Linux 6.1.0-56-cloud-amd64 panicked: sysrq triggered crash", "tainted    GW", "up         3.000001 s",
        "CPU 0: sh, pid 96, panicked here", "panic+0x77/0x100", "pvpanic_panic_notify+0x60 [pvpanic]",
        "user mode: rip 0x47b7a0", "CPU 1: swapper/0", "--- interrupt or exception ---", "end of stack",
        "ffffffffc0400000      4096  pvpanic", "[    1.234567] two\n", " rax 2020202020786172"}) {
    EXPECT_THAT(out_.str(), HasSubstr(expected));
  }
  const std::string head = out_.str().substr(0, out_.str().find("  version"));
  EXPECT_THAT(head, HasSubstr("  title      kernel panic: sysrq triggered crash\n"));
  EXPECT_THAT(head, HasSubstr("  where      sysrq_handle_crash; CPU 0, sh, pid 96\n"));
  EXPECT_THAT(head, HasSubstr("  next       "));
  EXPECT_THAT(out_.str(), Not(HasSubstr("\x1b")));
  EXPECT_EQ(Run({"report", dump_.path(), "--brief"}), kExitFine);
  EXPECT_THAT(out_.str(), Not(HasSubstr(" rax ")));
}

TEST_F(ReportCommandTest, ALivingGuestIsNotCalledDead) {
  ASSERT_EQ(Run({"report", dump_.path(), "--json"}), kExitFine) << err_.str();
  EXPECT_EQ(nlohmann::json::parse(out_.str())["live"], false);
  const auto mark = [&](const std::string& json) {
    dump_.ChangeNotes([&](std::vector<VmcoreNote>& notes) {
      for (VmcoreNote& note : notes) {
        if (note.name == "VMM") note.desc.assign(json.begin(), json.end());
      }
    });
  };
  mark(R"({"live":{}})");
  ASSERT_EQ(Run({"report", dump_.path()}), kExitFine) << err_.str();
  EXPECT_THAT(out_.str(), testing::StartsWith("Linux 6.1.0-56-cloud-amd64, a live guest\n"));
  EXPECT_THAT(out_.str(), HasSubstr("CPU 1: swapper/0"));
  ASSERT_EQ(Run({"report", dump_.path(), "--json"}), kExitFine) << err_.str();
  EXPECT_EQ(nlohmann::json::parse(out_.str())["live"], true);
  mark(R"({"live":1})");
  ASSERT_EQ(Run({"report", dump_.path()}), kExitFine) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("panicked")) << "no mark of ours";
}

TEST_F(ReportCommandTest, JsonHasEverything) {
  ASSERT_EQ(Run({"report", dump_.path(), "--json"}), kExitFine) << err_.str();
  const nlohmann::json json = nlohmann::json::parse(out_.str());
  EXPECT_EQ(json["release"], LinuxGuest::kRelease);
  EXPECT_EQ(json["panic"], "sysrq triggered crash");
  EXPECT_EQ(json["panic_cpu"], 0);
  EXPECT_EQ(json["uptime_ns"], 3'000'001'000);
  EXPECT_EQ(json["signature"].get<std::string>().size(), 16u);
  const nlohmann::json& cpu = json["cpus"][0];
  EXPECT_EQ(cpu["task"]["comm"], "sh");
  EXPECT_EQ(cpu["frames"][0]["module"], "pvpanic");
  EXPECT_EQ(cpu["frames"][1]["function"], "panic");
  EXPECT_EQ(cpu["frames"][1]["offset"], 0x77);
  EXPECT_EQ(cpu["user"]["rip"], "0x47b7a0");
  EXPECT_EQ(json["cpus"][1]["frames"][2]["interrupted"], true);
  EXPECT_EQ(json["modules"][0]["name"], "pvpanic");
  EXPECT_EQ(json["log"][2]["level"], 0);
}

TEST_F(ReportCommandTest, ASystemMapCanBringTheNames) {
  const std::string path = dump_.folder() + "/System.map";
  std::ofstream file(path);
  for (const Symbol& symbol : symbols_) {
    const bool moves = symbol.address >= LinuxGuest::kText;
    file << absl::StrFormat("%016x %c %s\n", symbol.address - (moves ? LinuxGuest::kKernelOffset : 0), symbol.type,
                            symbol.name == "panic" ? "panic_by_another_name" : symbol.name);
  }
  file.close();
  ASSERT_EQ(Run({"report", dump_.path(), "--system-map", path}), kExitFine) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("panic_by_another_name+0x77"));
  EXPECT_EQ(Run({"report", dump_.path(), "--system-map", path, "--vmlinux", path}), kExitBadUsage);
  EXPECT_EQ(Run({"report", dump_.path(), "--system-map", dump_.path()}), kExitBadFile);
}

TEST_F(ReportCommandTest, TheLogComesAsDmesgPrintsIt) {
  ASSERT_EQ(Run({"dmesg", dump_.path()}), kExitFine) << err_.str();
  EXPECT_EQ(out_.str(),
            "[    0.000000] Linux version 6.1.0-56-cloud-amd64 (made up) #1 SMP\n"
            "[    1.234567] two\n               lines\n"
            "[    3.000001] Kernel panic - not syncing: sysrq triggered crash\n");
  EXPECT_EQ(Run({"dmesg", dump_.path(), "--last=1"}), kExitFine);
  EXPECT_THAT(out_.str(), Not(HasSubstr("lines")));
  EXPECT_EQ(Run({"dmesg", dump_.path(), "--last=0"}), kExitBadUsage);
  EXPECT_EQ(Run({"dmesg", dump_.path(), "--json"}), kExitFine);
  EXPECT_EQ(nlohmann::json::parse(out_.str())["records"][1]["text"], "two\nlines");
}

TEST_F(ReportCommandTest, WhatCannotBeReadEndsWith1) {
  EXPECT_EQ(Run({"report", "/nowhere"}), kExitBadFile);
  EXPECT_THAT(err_.str(), HasSubstr("/nowhere"));
  EXPECT_EQ(Run({"dmesg", "/nowhere"}), kExitBadFile);
}

TEST_F(ReportCommandTest, TheTasksThatHangAreTold) {
  ASSERT_EQ(Run({"report", dump_.path()}), kExitFine) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("\nTasks: 5, 2 D, 2 R, 1 I\n"));
  EXPECT_THAT(out_.str(), HasSubstr("  D  dd 101, dd 102 in sysrq_handle_crash\n"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("Instruction:")));
}

// CPU 1 died in an interrupt that hit its idle loop.
class InterruptedReportTest : public ReportCommandTest {
 protected:
  InterruptedReportTest()
      : ReportCommandTest([](MadeUpKernel& kernel) {
          kernel.Put32(MadeUpKernel::kPanicCpu, 1);
          kernel.Put(MadeUpKernel::kIdle, std::string(0x20, '\x90'));
        }) {}
};

TEST_F(InterruptedReportTest, TheInstructionIsShown) {
  ASSERT_EQ(Run({"report", dump_.path()}), kExitFine) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("\nInstruction: interrupt on CPU 1, at default_idle+0xb/0x100\n"));
  EXPECT_THAT(out_.str(), HasSubstr("\n=>"));
  EXPECT_THAT(out_.str(), HasSubstr("nop"));
  EXPECT_THAT(out_.str(), HasSubstr("  default_idle+0xb/0x100\n"));  // RIP among the registers
  ASSERT_EQ(Run({"report", dump_.path(), "--brief"}), kExitFine);
  EXPECT_THAT(out_.str(), Not(HasSubstr("   rip ")));
}

TEST_F(InterruptedReportTest, JsonHasTheCause) {
  ASSERT_EQ(Run({"report", dump_.path(), "--json"}), kExitFine) << err_.str();
  const nlohmann::json cause = nlohmann::json::parse(out_.str())["cause"];
  EXPECT_EQ(cause["fault"]["kind"], "interrupt");
  EXPECT_EQ(cause["fault"]["cpu"], 1);
  EXPECT_EQ(cause["fault"]["at"], "default_idle+0xb/0x100");
  EXPECT_EQ(cause["fault"]["code"][11]["at_fault"], true);
  EXPECT_EQ(cause["fault"]["code"][11]["text"], "nop");
  EXPECT_EQ(cause["fault"]["registers"]["rip"]["points_to"], "default_idle+0xb/0x100");
  EXPECT_EQ(cause["locks"]["deadlocks"].size(), 0u);
}

TEST_F(InterruptedReportTest, HtmlHasTheInstruction) {
  ASSERT_EQ(Run({"report", dump_.path(), "--html"}), kExitFine) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("<h2>Instruction</h2>"));
  EXPECT_THAT(out_.str(), HasSubstr("nop"));
  EXPECT_THAT(out_.str(), HasSubstr("<h2>Tasks</h2>"));
}

class HostileReportTest : public ReportCommandTest {
 protected:
  HostileReportTest()
      : ReportCommandTest([](MadeUpKernel& kernel) {
          kernel.Log(4'000'000'000, 0, "\x1b[2J\xff Kernel panic - not syncing: \x1b]0;owned\x07");
          kernel.Put(MadeUpKernel::kTasks + 0x1000 + 0x500, "\x1b[31m");
        }) {}
};

TEST_F(HostileReportTest, WhatTheGuestWroteCannotDriveTheTerminal) {
  for (const char* command : {"report", "dmesg"}) {
    ASSERT_EQ(Run({command, dump_.path()}), kExitFine) << err_.str();
    EXPECT_THAT(out_.str(), Not(HasSubstr("\x1b")));
    ASSERT_EQ(Run({command, dump_.path(), "--json"}), kExitFine) << err_.str();
    EXPECT_TRUE(nlohmann::json::accept(out_.str()));
  }
}

TEST(NoKernelReportTest, AGuestWithoutAKernelIsRefusedWithTheReason) {
  DumpedGuest dump({.vmcoreinfo = false}, [](LinuxGuest& guest) {
    for (CpuState& cpu : guest.snapshot().cpus) cpu = CpuState{};
  });
  std::ostringstream out, err;
  EXPECT_EQ(RunTool({ReportCommand()}, {"report", dump.path()}, out, err), kExitBadFile);
  EXPECT_THAT(err.str(), HasSubstr("no VMCOREINFO"));
}

class HostSideReportTest : public ReportCommandTest {
 protected:
  HostSideReportTest()
      : ReportCommandTest([](MadeUpKernel& kernel) { kernel.guest().snapshot().more_notes = MadeUpStory().Notes(); }) {}
};

TEST_F(HostSideReportTest, TheHostsSideStandsBehindTheGuests) {
  ASSERT_EQ(Run({"report", dump_.path()}), kExitFine) << err_.str();
  for (const char* expected :
       {"The host's side", "times are the guest's", "\nvCPU 1\n", "lived 2.000 s: 1.000 s on a CPU, 900 ms waiting",
        "47.4 % of the time", "5000, of which the last 151 are known: 150 port I/O, 1 fatal", "PIO write    port 0x3f8",
        "in vmm 1 ms, at [    0.319000]: PIO write 0x3f8 <- 0x61, 1 byte",
        "exits 123457, halt_exits 77, nmi_injections 1", "20 exits", "[    1.749000]     10 us  shutdown"}) {
    EXPECT_THAT(out_.str(), HasSubstr(expected));
  }
}

TEST_F(HostSideReportTest, JsonHasTheHostsSide) {
  ASSERT_EQ(Run({"report", dump_.path(), "--json"}), kExitFine) << err_.str();
  const nlohmann::json host = nlohmann::json::parse(out_.str())["host"];
  ASSERT_EQ(host["vcpus"].size(), 2u);
  const nlohmann::json& vcpu = host["vcpus"][1];
  EXPECT_NEAR(vcpu["starved"], 0.9 / 1.9, 1e-6);
  EXPECT_EQ(vcpu["places"][0]["address"], "0x3f8");
  EXPECT_EQ(vcpu["last_exits"].size(), 20u);
  EXPECT_EQ(vcpu["kvm"]["halt_exits"], 77);
  EXPECT_EQ(vcpu["guest_tsc_at_end"], "0xee6b2800") << "two seconds of 2 GHz";
  EXPECT_EQ(host["console"].size(), 5u);
  EXPECT_EQ(host["console_lines"], 900);
  EXPECT_NEAR(host["guest_clock_at_0"], -0.251, 1e-6);
  ASSERT_EQ(Run({"info", dump_.path()}), kExitFine) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("VMM-FLIGHT"));
}

class VirtioReportTest : public ReportCommandTest {
 protected:
  VirtioReportTest()
      : ReportCommandTest([](MadeUpKernel& kernel) {
          kernel.guest().snapshot().more_notes = {
              {kVirtioNoteName, 0, "virtio-blk: status 0xf\n  queue 0, chain 5: read \x1b[2J\n"}};
        }) {}
};

TEST_F(VirtioReportTest, RequestsInFlightAreShownSafeForATerminal) {
  ASSERT_EQ(Run({"report", dump_.path()}), kExitFine) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("\nVirtio devices\n  virtio-blk: status 0xf\n"));
  EXPECT_THAT(out_.str(), HasSubstr("    queue 0, chain 5: read \\x1b[2J\n"));
}

class NoSchedstatReportTest : public ReportCommandTest {
 protected:
  NoSchedstatReportTest()
      : ReportCommandTest([](MadeUpKernel& kernel) {
          MadeUpStory made;
          for (FlightNote& flight : made.flights) flight.header.run_ns = flight.header.wait_ns = 0;
          kernel.guest().snapshot().more_notes = made.Notes();
        }) {}
};

TEST_F(NoSchedstatReportTest, WhatTheSchedulerDidNotTellIsUnknown) {
  ASSERT_EQ(Run({"report", dump_.path()}), kExitFine) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("lived 2.000 s; the host's scheduler told nothing of it"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("asleep")));
  ASSERT_EQ(Run({"report", dump_.path(), "--json"}), kExitFine) << err_.str();
  const nlohmann::json vcpu = nlohmann::json::parse(out_.str())["host"]["vcpus"][1];
  for (const char* name : {"ran_seconds", "waited_seconds", "asleep_seconds", "starved", "longest_wait"}) {
    EXPECT_TRUE(vcpu[name].is_null()) << name;
  }
}

TEST_F(HostSideReportTest, HtmlGoesToAFileOrComesOut) {
  const std::string path = dump_.folder() + "/page.html";
  ASSERT_EQ(Run({"report", dump_.path(), "--html", "-o", path}), kExitFine) << err_.str();
  EXPECT_EQ(out_.str(), "");
  std::stringstream page;
  page << std::ifstream(path).rdbuf();
  ASSERT_EQ(Run({"report", dump_.path(), "--html"}), kExitFine) << err_.str();
  EXPECT_EQ(out_.str(), page.str());
  EXPECT_THAT(out_.str(), HasSubstr("<h1 class=\"death\">Kernel panic: sysrq triggered crash</h1>"));
  EXPECT_THAT(out_.str(), HasSubstr("panic+0x77/0x100"));
  EXPECT_THAT(out_.str(), HasSubstr("</html>"));
}

TEST_F(HostSideReportTest, APageIsNotWrittenOverWhatIsThere) {
  EXPECT_EQ(Run({"report", dump_.path(), "--html", "-o", dump_.path()}), kExitBadFile);
  EXPECT_THAT(err_.str(), HasSubstr("exists already"));
  EXPECT_EQ(Run({"report", dump_.path(), "--brief"}), kExitFine) << "the dump is as it was: " << err_.str();
}

TEST_F(ReportCommandTest, NoPageIsLeftOfADumpThatCannotBeRead) {
  const std::filesystem::path folder = dump_.folder() + "/pages";
  std::filesystem::create_directory(folder);
  EXPECT_EQ(Run({"report", "/nowhere", "--html", "-o", folder / "page.html"}), kExitBadFile);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_F(HostSideReportTest, WhatDoesNotGoTogetherIsRefused) {
  EXPECT_EQ(Run({"report", dump_.path(), "--html", "--json"}), kExitBadUsage);
  EXPECT_EQ(Run({"report", dump_.path(), "-o", "x"}), kExitBadUsage);
  EXPECT_EQ(Run({"report", dump_.path(), "--html", "-o", "/nowhere/x"}), kExitBadFile);
  EXPECT_THAT(err_.str(), HasSubstr("/nowhere/x"));
}

TEST_F(ReportCommandTest, ADumpWithoutHostsNotesHasNoSuchPart) {
  ASSERT_EQ(Run({"report", dump_.path()}), kExitFine) << err_.str();
  EXPECT_THAT(out_.str(), Not(HasSubstr("The host's side")));
  ASSERT_EQ(Run({"report", dump_.path(), "--json"}), kExitFine) << err_.str();
  EXPECT_TRUE(nlohmann::json::parse(out_.str())["host"].is_null());
}

TEST(NoKernelReportTest, OfAGuestWithoutAKernelTheHostHasItsStory) {
  DumpedGuest dump({.vmcoreinfo = false}, [](LinuxGuest& guest) {
    for (CpuState& cpu : guest.snapshot().cpus) cpu = CpuState{};
    guest.snapshot().more_notes = MadeUpStory().Notes();
  });
  std::ostringstream out, err;
  ASSERT_EQ(RunTool({ReportCommand()}, {"report", dump.path()}, out, err), kExitFine) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("missing    kernel: "));
  EXPECT_THAT(out.str(), HasSubstr("vCPU 1"));
}

}  // namespace
}  // namespace vmm
