// An opened vmcore of any kind: ours, QEMU's, cloud-hypervisor's, kdump's. All code that reads dumps offline begins
// here and does not know which kind it has.
//
// Nothing in the file is trusted; it is checked as it is read. A file that cannot be read at all is refused with a
// reason. A damaged file is read as far as possible.
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

// "ELF core", "kdump-compressed"
std::string NameOf(VmcoreFormat format);

// Immutable; any thread may call.
class Vmcore {
 public:
  // Errors name `path` and the fault. IsCutShort() is true for the error if the file is cut so short that nothing can
  // be read from it.
  static absl::StatusOr<std::unique_ptr<Vmcore>> Open(const std::string& path);

  // The same for a file that is already open for reading and may have no name yet. `path` is for messages.
  static absl::StatusOr<std::unique_ptr<Vmcore>> Take(UniqueFd fd, std::string path);

  VmcoreFormat format() const { return contents_.format; }
  const CoreFile& file() const { return file_; }

  // RAM, each byte once, even if segments of the file overlap.
  const PhysicalMemory& memory() const { return *contents_.memory; }

  // In the file's order.
  const std::vector<VmcoreNote>& notes() const { return contents_.notes; }

  // The first note with that name and type 0, or null.
  const VmcoreNote* FindNote(std::string_view name) const;

  // From the PRSTATUS and QEMU notes, in their order.
  const std::vector<CpuState>& cpus() const { return cpus_; }

  // None if there is no such note, or if it cannot be parsed.
  const std::optional<VmcoreInfo>& vmcoreinfo() const { return vmcoreinfo_; }

  // Null unless format() is kElf.
  const ElfHeaders* elf() const { return contents_.elf.has_value() ? &*contents_.elf : nullptr; }

  // cut_short() is set if the file is cut short. memory() then has the RAM that is left, and missing_ram() the rest.
  const std::optional<CutShort>& cut_short() const { return contents_.cut_short; }
  const std::vector<GuestRange>& missing_ram() const { return contents_.missing_ram; }

  // The bytes of the dump. For a flattened file, the bytes of the original.
  const ByteSource& bytes() const { return *bytes_; }

  // faults(): the parts that were skipped because they make no sense. facts(): facts that the file states about itself.
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
