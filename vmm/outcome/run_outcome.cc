#include "vmm/outcome/run_outcome.h"

#include <cstring>

#include "absl/strings/str_format.h"
#include "vmm/outcome/exit_code.h"

namespace vmm {
namespace {

bool IsTripleFault(const RunOutcome& outcome) {
  return outcome.panic.has_value() && outcome.panic->source == PanicSource::kTripleFault;
}

std::string DescribePanic(const RunOutcome& outcome) {
  const PanicEvent& panic = *outcome.panic;
  std::string text =
      IsTripleFault(outcome) ? "triple fault" : absl::StrFormat("panic (%s)", PanicSourceName(panic.source));
  if (outcome.xen_victim.has_value()) text += absl::StrFormat(" of %s", XenVictimName(*outcome.xen_victim));
  if (panic.vcpu >= 0) text += absl::StrFormat(" on vCPU %d", panic.vcpu);
  if (outcome.death.has_value() && !outcome.death->message.empty()) return text + ": " + outcome.death->message;
  // For pvpanic the detail only says in other words that the guest panicked.
  if (panic.source != PanicSource::kPvpanic && !panic.detail.empty()) text += ", " + panic.detail;
  return text;
}

std::string DescribeDump(const RunOutcome& outcome) {
  if (!outcome.dump_error.ok()) return "; dump failed: " + std::string(outcome.dump_error.message());
  if (!outcome.earlier_dump.empty()) return "; an earlier one of its kind is in " + outcome.earlier_dump;
  if (!outcome.dump.has_value()) return "";
  const double mib = static_cast<double>(outcome.dump->data_bytes) / (1 << 20);
  return absl::StrFormat("; dump %s (%.1f MiB in %.2f s)", outcome.dump->path, mib,
                         absl::ToDoubleSeconds(outcome.dump_time));
}

std::string DescribeRecord(const RunOutcome& outcome) {
  if (outcome.record_error.ok()) return "";
  return "; no record: " + std::string(outcome.record_error.message());
}

std::string DescribeLoss(const RunOutcome& outcome) {
  if (outcome.program.has_value()) {
    return absl::StrFormat("lost: the guest powered off (%s) before the program had ended", outcome.by);
  }
  return absl::StrFormat(
      "lost: the guest powered off (%s), and its init could not reach vmm: the kernel needs CONFIG_DEVMEM=y, no "
      "lockdown "
      "and an initramfs; --verbose shows its console",
      outcome.by);
}

std::string Describe(const RunOutcome& outcome) {
  switch (outcome.kind) {
    case RunOutcome::Kind::kPowerOff: return absl::StrFormat("power-off (%s)", outcome.by);
    case RunOutcome::Kind::kGuestExit:
      if (outcome.program.has_value() && outcome.program->ended()) return DescribeProgramEnd(*outcome.program);
      return absl::StrFormat("guest exit, status %d", outcome.guest_status);
    case RunOutcome::Kind::kNoProgram: return std::string(outcome.error.message());
    case RunOutcome::Kind::kLost: return DescribeLoss(outcome);
    case RunOutcome::Kind::kPanic: return DescribePanic(outcome) + DescribeDump(outcome);
    case RunOutcome::Kind::kReset: return absl::StrFormat("reset (%s)", outcome.by);
    case RunOutcome::Kind::kHang: return "hang: " + outcome.hang->detail + DescribeDump(outcome);
    case RunOutcome::Kind::kTimeout:
      return absl::StrFormat("time-out after %s", absl::FormatDuration(outcome.run_time));
    case RunOutcome::Kind::kInterrupted: return absl::StrFormat("stopped by signal: %s", strsignal(outcome.signal));
    case RunOutcome::Kind::kVmmError: return std::string(outcome.error.message());
  }
  return "unknown";
}

}  // namespace

std::string_view OutcomeName(const RunOutcome& outcome) {
  switch (outcome.kind) {
    case RunOutcome::Kind::kPowerOff: return "power-off";
    case RunOutcome::Kind::kGuestExit: return "guest-exit";
    case RunOutcome::Kind::kNoProgram: return "no-program";
    case RunOutcome::Kind::kLost: return "lost";
    case RunOutcome::Kind::kPanic: return IsTripleFault(outcome) ? "triple-fault" : "panic";
    case RunOutcome::Kind::kReset: return "reset";
    case RunOutcome::Kind::kHang: return "hang";
    case RunOutcome::Kind::kTimeout: return "timeout";
    case RunOutcome::Kind::kInterrupted: return "interrupted";
    case RunOutcome::Kind::kVmmError: return "vmm-error";
  }
  return "unknown";
}

int ExitCodeOf(const RunOutcome& outcome) {
  // A harness would look for a record, and find none or an old one.
  if (!outcome.record_error.ok()) return kExitVmmError;
  switch (outcome.kind) {
    case RunOutcome::Kind::kPowerOff: return kExitPowerOff;
    case RunOutcome::Kind::kNoProgram:
      return outcome.shell_status && outcome.no_program.has_value() ? static_cast<int>(*outcome.no_program)
                                                                    : kExitProgramNotFound;
    case RunOutcome::Kind::kLost: return kExitLost;
    case RunOutcome::Kind::kGuestExit:
      if (outcome.shell_status) return static_cast<int>(outcome.guest_status & 0xff);
      // A parent sees the low byte of an exit code only.
      if (outcome.exit_like_qemu) return static_cast<int>((outcome.guest_status << 1 | 1) & 0xff);
      return outcome.guest_status < kExitGuestStatusMax ? static_cast<int>(outcome.guest_status) : kExitGuestStatusMax;
    case RunOutcome::Kind::kPanic:
      if (!outcome.dump_error.ok()) return kExitDumpFailed;
      return IsTripleFault(outcome) ? kExitTripleFault : kExitPanic;
    case RunOutcome::Kind::kReset: return kExitReset;
    case RunOutcome::Kind::kHang: return outcome.dump_error.ok() ? kExitHang : kExitDumpFailed;
    case RunOutcome::Kind::kTimeout: return kExitTimeout;
    case RunOutcome::Kind::kInterrupted: return kExitSignalBase + outcome.signal;
    case RunOutcome::Kind::kVmmError: return kExitVmmError;
  }
  return kExitVmmError;
}

bool IsProgramsOwnEnd(const RunOutcome& outcome) {
  return outcome.kind == RunOutcome::Kind::kGuestExit && outcome.program.has_value() && outcome.program->ended() &&
         static_cast<uint32_t>(ExitCodeOf(outcome)) == outcome.guest_status;
}

std::string SignatureOf(const RunOutcome& outcome) {
  if (outcome.death.has_value() && !outcome.death->signature.empty()) return outcome.death->signature;
  if (outcome.hang.has_value()) return absl::StrFormat("hang-%s", HangKindName(outcome.hang->kind));
  if (!outcome.panic.has_value() || IsTripleFault(outcome)) return std::string(OutcomeName(outcome));
  return absl::StrFormat("%s-%s", OutcomeName(outcome), PanicSourceName(outcome.panic->source));
}

std::string OutcomeLine(const RunOutcome& outcome) {
  return absl::StrFormat("%s%s [exit %d]", Describe(outcome), DescribeRecord(outcome), ExitCodeOf(outcome));
}

}  // namespace vmm
