// How a run ended: one value, from which the exit code, the last line on stderr and
// result.json are all made, so that they cannot disagree.
#ifndef VMM_OUTCOME_RUN_OUTCOME_H_
#define VMM_OUTCOME_RUN_OUTCOME_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/panic_event.h"
#include "dump/flight/kvm_stats_note.h"
#include "dump/write/write_vmcore.h"
#include "vmm/catch/catch_config.h"
#include "vmm/outcome/death_report.h"
#include "vmm/outcome/fault_site.h"
#include "vmm/outcome/hang_registers.h"
#include "vmm/outcome/vmport_report.h"
#include "vmm/witness/console_scanner.h"
#include "vmm/witness/hang_monitor.h"

namespace vmm {

struct RunOutcome {
  enum class Kind {
    kPowerOff,
    kGuestExit,  // by the debug-exit port, with guest_status
    kPanic,      // see panic
    kReset,
    kHang,  // see hang
    kTimeout,
    kInterrupted,  // see signal
    kVmmError,     // see error
  };
  Kind kind = Kind::kVmmError;
  std::string_view by;  // power-off and reset: the device that was asked
  uint32_t guest_status = 0;
  int signal = 0;

  // Kept whatever became of the dump, and also where the run ended in another way after it
  // (a guest whose own crash kernel took over).
  std::optional<PanicEvent> panic;
  uint64_t panics_seen = 0;

  std::optional<Hang> hang;
  std::optional<HangRegisters> hang_registers;  // of every hang that was asked by an NMI, or would have been

  // Where the kernel was put, if it was.
  struct KernelPlace {
    uint64_t physical_base = 0;
    std::optional<uint64_t> kaslr_seed;  // for --kaslr=
  };
  std::optional<KernelPlace> kernel;

  std::optional<CatchReport> catching;  // none where nothing was to be caught

  // Where the vCPU stood that could not go on, of a triple fault or KVM's errors.
  std::optional<FaultSite> fault;

  // What the guest's memory says of its end, where that was a bad one.
  std::optional<DeathReport> death;

  // What the console said of trouble; the first lines of it, and how many there were.
  std::vector<ConsoleWitness> console;
  uint64_t console_seen = 0;

  // The host's account of each vCPU, in vCPU order.
  struct VcpuAccount {
    uint64_t exits = 0;        // to this program
    absl::Duration ran;        // its thread, on a host CPU
    absl::Duration waited;     // its thread, for a host CPU
    std::vector<KvmStat> kvm;  // what KVM counted; empty where it counts nothing
  };
  std::vector<VcpuAccount> vcpus;

  std::optional<VmportReport> vmport;  // where there was --vmport

  std::optional<VmcoreReport> dump;
  std::string earlier_dump;  // with --dump-once: the path of the one that an earlier death of this kind left
  absl::Duration dump_time;
  absl::Status dump_error;  // why there is no dump where one was wanted; of each directory tried

  absl::Status error;  // kVmmError

  absl::Status record_error;  // why the record that --result asked for could not be written

  absl::Duration load_time;  // start of the VMM to the guest's first instruction
  absl::Duration run_time;   // from there to the end
};

// "power-off", "panic", "triple-fault", ...: stable words, used in result.json.
std::string_view OutcomeName(const RunOutcome& outcome);

int ExitCodeOf(const RunOutcome& outcome);

// A name for ends of this kind, which can be a file's: the crash signature, and where the guest's memory tells none the
// words of the record, such as "hang-livelock" or "panic-pvpanic". REQUIRES: a panic or hang.
std::string SignatureOf(const RunOutcome& outcome);

// The last line on stderr, without newline: what happened, what is left of it, the exit code.
std::string OutcomeLine(const RunOutcome& outcome);

}  // namespace vmm

#endif  // VMM_OUTCOME_RUN_OUTCOME_H_
