#include "vmm/outcome/explain_end.h"

#include <unistd.h>

#include "dump/testing/linux_guest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

class ExplainEndTest : public testing::Test {
 protected:
  RunOutcome Explain() {
    RunOutcome outcome;
    outcome.kind = RunOutcome::Kind::kPanic;
    outcome.panic = PanicEvent{.source = PanicSource::kTripleFault, .vcpu = 0};
    ExplainEnd(VmConfig(), snapshot_, FindKernel(snapshot_), /*stop_fd=*/-1, outcome);
    return outcome;
  }

  LinuxGuest guest_;
  VmSnapshot snapshot_ = guest_.snapshot();
};

TEST_F(ExplainEndTest, ATripleFaultIsToldWithItsPlace) {
  const RunOutcome outcome = Explain();
  ASSERT_TRUE(outcome.fault.has_value());
  EXPECT_EQ(outcome.fault->vcpu, 0);
}

TEST_F(ExplainEndTest, RegistersThatTheHostHasResetGiveNoStackAndNoSignature) {
  CpuState& cpu = snapshot_.cpus[0];
  cpu = CpuState{.started = true};
  cpu.rip = 0xfff0;
  cpu.cs = {.selector = 0xf000, .base = 0xffff0000};
  cpu.cr0 = 0x60000010;
  const RunOutcome outcome = Explain();
  ASSERT_TRUE(outcome.fault.has_value());
  EXPECT_TRUE(outcome.fault->registers_lost);
  EXPECT_THAT(outcome.death->stack, testing::IsEmpty());
  EXPECT_EQ(outcome.death->signature, "");
}

// Registers that the host itself has are told; only the memory's part is missing.
TEST_F(ExplainEndTest, AStopSignalEndsTheExplanationAndTheRecordSaysSo) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  RunOutcome outcome;
  outcome.kind = RunOutcome::Kind::kPanic;
  outcome.panic = PanicEvent{.source = PanicSource::kTripleFault, .vcpu = 0};
  ExplainEnd(VmConfig(), snapshot_, FindKernel(snapshot_), ends[0], outcome);
  EXPECT_THAT(outcome.death->missing,
              testing::ElementsAre("the explanation of the end was given up: a signal ended it"));
  EXPECT_TRUE(outcome.fault.has_value());
  EXPECT_EQ(SignatureOf(outcome), "triple-fault");
  close(ends[0]), close(ends[1]);
}

TEST_F(ExplainEndTest, RegistersThatCouldNotBeReadAreNoPlace) {
  snapshot_.cpus[0] = CpuState{.started = false};
  EXPECT_FALSE(Explain().fault.has_value());
}

// A run that ended as `kind` after its console printed `line`.
RunOutcome After(RunOutcome::Kind kind, std::string line) {
  RunOutcome outcome;
  outcome.kind = kind;
  outcome.console = {{.sign = KernelSign::kWarning, .line = "WARNING: CPU: 0 PID: 1 at x.c:1 f+0x1/0x2"},
                     {.sign = KernelSign::kPanic, .line = std::move(line)}};
  return outcome;
}

constexpr char kPanicLine[] = "Kernel panic - not syncing: x";

TEST(PromoteConsolePanicTest, WhereNothingBetterCouldSeeThePanicTheConsoleIsBelieved) {
  for (const auto kind : {RunOutcome::Kind::kReset, RunOutcome::Kind::kTimeout}) {
    RunOutcome uncaught = After(kind, kPanicLine);
    RunOutcome not_planted = uncaught, other_planted = uncaught;
    not_planted.catching = CatchReport{.why_none = "no symbols"};
    other_planted.catching = CatchReport{.points = {{.kind = CatchKind::kWarn, .function = "__warn"}}};
    for (RunOutcome* outcome : {&uncaught, &not_planted, &other_planted}) {
      PromoteConsolePanic(*outcome);
      EXPECT_EQ(outcome->kind, RunOutcome::Kind::kPanic);
      ASSERT_TRUE(outcome->panic.has_value());
      EXPECT_EQ(outcome->panic->source, PanicSource::kConsole);
      EXPECT_EQ(outcome->panic->detail, kPanicLine);
    }
  }
}

TEST(PromoteConsolePanicTest, AResetStaysOneIfTheCatchThatWasPlantedDidNotFire) {
  for (const auto kind : {RunOutcome::Kind::kReset, RunOutcome::Kind::kTimeout}) {
    RunOutcome outcome = After(kind, kPanicLine);
    outcome.catching = CatchReport{.points = {{.kind = CatchKind::kPanic, .function = "native_stop_other_cpus"}}};
    PromoteConsolePanic(outcome);
    EXPECT_EQ(outcome.kind, kind);
    EXPECT_FALSE(outcome.panic.has_value());
  }
}

TEST(NameXenVictimTest, TheFirstDeathOnTheConsoleOfXenNamesWhoDied) {
  const auto victim_of = [](std::vector<ConsoleWitness> console, bool multiboot = true) {
    RunOutcome outcome{.kind = RunOutcome::Kind::kPanic, .panic = PanicEvent{.source = PanicSource::kPvpanic}};
    outcome.console = std::move(console);
    NameXenVictim(multiboot, outcome);
    return outcome.xen_victim;
  };
  const ConsoleWitness oops{KernelSign::kOops, "Oops: 0002 [#1] SMP", {}};
  const ConsoleWitness linux_panic{KernelSign::kPanic, "Kernel panic - not syncing: sysrq triggered crash", {}};
  const ConsoleWitness dom0{KernelSign::kPanic, "(XEN) Hardware Dom0 crashed: rebooting machine in 5 seconds.", {}};
  const ConsoleWitness xen{KernelSign::kPanic, "(XEN) Panic on CPU 0:", {}};
  EXPECT_EQ(victim_of({oops, linux_panic}), XenVictim::kDom0);
  EXPECT_EQ(victim_of({dom0, xen}), XenVictim::kDom0);
  EXPECT_EQ(victim_of({xen, dom0}), XenVictim::kXen);
  EXPECT_EQ(victim_of({oops}), std::nullopt);
  EXPECT_EQ(victim_of({linux_panic}, /*multiboot=*/false), std::nullopt);
}

TEST(PromoteConsolePanicTest, OtherEndsAndOtherSignsAreLeftAlone) {
  RunOutcome power_off = After(RunOutcome::Kind::kPowerOff, kPanicLine);
  PromoteConsolePanic(power_off);
  EXPECT_EQ(power_off.kind, RunOutcome::Kind::kPowerOff);
  RunOutcome warned = After(RunOutcome::Kind::kReset, kPanicLine);
  warned.console.pop_back();
  PromoteConsolePanic(warned);
  EXPECT_EQ(warned.kind, RunOutcome::Kind::kReset);
}

TEST(PromoteConsolePanicTest, TheWordsOfAnEarlyExceptionAloneAreNotBelieved) {
  RunOutcome outcome =
      After(RunOutcome::Kind::kTimeout, "PANIC: early exception 0x0e IP 10:ffffffff81000000 error 0 cr2 0x0");
  PromoteConsolePanic(outcome);
  EXPECT_EQ(outcome.kind, RunOutcome::Kind::kTimeout);
}

}  // namespace
}  // namespace vmm
