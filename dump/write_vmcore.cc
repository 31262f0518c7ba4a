#include "dump/write_vmcore.h"

#include "absl/strings/str_format.h"
#include "base/file_sink.h"
#include "base/status.h"
#include "dump/core_check.h"
#include "dump/core_layout.h"
#include "dump/core_writer.h"
#include "dump/gdb_script.h"
#include "dump/kdump/page_filter.h"
#include "dump/kdump_core.h"
#include "dump/kernel/find_kernel.h"

namespace vmm {
namespace {

CoreContents Contents(const VmSnapshot& snapshot, const FoundKernel& kernel, std::span<const GuestRange> ram,
                      const VmcoreOptions& options) {
  CoreContents contents;
  contents.cpus = snapshot.cpus;
  if (kernel.vmcoreinfo.has_value()) contents.vmcoreinfo = kernel.vmcoreinfo->text();
  contents.more_notes = snapshot.more_notes;
  contents.metadata = options.notes_json;
  contents.all_notes = snapshot.all_notes;
  if (kernel.map.has_value()) {
    contents.segments.push_back(kernel.map->image);
    contents.segments.insert(contents.segments.end(), kernel.stacks.begin(), kernel.stacks.end());
    contents.page_offset = kernel.map->page_offset;
  }
  contents.ram = ram;
  return contents;
}

constexpr int kMaxNames = 10000;

std::string NumberedName(int i) { return i == 0 ? "vmcore" : absl::StrFormat("vmcore.%d", i); }

absl::Status NoFreeName() {
  return absl::AlreadyExistsError(absl::StrFormat("vmcore to %s all exist already", NumberedName(kMaxNames - 1)));
}

absl::StatusOr<std::unique_ptr<FileSink>> CreateSink(const OutputDir& dir, const std::string& wanted) {
  if (!wanted.empty()) return FileSink::Create(dir, wanted);
  for (int i = 0; i < kMaxNames; ++i) {
    absl::StatusOr<std::unique_ptr<FileSink>> sink = FileSink::Create(dir, NumberedName(i));
    if (!absl::IsAlreadyExists(sink.status())) return sink;
  }
  return NoFreeName();
}

// Gives the file its name; without a wanted one, the first that is free. Many VMs may do so in
// one directory at once: the rename itself is the test.
absl::StatusOr<std::string> Commit(FileSink& sink, const std::string& wanted) {
  if (!wanted.empty()) {
    RETURN_IF_ERROR(sink.Commit());
    return wanted;
  }
  for (int i = 0; i < kMaxNames; ++i) {
    const std::string name = NumberedName(i);
    const absl::Status status = sink.CommitAs(name);
    if (status.ok()) return name;
    if (!absl::IsAlreadyExists(status)) return status;
  }
  return NoFreeName();
}

// What is written: the memory of the snapshot, perhaps filtered, in one of two forms.
struct Plan {
  CoreLayout elf;
  std::optional<KdumpLayout> kdump;
  const PhysicalMemory* memory = nullptr;
};

struct Written {
  std::string name;
  uint64_t data_bytes = 0;
  uint64_t file_size = 0;
};

absl::StatusOr<Written> WriteBytes(const Plan& plan, ByteSink& sink, const VmcoreOptions& options) {
  if (plan.kdump.has_value()) {
    ASSIGN_OR_RETURN(const KdumpWritten kdump,
                     WriteKdump(*plan.kdump, *plan.memory, sink, {.progress = options.progress}));
    return Written{.data_bytes = kdump.data_bytes, .file_size = kdump.file_size};
  }
  ASSIGN_OR_RETURN(const uint64_t data_bytes, WriteCore(plan.elf, *plan.memory, sink, options.progress));
  return Written{.data_bytes = data_bytes, .file_size = plan.elf.file_size};
}

absl::Status CheckBytes(const Plan& plan, const Written& written, UniqueFd fd, const std::string& path) {
  if (!plan.kdump.has_value()) return CheckCore(fd.get(), plan.elf);
  return CheckKdumpCore(std::move(fd), path, *plan.kdump, written.file_size, *plan.memory);
}

// The partial file lives only as long as this call.
absl::StatusOr<Written> WriteFile(const Plan& plan, const OutputDir& dir, const VmcoreOptions& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<FileSink> sink, CreateSink(dir, options.name));
  ASSIGN_OR_RETURN(Written written, WriteBytes(plan, *sink, options));
  RETURN_IF_ERROR(sink->Sync());
  ASSIGN_OR_RETURN(UniqueFd fd, sink->Reopen());
  const std::string partial = absl::StrFormat("partial file in %s", dir.path());
  RETURN_IF_ERROR(Annotate(CheckBytes(plan, written, std::move(fd), partial), partial));
  ASSIGN_OR_RETURN(written.name, Commit(*sink, options.name));
  return written;
}

absl::StatusOr<FilteredPages> Filter(const VmSnapshot& snapshot, const FoundKernel& kernel) {
  if (!kernel.vmcoreinfo.has_value() || !kernel.map.has_value()) {
    return absl::UnimplementedError(absl::StrFormat("filtering: %s", kernel.why_not));
  }
  return FilterPages(*snapshot.memory, *kernel.map, *kernel.vmcoreinfo);
}

// A full disk is the one error of which the user wants the figures. What is free is asked
// when the partial file is gone.
absl::Status WithSpace(const absl::Status& status, const VmSnapshot& snapshot, const OutputDir& dir) {
  if (!absl::IsResourceExhausted(status)) return status;
  const absl::StatusOr<std::vector<GuestRange>> extents = snapshot.memory->DataExtents();
  const absl::StatusOr<uint64_t> free = dir.FreeBytes();
  if (!extents.ok() || !free.ok()) return status;
  uint64_t needed = 0;
  for (const GuestRange& extent : *extents) needed += extent.size;
  return absl::Status(status.code(), absl::StrFormat("%s (needed: up to %d MiB; free: %d MiB)",
                                                     std::string(status.message()), (needed >> 20) + 1, *free >> 20));
}

}  // namespace

