// The exit codes that docs/exit-codes.md promises. Harnesses may rely on each of them.
#ifndef VMM_OUTCOME_EXIT_CODE_H_
#define VMM_OUTCOME_EXIT_CODE_H_

namespace vmm {

enum ExitCode : int {
  kExitPowerOff = 0,          // clean power-off, or the guest's own status 0
  kExitGuestStatusMax = 119,  // 1-119: the guest's own status; larger ones are reported as 119
  kExitPanic = 120,
  kExitTripleFault = 121,
  kExitHang = 122,
  kExitReset = 123,
  kExitLost = 123,  // a power-off before the program's status was known: as with a reset, nobody knows how it went
  kExitTimeout = 124,
  kExitVmmError = 125,         // the VMM could not do its work: bad flag, no KVM, bad image, no place for the record
  kExitDumpFailed = 126,       // the guest's panic was handled, but no dump could be written
  kExitProgramNotFound = 127,  // or it is none that the guest can run
  kExitSignalBase = 128,       // + the signal's number: a signal told the VMM to stop
};

}  // namespace vmm

#endif  // VMM_OUTCOME_EXIT_CODE_H_
