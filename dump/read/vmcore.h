// Any vmcore, opened: ours, QEMU's, cloud-hypervisor's, kdump's. Everything that reads dumps offline
// begins here, and does not know which it has.
//
// What stands in the file is anybody's word. It is checked as it is read; a file of which nothing can
// be made is refused with a reason, and what can be read of a damaged one is read.
#ifndef DUMP_READ_VMCORE_H_
#define DUMP_READ_VMCORE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/core_file.h"
#include "dump/cpu_state.h"
#include "dump/read/vmcore_contents.h"
#include "dump/vmcoreinfo.h"

namespace vmm {

// "ELF core", "kdump (makedumpfile's compressed format)".
std::string NameOf(VmcoreFormat format);

// Immutable; any thread may call.
class Vmcore {
 public:
  // Errors name `path` and what is wrong with it. DataLoss where the file ends too early.
  static absl::StatusOr<std::unique_ptr<Vmcore>> Open(const std::string& path);

  // The same for a file that is open for reading and may have no name yet; `path` is for messages.
  static absl::StatusOr<std::unique_ptr<Vmcore>> Take(UniqueFd fd, std::string path);

  VmcoreFormat format() const { return contents_.format; }
  const CoreFile& file() const { return file_; }

  // RAM, each byte once, whatever the segments of the file overlap.
  const PhysicalMemory& memory() const { return *contents_.memory; }

  // In the file's order.
  const std::vector<VmcoreNote>& notes() const { return contents_.notes; }

  // The first of that name and type 0, or null.
  const VmcoreNote* FindNote(std::string_view name) const;

  // From the PRSTATUS and QEMU notes, in their order.
  const std::vector<CpuState>& cpus() const { return cpus_; }

  // None where there is no such note, or it cannot be parsed.
  const std::optional<VmcoreInfo>& vmcoreinfo() const { return vmcoreinfo_; }

  // Null unless format() is kElf.
  const ElfHeaders* elf() const { return contents_.elf.has_value() ? &*contents_.elf : nullptr; }

  // What was passed over because it makes no sense; what the format says of itself.
  const std::vector<VmcoreFault>& faults() const { return contents_.faults; }
  const std::vector<std::pair<std::string, std::string>>& facts() const { return contents_.facts; }

 private:
  explicit Vmcore(CoreFile file) : file_(std::move(file)) {}

  static absl::StatusOr<std::unique_ptr<Vmcore>> Take(CoreFile file);

  const CoreFile file_;
  VmcoreContents contents_;
  std::vector<CpuState> cpus_;
  std::optional<VmcoreInfo> vmcoreinfo_;
};

}  // namespace vmm

#endif  // DUMP_READ_VMCORE_H_
