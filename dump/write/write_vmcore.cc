#include "dump/write/write_vmcore.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/file_sink.h"
#include "base/partial_file.h"
#include "base/status.h"
#include "base/stream_sink.h"
#include "dump/elf/core_check.h"
#include "dump/elf/core_layout.h"
#include "dump/elf/core_writer.h"
#include "dump/kdump/page_filter.h"
#include "dump/kernel/find_kernel.h"
#include "dump/kernel/kernel_mappings.h"
#include "dump/write/dump_name.h"
#include "dump/write/gdb_script.h"
#include "dump/write/kdump_core.h"
#include "dump/write/old_dumps.h"
#include "dump/xen/crash_info_note.h"

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
    if (options.mappings == CoreMappings::kAll) {
      std::ranges::move(FindKernelMappings(*snapshot.memory, *kernel.map, kernel.stacks),
                        std::back_inserter(contents.segments));
    }
    contents.page_offset = kernel.map->page_offset;
  }
  contents.ram = ram;
  contents.missing = snapshot.missing_ram;
  return contents;
}

absl::Status NoFreeName() {
  return absl::AlreadyExistsError(absl::StrFormat("vmcore to %s all exist already", DumpName(kMaxDumpNames - 1)));
}

absl::StatusOr<std::unique_ptr<FileSink>> CreateSink(const OutputDir& dir, const std::string& wanted) {
  if (!wanted.empty()) return FileSink::Create(dir, wanted);
  for (int i = 0; i < kMaxDumpNames; ++i) {
    absl::StatusOr<std::unique_ptr<FileSink>> sink = FileSink::Create(dir, DumpName(i));
    if (!absl::IsAlreadyExists(sink.status())) return sink;
  }
  return NoFreeName();
}

// Gives the file its name: the wanted one, or else the first that is free. Many VMs may do so in one directory at once,
// so the rename itself is the test.
absl::StatusOr<std::string> Commit(FileSink& sink, const std::string& wanted) {
  if (!wanted.empty()) {
    RETURN_IF_ERROR(sink.Commit());
    return wanted;
  }
  for (int i = 0; i < kMaxDumpNames; ++i) {
    const std::string name = DumpName(i);
    const absl::Status status = sink.CommitAs(name);
    if (status.ok()) return name;
    if (!absl::IsAlreadyExists(status)) return status;
  }
  return NoFreeName();
}

// The plan of a dump: the memory of the snapshot, perhaps filtered, in one of two formats. It holds pointers into
// itself.
struct Plan {
  Plan() = default;
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  FoundKernel kernel;
  FilteredPages left_out;
  std::optional<FilteredMemory> filtered;
  const PhysicalMemory* memory = nullptr;
  CoreLayout elf;
  std::optional<KdumpLayout> kdump;
};

absl::StatusOr<FilteredPages> Filter(const VmSnapshot& snapshot, const FoundKernel& kernel) {
  if (!kernel.vmcoreinfo.has_value() || !kernel.map.has_value()) {
    return absl::UnimplementedError(absl::StrFormat("filtering: %s", kernel.why_not));
  }
  return FilterPages(*snapshot.memory, *kernel.map, *kernel.vmcoreinfo);
}

// Fills `plan`, and those fields of `report` that do not depend on the core's destination.
absl::Status MakePlan(const VmSnapshot& snapshot, const VmcoreOptions& options, Plan& plan, VmcoreReport& report) {
  std::optional<CoreNote> xen_note = CrashInfoNoteFor(snapshot);
  if (xen_note.has_value() || HasCrashInfo(snapshot.all_notes)) {
    // dom0's kernel lies at pseudo-physical addresses: to readers that take these for the machine's it would be
    // damaged.
    plan.kernel.why_not = "the addresses are a Xen machine's; vmcore guest --extract gives a domain's";
  } else {
    plan.kernel = options.kernel != nullptr ? *options.kernel : FindKernel(snapshot);
  }
  plan.memory = snapshot.memory;
  report.format = options.format;
  report.level = options.level;
  report.incomplete = !snapshot.missing_ram.empty();
  if (options.level == kLevelFiltered) {
    absl::StatusOr<FilteredPages> left_out = Filter(snapshot, plan.kernel);
    if (left_out.ok()) {
      plan.left_out = *std::move(left_out);
      plan.memory = &plan.filtered.emplace(*snapshot.memory, plan.left_out.pages);
    } else {
      if (options.must_filter) return left_out.status();
      report.level = kLevelNoZeros;
      report.why_not_filtered = std::string(left_out.status().message());
    }
  }

  const std::vector<GuestRange> ram = snapshot.memory->Ranges();
  CoreContents contents = Contents(snapshot, plan.kernel, ram, options);
  contents.xen_note = std::move(xen_note);
  ASSIGN_OR_RETURN(plan.elf, PlanCore(contents));
  if (options.format != DumpFormat::kElf) {
    const Elf64_Phdr& notes = plan.elf.phdrs[0];
    ASSIGN_OR_RETURN(plan.kdump, PlanKdumpCore(snapshot, plan.kernel,
                                               std::string_view(plan.elf.header).substr(notes.p_offset, notes.p_filesz),
                                               options.format, report.level, &plan.left_out.pages));
  }

  if (plan.kernel.vmcoreinfo.has_value()) {
    report.has_vmcoreinfo = true;
    report.release = plan.kernel.vmcoreinfo->release();
    report.vmcoreinfo_source = VmcoreInfoSourceName(plan.kernel.source);
  }
  report.vmcoreinfo_passed_over = plan.kernel.passed_over;
  report.kernel_offset = plan.kernel.kernel_offset;
  const bool mapped = plan.kernel.map.has_value() && plan.kernel.map->page_offset.has_value();
  report.mapping = mapped ? "kernel" : "fallback: " + plan.kernel.why_not;
  return absl::OkStatus();
}

