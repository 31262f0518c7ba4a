// From a snapshot to a vmcore under its final name: the whole of a dump.
//
// All or nothing: a file that has the name is complete, on the disk, and was read back. After
// an error there is none, and neither is a partial one; the guest's RAM is as it was, so the
// same call with another directory is the way to try again. A process that is killed in the middle
// leaves a partial file, which the next dump into that directory removes.
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
  uint64_t file_size = 0;   // most of it may be holes
  uint64_t data_bytes = 0;  // guest RAM written
  bool incomplete = false;  // the file says that RAM is missing: snapshot.missing_ram
  DumpFormat format = DumpFormat::kElf;
  int level = kLevelNoZeros;
  std::string why_not_filtered;           // empty unless level is not the wanted one
  bool has_vmcoreinfo = false;            // without it drgn and makedumpfile refuse the file
  std::string release;                    // the guest's, where VMCOREINFO says it
  std::optional<uint64_t> kernel_offset;  // by how much KASLR moved the kernel
  std::string vmcoreinfo_source;          // VmcoreInfoSourceName(), or empty
  std::string vmcoreinfo_passed_over;     // why one that the user or the guest named was not taken
  std::string mapping;                    // "kernel", or "fallback: why"
  std::vector<ReadableBy> readable_by;    // as seen in the file, before it got its name; empty of a stream
  std::vector<std::string> removed;       // older dumps, by VmcoreOptions::keep: their paths
  absl::Status not_removed;               // why an older dump could not be removed; no error of this one
};

// Writes the vmcore, and beside an ELF one NAME.gdb with gdb's commands to open it (a convenience: that
// it could not be written is no error). Blocks until the data is on the disk. Errors name the
// path and errno's text; where the disk is full, also the space needed and free.
absl::StatusOr<VmcoreReport> WriteVmcore(const VmSnapshot& snapshot, const OutputDir& dir,
                                         const VmcoreOptions& options);

// Sends the vmcore to `fd`, a pipe, socket or file, from its first byte to its last, holes as zeros; there is
// no NAME.gdb, and nothing that could be read back. `where` stands for it in messages and in the report.
// Blocks until the reader has taken it all. REQUIRES: SIGPIPE is ignored.
absl::StatusOr<VmcoreReport> StreamVmcore(const VmSnapshot& snapshot, int fd, const std::string& where,
                                          const VmcoreOptions& options);

}  // namespace vmm

#endif  // DUMP_WRITE_WRITE_VMCORE_H_
