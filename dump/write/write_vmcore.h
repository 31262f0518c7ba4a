// Writes a snapshot as a vmcore under its final name: the whole of a dump.
//
// All or nothing: a file that has the name is complete, on the disk, and was read back. An error leaves neither a
// vmcore nor a partial file. The guest's RAM is unchanged, so the same call with another directory can be tried next. A
// process killed in the middle leaves a partial file, which the next dump into that directory removes.
#ifndef DUMP_WRITE_WRITE_VMCORE_H_
#define DUMP_WRITE_WRITE_VMCORE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/output_dir.h"
#include "dump/check/readable_by.h"
#include "dump/snapshot/dump_format.h"
#include "dump/snapshot/vm_snapshot.h"
#include "dump/write/vmcore_options.h"

namespace vmm {

struct VmcoreReport {
  std::string path;         // of the vmcore
  uint64_t file_size = 0;   // in bytes; most of it may be holes
  uint64_t data_bytes = 0;  // bytes of guest RAM written
  bool incomplete = false;  // RAM is missing (snapshot.missing_ram), and the file says so
  DumpFormat format = DumpFormat::kElf;
  int level = kLevelNoZeros;
  std::string why_not_filtered;           // empty if level is the wanted one
  bool has_vmcoreinfo = false;            // without it drgn and makedumpfile refuse the file
  std::string release;                    // the guest's kernel release; empty if VMCOREINFO has none
  std::optional<uint64_t> kernel_offset;  // the distance by which KASLR moved the kernel
  std::string vmcoreinfo_source;          // VmcoreInfoSourceName(), or empty
  std::string vmcoreinfo_passed_over;     // why one named by the user or the guest was not used
  std::string mapping;                    // "kernel", or "fallback: why"
  std::vector<ReadableBy> readable_by;    // checked before the file got its name; empty for a stream
  std::vector<std::string> removed;       // paths of older dumps, removed by VmcoreOptions::keep
  absl::Status not_removed;               // an older dump could not be removed; this dump is still good
};

// Writes the vmcore and, next to an ELF core, one NAME.gdb with gdb's commands to open it. NAME.gdb is a convenience: a
// failure to write it is not an error. Blocks until the data is on the disk. Errors name the path and errno's text; if
// the disk is full, also the space needed and free.
absl::StatusOr<VmcoreReport> WriteVmcore(const VmSnapshot& snapshot, const OutputDir& dir,
                                         const VmcoreOptions& options);

// Sends the vmcore to `fd`, a pipe, socket or file, from its first byte to its last, with holes as zeros. No NAME.gdb
// is written, and nothing is read back. `where` is the name of `fd` in messages and in the report. Blocks until the
// reader has taken it all. REQUIRES: SIGPIPE is ignored.
absl::StatusOr<VmcoreReport> StreamVmcore(const VmSnapshot& snapshot, int fd, const std::string& where,
                                          const VmcoreOptions& options);

}  // namespace vmm

#endif  // DUMP_WRITE_WRITE_VMCORE_H_