absl::StatusOr<VmcoreReport> WriteVmcore(const VmSnapshot& snapshot, const OutputDir& dir,
                                         const VmcoreOptions& options) {
  const FoundKernel kernel = FindKernel(snapshot);
  const std::vector<GuestRange> ram = snapshot.memory->Ranges();
  VmcoreReport report;
  report.format = options.format;
  report.level = options.level;
  absl::StatusOr<FilteredPages> filtered = FilteredPages();
  if (options.level == kLevelFiltered) filtered = Filter(snapshot, kernel);
  if (!filtered.ok()) {
    if (options.must_filter) return filtered.status();
    report.level = kLevelNoZeros;
    report.why_not_filtered = std::string(filtered.status().message());
    filtered = FilteredPages();
  }
  const FilteredMemory memory(*snapshot.memory, filtered->pages);

  Plan plan;
  plan.memory = report.level == kLevelFiltered ? &memory : snapshot.memory;
  ASSIGN_OR_RETURN(plan.elf, PlanCore(Contents(snapshot, kernel, ram, options)));
  if (options.format != DumpFormat::kElf) {
    const Elf64_Phdr& notes = plan.elf.phdrs[0];
    ASSIGN_OR_RETURN(plan.kdump, PlanKdumpCore(snapshot, kernel,
                                               std::string_view(plan.elf.header).substr(notes.p_offset, notes.p_filesz),
                                               options.format, report.level, &filtered->pages));
  }

  absl::StatusOr<Written> written = WriteFile(plan, dir, options);
  if (!written.ok()) return Annotate(WithSpace(written.status(), snapshot, dir), "write vmcore");

  report.path = dir.PathOf(written->name);
  report.file_size = written->file_size;
  report.data_bytes = written->data_bytes;
  if (kernel.vmcoreinfo.has_value()) {
    report.has_vmcoreinfo = true;
    report.release = kernel.vmcoreinfo->release();
  }
  report.kernel_offset = kernel.kernel_offset;
  const bool mapped = kernel.map.has_value() && kernel.map->page_offset.has_value();
  report.mapping = mapped ? "kernel" : "fallback: " + kernel.why_not;

  if (options.format == DumpFormat::kElf) {
    WriteGdbScript(dir, written->name, report.release, report.kernel_offset).IgnoreError();
  }
  return report;
}

}  // namespace vmm
