// Writes a snapshot as a vmcore under its final name: the whole of a dump.
//
// All or nothing: a file that has the name is complete, on the disk, and was read back. An error leaves neither a
// vmcore nor a partial file. The guest's RAM is unchanged, so the same call with another directory can be tried next. A
// process killed in the middle leaves a partial file, which the next dump into that directory removes.
#ifndef DUMP_WRITE_WRITE_VMCORE_H_
#define DUMP_WRITE_WRITE_VMCORE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/output_dir.h"
#include "dump/check/readable_by.h"
#include "dump/snapshot/dump_format.h"
#include "dump/snapshot/vm_snapshot.h"

namespace vmm {

struct VmcoreOptions {
  // The file's exact name, which must be free. Empty: the first free name of vmcore, vmcore.1, vmcore.2, ...
  std::string name;

  // Gets the bytes of guest RAM examined so far, and in all. May be empty. Called on the caller's thread.
  std::function<void(uint64_t done, uint64_t total)> progress;

  DumpFormat format = DumpFormat::kElf;

  // One of kLevel... If the guest's pages cannot be told apart, kLevelFiltered becomes kLevelNoZeros: a dump that is
  // larger than wanted is better than none.
  int level = kLevelNoZeros;
  bool must_filter = false;  // true: that case is an error instead

  CoreMappings mappings = CoreMappings::kNeeded;

  // Stored in the core as our own note, "VMM". Empty: no such note.
  std::string notes_json;

  // Bytes that must stay free on the file system after the dump is written. If fewer would, the dump is
  // ResourceExhausted before it begins. 0: the dump may use up all space. Not for a stream.
  uint64_t min_free = 0;

  // For a stream. When this fd becomes readable, StreamSink stops waiting for a stalled reader. -1: wait forever.
  int stop_fd = -1;

  // The number of dumps that stay in the directory: the newest ones that vmm named, including this one. 0: all stay.
  // See old_dumps.h. Not for a stream, and not together with `name`.
  int keep = 0;
};

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
