#include "vmm/run/keep_end.h"

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
