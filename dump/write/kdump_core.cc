#include "dump/write/kdump_core.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_format.h"
#include "base/core_file.h"
#include "base/status.h"
#include "dump/kdump/kdump_file.h"

namespace vmm {
namespace {

template <size_t n>
void PutText(std::string_view text, char (&field)[n]) {
  text.copy(field, n - 1);
}

// init_uts_ns.name. Its release was checked when the kernel was found, its other fields were not.
NewUtsname UtsnameOf(const PhysicalMemory& memory, const FoundKernel& kernel) {
  NewUtsname name = {};
  if (!kernel.vmcoreinfo.has_value()) return name;
  const std::optional<uint64_t> symbol = kernel.vmcoreinfo->Symbol("init_uts_ns");
  const std::optional<uint64_t> offset = kernel.vmcoreinfo->Offset("uts_namespace.name");
  if (kernel.map.has_value() && symbol.has_value() && offset.has_value()) {
    const GuestAddr at{*symbol - kStartKernelMap + kernel.map->phys_base + *offset};
    const absl::StatusOr<NewUtsname> found = memory.ReadObject<NewUtsname>(at);
    if (found.ok() &&
        std::string_view(found->release, sizeof(found->release)).starts_with(kernel.vmcoreinfo->release())) {
      name = *found;
    }
  }
  for (char* field : {name.sysname, name.nodename, name.release, name.version, name.machine, name.domainname}) {
    field[sizeof(name.sysname) - 1] = '\0';
  }
  // Readers decide by these fields whether they can handle the file.
  PutText("Linux", name.sysname);
  PutText("x86_64", name.machine);
  PutText(kernel.vmcoreinfo->release(), name.release);
  return name;
}

absl::Status Differs(const std::string& what) { return absl::DataLossError(absl::StrFormat("read back: %s", what)); }

absl::Status CheckPage(const KdumpFile& file, const PhysicalMemory& memory, GuestAddr at) {
  std::vector<uint8_t> expected(kPageSize), found(kPageSize);
  RETURN_IF_ERROR(memory.Read(at, expected));
  RETURN_IF_ERROR(Annotate(file.Read(at, found), "read back"));
  return expected == found ? absl::OkStatus() : Differs(absl::StrFormat("the page at %#x is another", at.value));
}

bool Equal(const PageBitmap& a, const PageBitmap& b) {
  return a.pages() == b.pages() && std::equal(a.bytes().begin(), a.bytes().end(), b.bytes().begin(), b.bytes().end());
}

}  // namespace

absl::StatusOr<KdumpLayout> PlanKdumpCore(const VmSnapshot& snapshot, const FoundKernel& kernel, std::string_view notes,
                                          DumpFormat format, int level, const PageBitmap* filtered) {
  const std::vector<GuestRange> ram = snapshot.memory->Ranges();
  KdumpContents contents;
  contents.compression = format == DumpFormat::kKdumpZstd ? KdumpCompression::kZstd : KdumpCompression::kZlib;
  contents.level = level;
  contents.utsname = UtsnameOf(*snapshot.memory, kernel);
  contents.cpus = static_cast<int>(snapshot.cpus.size());
  if (snapshot.panic.has_value()) contents.current_cpu = static_cast<uint32_t>(std::max(0, snapshot.panic->vcpu));
  if (kernel.map.has_value()) contents.phys_base = kernel.map->phys_base;
  contents.notes = notes;
  if (kernel.vmcoreinfo.has_value()) contents.vmcoreinfo = kernel.vmcoreinfo->text();
  contents.ram = ram;
  contents.missing = snapshot.missing_ram;
  contents.filtered = filtered;
  return PlanKdump(contents);
}

absl::Status CheckKdumpCore(UniqueFd fd, const std::string& path, const KdumpLayout& layout, uint64_t file_size,
                            const PhysicalMemory& memory) {
  ASSIGN_OR_RETURN(const CoreFile written, CoreFile::Take(std::move(fd), path));
  if (written.size() != file_size) {
    return Differs(absl::StrFormat("the file has %d bytes, written were %d", written.size(), file_size));
  }
  std::string header(layout.header.size(), '\0');
  RETURN_IF_ERROR(written.ReadAt(0, {reinterpret_cast<uint8_t*>(header.data()), header.size()}));
  if (header != layout.header) return Differs("its headers are not the planned ones");
  ASSIGN_OR_RETURN(const auto file, Annotate(KdumpFile::Open(MakeFileSource(written)), "read back"));
  if (!Equal(file->ram_pages(), layout.ram) || !Equal(file->pages(), layout.stored)) {
    return Differs("its bitmaps are not the planned ones");
  }
  ASSIGN_OR_RETURN(const std::vector<GuestRange> extents, file->DataExtents());
  if (extents.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(CheckPage(*file, memory, extents.front().start));
  return CheckPage(*file, memory, GuestAddr{extents.back().end().value - kPageSize});
}

}  // namespace vmm
