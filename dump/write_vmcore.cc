#include "dump/write_vmcore.h"

#include "absl/strings/str_format.h"
#include "base/file_sink.h"
#include "base/status.h"
#include "dump/core_check.h"
#include "dump/core_layout.h"
#include "dump/core_writer.h"
#include "dump/gdb_script.h"
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

struct Written {
  std::string name;
  uint64_t data_bytes = 0;
};

// The partial file lives only as long as this call.
absl::StatusOr<Written> WriteFile(const CoreLayout& layout, const VmSnapshot& snapshot, const OutputDir& dir,
                                  const VmcoreOptions& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<FileSink> sink, CreateSink(dir, options.name));
  ASSIGN_OR_RETURN(const uint64_t data_bytes, WriteCore(layout, *snapshot.memory, *sink, options.progress));
  RETURN_IF_ERROR(sink->Sync());
  ASSIGN_OR_RETURN(const UniqueFd written, sink->Reopen());
  RETURN_IF_ERROR(Annotate(CheckCore(written.get(), layout), absl::StrFormat("partial file in %s", dir.path())));
  ASSIGN_OR_RETURN(std::string name, Commit(*sink, options.name));
  return Written{std::move(name), data_bytes};
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
  ASSIGN_OR_RETURN(const CoreLayout layout, PlanCore(Contents(snapshot, kernel, ram, options)));

  absl::StatusOr<Written> written = WriteFile(layout, snapshot, dir, options);
  if (!written.ok()) return Annotate(WithSpace(written.status(), snapshot, dir), "write vmcore");

  VmcoreReport report;
  report.path = dir.PathOf(written->name);
  report.file_size = layout.file_size;
  report.data_bytes = written->data_bytes;
  if (kernel.vmcoreinfo.has_value()) {
    report.has_vmcoreinfo = true;
    report.release = kernel.vmcoreinfo->release();
  }
  report.kernel_offset = kernel.kernel_offset;
  const bool mapped = kernel.map.has_value() && kernel.map->page_offset.has_value();
  report.mapping = mapped ? "kernel" : "fallback: " + kernel.why_not;

  WriteGdbScript(dir, written->name, report.release, report.kernel_offset).IgnoreError();
  return report;
}

}  // namespace vmm
