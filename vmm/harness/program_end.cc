#include "vmm/harness/program_end.h"

#include <cstring>

#include "absl/strings/str_format.h"

namespace vmm {

std::string DescribeProgramEnd(const ProgramEnd& end) {
  // NOLINTBEGIN(concurrency-mt-unsafe): glibc's strerror and strsignal have a buffer for each thread.
  switch (end.stage) {
    case kStageModuleFailed: return absl::StrFormat("the guest could not load %s: %s", end.text, strerror(end.error));
    case kStageFolderFailed:
      return absl::StrFormat("the guest could not enter the working directory: %s", strerror(end.error));
    case kStageProgramFailed:
      return absl::StrFormat("the guest could not execute the program: %s", strerror(end.error));
    case kStagePlanFailed: return absl::StrFormat("the guest's init failed (%s): %s", end.text, strerror(end.error));
    case kStageRootFailed:
      return absl::StrFormat(
          "the guest could not enter the root of --rootfs (%s): %s; its kernel needs virtio_mmio, virtiofs and, "
          "without "
          ",ro or ,rw, overlay, built in or as modules: --modules-dir=DIR names them",
          end.text, strerror(end.error));
    default: break;
  }
  if (end.signal() == 0) return absl::StrFormat("program ended with status %d", end.status());
  return absl::StrFormat("program killed by signal %d (%s)%s", end.signal(), strsignal(end.signal()),
                         (end.wait_status & 0x80) != 0 ? ", core dumped" : "");
  // NOLINTEND(concurrency-mt-unsafe)
}

}  // namespace vmm
