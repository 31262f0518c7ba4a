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
#include "dump/file/byte_source.h"
#include "dump/read/vmcore_contents.h"
#include "dump/snapshot/cpu_state.h"
#include "dump/snapshot/vmcoreinfo.h"

namespace vmm {

// "ELF core", "kdump (makedumpfile's compressed format)".
std::string NameOf(VmcoreFormat format);

// Immutable; any thread may call.
class Vmcore {
 public:
  // Errors name `path` and what is wrong with it. IsCutShort() of one where so little of the file is left
  // that nothing of it can be read.
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

  // Whether the file is cut short. Then memory() has what is left, and what it should have besides is missing_ram().
  const std::optional<CutShort>& cut_short() const { return contents_.cut_short; }
  const std::vector<GuestRange>& missing_ram() const { return contents_.missing_ram; }

  // The bytes of the dump; of a flattened file, those that it was made from.
  const ByteSource& bytes() const { return *bytes_; }

  // What was passed over because it makes no sense; what the format says of itself.
  const std::vector<VmcoreFault>& faults() const { return contents_.faults; }
  const std::vector<std::pair<std::string, std::string>>& facts() const { return contents_.facts; }

 private:
  explicit Vmcore(CoreFile file) : file_(std::move(file)) {}

  static absl::StatusOr<std::unique_ptr<Vmcore>> Take(CoreFile file);

  const CoreFile file_;
  std::shared_ptr<const ByteSource> bytes_;
  VmcoreContents contents_;
  std::vector<CpuState> cpus_;
  std::optional<VmcoreInfo> vmcoreinfo_;
};

}  // namespace vmm

#endif  // DUMP_READ_VMCORE_H_
