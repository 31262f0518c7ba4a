#include "vmm/run/ask_by_nmi.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/log.h"

namespace vmm {

HangRegisters AskByNmi(const Hang& hang, Machine& machine, VcpuThreads& threads, const ConsoleScanner& console,
                       absl::Duration panic_grace, EventLoop& loop) {
  constexpr absl::Duration kSilence = absl::Seconds(2), kAnswer = absl::Seconds(20), kPatience = absl::Seconds(1);
  HangRegisters registers;
  LogInfo(absl::StrFormat("the guest hangs: %s; sending an NMI", hang.detail));
  registers.note.before = threads.Look(kPatience);
  TellWhereVcpusStand(registers.note);
  const int vcpu = std::max(hang.vcpu, 0);
  if (const absl::Status sent = machine.InjectNmi(vcpu); !sent.ok()) {
    registers.nmi_error = std::string(sent.message());
    LogInfo(registers.nmi_error);
    return registers;
  }
  registers.note.nmi_vcpu = vcpu;
  loop.WaitForAnswer(
      kSilence, [&console] { return console.bytes(); }, absl::Now() + kAnswer, panic_grace);
  return registers;
}

}  // namespace vmm
