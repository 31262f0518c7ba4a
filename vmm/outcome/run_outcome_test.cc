#include "vmm/outcome/run_outcome.h"

#include "gtest/gtest.h"
#include "vmm/outcome/exit_code.h"

namespace vmm {
namespace {

RunOutcome Panicked(PanicSource source) {
  return {.kind = RunOutcome::Kind::kPanic, .panic = PanicEvent{.source = source, .vcpu = 1}};
}

TEST(RunOutcomeTest, EachEndHasTheExitCodeThatIsPromised) {
  EXPECT_EQ(ExitCodeOf({.kind = RunOutcome::Kind::kPowerOff}), 0);
  EXPECT_EQ(ExitCodeOf({.kind = RunOutcome::Kind::kGuestExit, .guest_status = 42}), 42);
  EXPECT_EQ(ExitCodeOf(Panicked(PanicSource::kPvpanic)), 120);
  EXPECT_EQ(ExitCodeOf(Panicked(PanicSource::kInternalError)), 120);
  EXPECT_EQ(ExitCodeOf(Panicked(PanicSource::kTripleFault)), 121);
  EXPECT_EQ(ExitCodeOf({.kind = RunOutcome::Kind::kReset}), 123);
  EXPECT_EQ(ExitCodeOf({.kind = RunOutcome::Kind::kTimeout}), 124);
  EXPECT_EQ(ExitCodeOf({.kind = RunOutcome::Kind::kVmmError}), 125);
  EXPECT_EQ(ExitCodeOf({.kind = RunOutcome::Kind::kInterrupted, .signal = 15}), 143);
}

TEST(RunOutcomeTest, AGuestStatusNeverPassesForOneOfOurs) {
  EXPECT_EQ(ExitCodeOf({.kind = RunOutcome::Kind::kGuestExit, .guest_status = 119}), 119);
  EXPECT_EQ(ExitCodeOf({.kind = RunOutcome::Kind::kGuestExit, .guest_status = 120}), 119);
  EXPECT_EQ(ExitCodeOf({.kind = RunOutcome::Kind::kGuestExit, .guest_status = 0xffffffff}), 119);
}

TEST(RunOutcomeTest, WithATestDeviceAStatusIsQemusFormula) {
  RunOutcome outcome{.kind = RunOutcome::Kind::kGuestExit, .guest_status = 0, .exit_like_qemu = true};
  EXPECT_EQ(ExitCodeOf(outcome), 1);
  outcome.guest_status = 1;
  EXPECT_EQ(ExitCodeOf(outcome), 3);
  outcome.guest_status = 0xffffffff;
  EXPECT_EQ(ExitCodeOf(outcome), 255);
  EXPECT_EQ(ExitCodeOf({.kind = RunOutcome::Kind::kPowerOff, .exit_like_qemu = true}), 0);
  EXPECT_EQ(ExitCodeOf({.kind = RunOutcome::Kind::kTimeout, .exit_like_qemu = true}), 124);
}

TEST(RunOutcomeTest, APanicWhoseDumpFailedIsStillReportedAsAPanic) {
  RunOutcome outcome = Panicked(PanicSource::kPvpanic);
  outcome.dump_error = absl::ResourceExhaustedError("disk full");
  EXPECT_EQ(ExitCodeOf(outcome), kExitDumpFailed);
  EXPECT_EQ(OutcomeName(outcome), "panic");
  EXPECT_EQ(OutcomeLine(outcome), "panic (pvpanic) on vCPU 1; dump failed: disk full [exit 126]");
}

TEST(RunOutcomeTest, TheLastLineNamesTheDump) {
  RunOutcome outcome = Panicked(PanicSource::kPvpanic);
  outcome.dump = VmcoreReport{.path = "/tmp/vmcore", .data_bytes = 3 << 20};
  outcome.dump_time = absl::Milliseconds(40);
  EXPECT_EQ(OutcomeLine(outcome), "panic (pvpanic) on vCPU 1; dump /tmp/vmcore (3.0 MiB in 0.04 s) [exit 120]");
}

TEST(RunOutcomeTest, ARecordThatIsMissingIs125WhateverTheGuestDidAndTheLineSaysBoth) {
  RunOutcome outcome{.kind = RunOutcome::Kind::kPowerOff, .by = "acpi"};
  outcome.record_error = absl::ResourceExhaustedError("--result=/dev/full: No space left on device");
  EXPECT_EQ(ExitCodeOf(outcome), 125);
  EXPECT_EQ(OutcomeName(outcome), "power-off");
  EXPECT_EQ(OutcomeLine(outcome),
            "power-off (acpi); no record: --result=/dev/full: No space left on device [exit 125]");
}

}  // namespace
}  // namespace vmm
