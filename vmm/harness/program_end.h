// How far the guest's init came with the user's program, as its mailbox says.
#ifndef VMM_HARNESS_PROGRAM_END_H_
#define VMM_HARNESS_PROGRAM_END_H_

#include <cstdint>
#include <string>

#include "vmm/harness/channel.h"

namespace vmm {

// The guest's word: nothing here was checked.
struct ProgramEnd {
  uint32_t stage = kStageNone;  // ChannelStage, or any other number
  int error = 0;                // errno, if init failed
  uint32_t wait_status = 0;     // valid if stage is kStageEnded
  std::string text;             // the module, folder or step that failed; printable

  bool ended() const { return stage == kStageEnded; }
  bool failed() const { return stage >= kStageModuleFailed && stage <= kStageRootFailed; }
  int signal() const { return static_cast<int>(wait_status & 0x7f); }  // that killed it; 0: none
  int status() const { return static_cast<int>(wait_status >> 8 & 0xff); }
};

// "program ended with status 3", "program killed by signal 11 (Segmentation fault)", "module x could not be loaded:
// Invalid argument". REQUIRES: ended() or failed().
std::string DescribeProgramEnd(const ProgramEnd& end);

}  // namespace vmm

#endif  // VMM_HARNESS_PROGRAM_END_H_
