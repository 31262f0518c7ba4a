#include "vmm/run/keep_end.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vmm {
namespace {

using testing::HasSubstr;
using Kind = RunOutcome::Kind;

RunOutcome Kept(Kind kind, uint32_t guest_status, const ProgramEnd& end, bool shell = false) {
  RunOutcome outcome{.kind = kind, .guest_status = guest_status};
  KeepProgramEnd(end, shell, outcome);
  return outcome;
}

TEST(KeepProgramEndTest, AStatusIsPassedOnAndSaysNothingMore) {
  const RunOutcome outcome = Kept(Kind::kGuestExit, 7, {.stage = kStageEnded, .wait_status = 7 << 8});
  EXPECT_EQ(ExitCodeOf(outcome), 7);
  EXPECT_TRUE(IsProgramsOwnEnd(outcome));
  EXPECT_EQ(OutcomeLine(outcome), "program ended with status 7 [exit 7]");
}

TEST(KeepProgramEndTest, AStatusThatOnlyTheMailboxHasWholeIsTakenFromThere) {
  EXPECT_EQ(Kept(Kind::kGuestExit, 0x8b, {.stage = kStageEnded, .wait_status = 11 | 0x80}).guest_status, 139u);
}

TEST(KeepProgramEndTest, AStatusFrom120OnIsOursUnlessAShellsIsWanted) {
  const ProgramEnd end{.stage = kStageEnded, .wait_status = 127 << 8};
  EXPECT_EQ(ExitCodeOf(Kept(Kind::kGuestExit, 127, end)), 119);
  EXPECT_FALSE(IsProgramsOwnEnd(Kept(Kind::kGuestExit, 127, end)));
  EXPECT_EQ(ExitCodeOf(Kept(Kind::kGuestExit, 127, end, /*shell=*/true)), 127);
  EXPECT_TRUE(IsProgramsOwnEnd(Kept(Kind::kGuestExit, 127, end, /*shell=*/true)));
}

TEST(KeepProgramEndTest, ADeathBySignalNamesIt) {
  const RunOutcome outcome = Kept(Kind::kGuestExit, 139, {.stage = kStageEnded, .wait_status = 11});
  EXPECT_EQ(ExitCodeOf(outcome), 119);
  EXPECT_THAT(OutcomeLine(outcome), HasSubstr("killed by signal 11 (Segmentation fault)"));
}

TEST(KeepProgramEndTest, APowerOffWithoutAStatusIsLostAndNoSuccess) {
  const RunOutcome heard = Kept(Kind::kPowerOff, 0, {.stage = kStageRunning});
  EXPECT_EQ(OutcomeName(heard), "lost");
  EXPECT_EQ(ExitCodeOf(heard), 123);
  EXPECT_THAT(OutcomeLine(heard), HasSubstr("before the program had ended"));
  const RunOutcome unheard = Kept(Kind::kPowerOff, 0, {});
  EXPECT_FALSE(unheard.program.has_value());
  EXPECT_THAT(OutcomeLine(unheard), HasSubstr("CONFIG_DEVMEM"));
}

TEST(KeepProgramEndTest, AnInitThatSaysWhyItCannotReachUsIsNotLost) {
  const ProgramEnd end{.text = "the kernel forbids /dev/mem"};
  const RunOutcome outcome = Kept(Kind::kPowerOff, 0, end);
  EXPECT_EQ(OutcomeName(outcome), "no-program");
  EXPECT_EQ(OutcomeLine(outcome), "no program can run in this guest: the kernel forbids /dev/mem [exit 127]");
  EXPECT_EQ(ExitCodeOf(Kept(Kind::kPowerOff, 0, end, /*shell=*/true)), 126);
  EXPECT_EQ(OutcomeName(Kept(Kind::kReset, 0, end)), "reset");
}

TEST(KeepProgramEndTest, AProgramThatTheGuestCannotExecuteHasTheCodeForThat) {
  const RunOutcome outcome = Kept(Kind::kGuestExit, 127, {.stage = kStageProgramFailed, .error = 8});
  EXPECT_EQ(OutcomeName(outcome), "no-program");
  EXPECT_EQ(ExitCodeOf(outcome), 127);
  EXPECT_EQ(ExitCodeOf(Kept(Kind::kGuestExit, 127, {.stage = kStageProgramFailed, .error = 8}, true)), 126);
  EXPECT_EQ(ExitCodeOf(Kept(Kind::kGuestExit, 127, {.stage = kStageProgramFailed, .error = 2}, true)), 127);
}

TEST(KeepProgramEndTest, AModuleThatDoesNotLoadIsNotTheProgramsFault) {
  const RunOutcome outcome =
      Kept(Kind::kGuestExit, 255, {.stage = kStageModuleFailed, .error = 22, .text = "/.vmm/modules/x.ko"});
  EXPECT_EQ(ExitCodeOf(outcome), 125);
  EXPECT_THAT(OutcomeLine(outcome), HasSubstr("/.vmm/modules/x.ko: Invalid argument"));
}

TEST(KeepProgramEndTest, ARootThatCannotBeEnteredSaysWhatTheKernelNeeds) {
  const RunOutcome outcome = Kept(Kind::kGuestExit, 255, {.stage = kStageRootFailed, .error = 19, .text = "virtiofs"});
  EXPECT_EQ(ExitCodeOf(outcome), 125);
  EXPECT_THAT(OutcomeLine(outcome), HasSubstr("(virtiofs): No such device; its kernel needs virtio_mmio"));
}

TEST(KeepProgramEndTest, APanicStaysAPanicWhateverTheMailboxSays) {
  RunOutcome outcome{.kind = Kind::kPanic, .panic = PanicEvent{.source = PanicSource::kTrap}};
  KeepProgramEnd({.stage = kStageEnded, .wait_status = 0}, /*shell_status=*/true, outcome);
  EXPECT_EQ(ExitCodeOf(outcome), 120);
  EXPECT_FALSE(IsProgramsOwnEnd(outcome));
}

}  // namespace
}  // namespace vmm
