// The end of a run. The exit code, the last line on stderr and result.json are all made from this one value, so that
// they cannot disagree.
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
#include "vmm/harness/no_program.h"
#include "vmm/harness/program_end.h"
#include "vmm/ktap/test_result.h"
#include "vmm/outcome/death_report.h"
#include "vmm/outcome/fault_site.h"
#include "vmm/outcome/hang_registers.h"
#include "vmm/outcome/live_dump.h"
#include "vmm/outcome/vmport_report.h"
#include "vmm/sandbox/sandbox.h"
#include "vmm/witness/console_scanner.h"
#include "vmm/witness/hang_monitor.h"
#include "vmm/witness/xen_signs.h"

namespace vmm {

struct RunOutcome {
  enum class Kind {
    kPowerOff,
    kGuestExit,  // through the debug-exit port, with guest_status
    kNoProgram,  // the guest cannot run the user's program; see error and no_program
    kLost,       // the guest ended its machine before the user's program had a status
    kPanic,      // see panic
    kReset,
    kHang,  // see hang
    kTimeout,
    kInterrupted,  // see signal
    kVmmError,     // see error
  };
  Kind kind = Kind::kVmmError;
  std::string_view by;  // for power-off and reset: the device that took the request
  uint32_t guest_status = 0;
  bool exit_like_qemu = false;  // --test-device: guest_status V is exit code V * 2 + 1, as with QEMU's isa-debug-exit
  int signal = 0;

  // With a program of the user's.
  std::optional<ProgramEnd> program;  // empty: init has not been heard
  std::optional<NoProgram> no_program;
  bool shell_status = false;  // exit codes are a shell's

  // Kept whether or not a dump was written, and even if the run later ended in another way (a guest whose own crash
  // kernel took over).
  std::optional<PanicEvent> panic;
  uint64_t panics_seen = 0;
  std::optional<XenVictim> xen_victim;  // who died of it, if Xen ran; see NameXenVictim()

  std::optional<Hang> hang;
  std::optional<HangRegisters> hang_registers;  // for every hang after which an NMI was sent, or would have been

  // The place where the loader put the kernel. Empty if no kernel was loaded.
  struct KernelPlace {
    uint64_t physical_base = 0;
    std::optional<uint64_t> kaslr_seed;  // for --kaslr=
  };
  std::optional<KernelPlace> kernel;

  std::optional<CatchReport> catching;  // empty if there was nothing to catch

  // The place where a vCPU could not go on, after a triple fault or an error from KVM.
  std::optional<FaultSite> fault;

  // The traces of a bad end in the guest's memory.
  std::optional<DeathReport> death;

  // The first lines of trouble from the console, and how many there were in all.
  std::vector<ConsoleWitness> console;
  uint64_t console_seen = 0;

  // The host's account of each vCPU, in vCPU order.
  struct VcpuAccount {
    uint64_t exits = 0;        // exits to this program
    absl::Duration ran;        // time that its thread spent on a host CPU
    absl::Duration waited;     // time that its thread waited for a host CPU
    std::vector<KvmStat> kvm;  // KVM's counters; empty if KVM has none
  };
  std::vector<VcpuAccount> vcpus;

  std::optional<VmportReport> vmport;  // empty without --vmport

  std::optional<ResultTree> tests;  // empty without --ktap and --junit

  LiveDumps live;  // dumps of the guest while it lived

  std::optional<VmcoreReport> dump;
  std::string earlier_dump;  // with --dump-once: the path of the dump that an earlier death of this kind left
  absl::Duration dump_time;
  absl::Status dump_error;  // why a requested dump is missing, for each directory tried

  absl::Status error;  // kVmmError, kNoProgram

  SandboxReport sandbox;

  absl::Status record_error;  // why the record for --result could not be written

  absl::Duration load_time;  // from the start of the VMM to the guest's first instruction
  absl::Duration run_time;   // from there to the end
};

// "power-off", "panic", "triple-fault", ...: stable words, used in result.json.
std::string_view OutcomeName(const RunOutcome& outcome);

int ExitCodeOf(const RunOutcome& outcome);

// True if the user's program ended by itself and the exit code is its own status: nothing needs to be said.
bool IsProgramsOwnEnd(const RunOutcome& outcome);

// Returns a name for ends of this kind that can serve as a file name: the crash signature or, if the guest's memory
// gives none, the words of the record, for example "hang-livelock" or "panic-pvpanic". REQUIRES: a panic or hang.
std::string SignatureOf(const RunOutcome& outcome);

// Returns the last line on stderr, without newline: what happened, what remains of it, the exit code.
std::string OutcomeLine(const RunOutcome& outcome);

}  // namespace vmm

#endif  // VMM_OUTCOME_RUN_OUTCOME_H_