constexpr uint64_t MiB(uint64_t bytes) { return bytes >> 20; }

// The most bytes of disk that the file can take. An upper bound, because touched pages that are zero are not known
// beforehand.
absl::StatusOr<uint64_t> SpaceNeeded(const PhysicalMemory& memory) {
  ASSIGN_OR_RETURN(const std::vector<GuestRange> extents, memory.DataExtents());
  uint64_t needed = 0;
  for (const GuestRange& extent : extents) needed += extent.size;
  return needed;
}

// If the free space cannot be read, the dump is tried: a dump is worth more than the floor.
absl::Status CheckRoom(const PhysicalMemory& memory, const OutputDir& dir, uint64_t min_free) {
  if (min_free == 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(const uint64_t needed, SpaceNeeded(memory));
  const absl::StatusOr<uint64_t> free = dir.FreeBytes();
  if (!free.ok() || (*free >= needed && *free - needed >= min_free)) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrFormat("%s: less than the wanted %d MiB would be left free", dir.path(), MiB(min_free)));
}

// A full disk is the one error for which the user needs figures. The free space is read after the partial file is gone.
absl::Status WithSpace(const absl::Status& status, const PhysicalMemory& memory, const OutputDir& dir) {
  if (!absl::IsResourceExhausted(status)) return status;
  const absl::StatusOr<uint64_t> needed = SpaceNeeded(memory);
  const absl::StatusOr<uint64_t> free = dir.FreeBytes();
  if (!needed.ok() || !free.ok()) return status;
  return absl::Status(status.code(), absl::StrFormat("%s (needed: up to %d MiB; free: %d MiB)",
                                                     std::string(status.message()), MiB(*needed) + 1, MiB(*free)));
}

struct Written {
  std::string name;
  uint64_t data_bytes = 0;
  uint64_t file_size = 0;
  std::vector<ReadableBy> readable_by;
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
  // The name before the space: "that name exists already" is the more useful error.
  ASSIGN_OR_RETURN(const std::unique_ptr<FileSink> sink, CreateSink(dir, options.name));
  RETURN_IF_ERROR(CheckRoom(*plan.memory, dir, options.min_free));
  ASSIGN_OR_RETURN(Written written, WriteBytes(plan, *sink, options));
  RETURN_IF_ERROR(sink->Sync());
  ASSIGN_OR_RETURN(UniqueFd fd, sink->Reopen());
  const std::string partial = absl::StrFormat("partial file in %s", dir.path());
  RETURN_IF_ERROR(Annotate(CheckBytes(plan, written, std::move(fd), partial), partial));
  ASSIGN_OR_RETURN(UniqueFd again, sink->Reopen());
  written.readable_by = FindReaders(std::move(again), partial);
  ASSIGN_OR_RETURN(written.name, Commit(*sink, options.name));
  return written;
}

void KeepNewest(const OutputDir& dir, const std::string& newest, int keep, VmcoreReport& report) {
  RemovedDumps removed = RemoveOldDumps(dir, keep, newest);
  for (const std::string& name : removed.names) report.removed.push_back(dir.PathOf(name));
  report.not_removed = std::move(removed.status);
}

}  // namespace

absl::StatusOr<VmcoreReport> WriteVmcore(const VmSnapshot& snapshot, const OutputDir& dir,
                                         const VmcoreOptions& options) {
  RemoveAbandonedFiles(dir);  // first: they may hold the space that this dump needs
  Plan plan;
  VmcoreReport report;
  RETURN_IF_ERROR(MakePlan(snapshot, options, plan, report));

  absl::StatusOr<Written> written = WriteFile(plan, dir, options);
  if (!written.ok()) return Annotate(WithSpace(written.status(), *plan.memory, dir), "write vmcore");

  report.path = dir.PathOf(written->name);
  report.file_size = written->file_size;
  report.data_bytes = written->data_bytes;
  report.readable_by = std::move(written->readable_by);
  if (options.format == DumpFormat::kElf) {
    WriteGdbScript(dir, written->name, report.release, report.kernel_offset).IgnoreError();
  }
  if (options.keep > 0) KeepNewest(dir, written->name, options.keep, report);
  return report;
}

absl::StatusOr<VmcoreReport> StreamVmcore(const VmSnapshot& snapshot, int fd, const std::string& where,
                                          const VmcoreOptions& options) {
  if (options.format != DumpFormat::kElf) {
    return absl::InvalidArgumentError("stream vmcore: only an ELF core can be; a kdump file is not written in order");
  }
  Plan plan;
  VmcoreReport report;
  RETURN_IF_ERROR(MakePlan(snapshot, options, plan, report));
  StreamSink sink(fd, where, options.stop_fd);
  ASSIGN_OR_RETURN(report.data_bytes,
                   Annotate(StreamCore(plan.elf, *plan.memory, sink, options.progress), "stream vmcore"));
  RETURN_IF_ERROR(Annotate(sink.Finish(), "stream vmcore"));
  report.path = where;
  report.file_size = plan.elf.file_size;
  return report;
}

}  // namespace vmm
