#include "vmm/run/keep_end.h"

#include <cerrno>
#include <csignal>
#include <vector>

#include "absl/time/time.h"

namespace vmm {
namespace {

RunOutcome::Kind KindOf(const GuestRequest& request) {
  switch (request.kind) {
    case GuestRequest::Kind::kPowerOff: return RunOutcome::Kind::kPowerOff;
    case GuestRequest::Kind::kReset: return RunOutcome::Kind::kReset;
    case GuestRequest::Kind::kExit: return RunOutcome::Kind::kGuestExit;
  }
  return RunOutcome::Kind::kVmmError;
}

void KeepRequest(const GuestRequest& request, RunOutcome& outcome) {
  outcome.kind = KindOf(request);
  outcome.by = request.by;
  outcome.guest_status = request.status;
}

}  // namespace

bool HandedOver(const std::optional<PanicEvent>& panic) { return panic.has_value() && panic->crash_loaded; }

void KeepEnd(RunEnd end, const EventLoop& loop, const RunEvents& events, RunOutcome& outcome) {
  outcome.panic = events.panic();
  outcome.panics_seen = events.panics_seen();
  switch (end) {
    case RunEnd::kPanic: outcome.kind = RunOutcome::Kind::kPanic; break;
    case RunEnd::kRequest: KeepRequest(*events.request(), outcome); break;
    case RunEnd::kTimeout: outcome.kind = RunOutcome::Kind::kTimeout; break;
    case RunEnd::kHang:
    case RunEnd::kWatchdog: outcome.kind = RunOutcome::Kind::kHang; break;
    case RunEnd::kHostFailure:
      outcome.kind = RunOutcome::Kind::kVmmError;
      outcome.error = events.host_failure();
      break;
    case RunEnd::kUserQuit:
      outcome.kind = RunOutcome::Kind::kInterrupted;
      outcome.signal = SIGINT;
      break;
    case RunEnd::kSignal:
      outcome.kind = RunOutcome::Kind::kInterrupted;
      outcome.signal = loop.signal();
      break;
  }
  // A guest that handed over to its own crash kernel has panicked, however that kernel ended.
  const bool by_user = end == RunEnd::kSignal || end == RunEnd::kUserQuit;
  if (HandedOver(outcome.panic) && !by_user) outcome.kind = RunOutcome::Kind::kPanic;
}

void KeepProgramEnd(const ProgramEnd& end, bool shell_status, RunOutcome& outcome) {
  outcome.shell_status = shell_status;
  if (end.stage != kStageNone) outcome.program = end;
  const bool powered_off = outcome.kind == RunOutcome::Kind::kPowerOff;
  if (powered_off && end.stage == kStageNone && !end.text.empty()) {
    outcome.kind = RunOutcome::Kind::kNoProgram;
    outcome.no_program = NoProgram::kCannotExecute;
    outcome.error = absl::FailedPreconditionError("no program can run in this guest: " + end.text);
    return;
  }
  if (powered_off) outcome.kind = RunOutcome::Kind::kLost;
  if (outcome.kind != RunOutcome::Kind::kGuestExit) return;
  // Where the kernel has only /dev/port, a status comes through the port as a byte; the mailbox has all of it.
  if (end.ended()) {
    const int status = end.signal() != 0 ? 128 + end.signal() : end.status();
    outcome.guest_status = static_cast<uint32_t>(status);
  }
  if (end.failed()) {
    const bool program = end.stage == kStageProgramFailed;
    outcome.kind = program ? RunOutcome::Kind::kNoProgram : RunOutcome::Kind::kVmmError;
    if (program) outcome.no_program = end.error == ENOENT ? NoProgram::kNotFound : NoProgram::kCannotExecute;
    outcome.error = absl::AbortedError(DescribeProgramEnd(end));
  }
}

void KeepAccounts(std::span<const std::unique_ptr<FlightRecorder>> recorders, const KvmStatistics& kvm,
                  RunOutcome& outcome) {
  for (size_t id = 0; id < recorders.size(); ++id) {
    const FlightNoteHeader account = recorders[id]->header();
    outcome.vcpus.push_back({.exits = account.exits,
                             .ran = absl::Nanoseconds(account.run_ns),
                             .waited = absl::Nanoseconds(account.wait_ns),
                             .kvm = id < kvm.vcpus.size() ? kvm.vcpus[id] : std::vector<KvmStat>()});
  }
}

}  // namespace vmm
