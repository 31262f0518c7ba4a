// The user's wishes for a vmcore, and what the caller already knows about it.
#ifndef DUMP_WRITE_VMCORE_OPTIONS_H_
#define DUMP_WRITE_VMCORE_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "dump/snapshot/dump_format.h"

namespace vmm {

struct FoundKernel;

struct VmcoreOptions {
  // The file's exact name, which must be free. Empty: the first free one of vmcore, vmcore.1, vmcore.2, ...
  std::string name;

  DumpFormat format = DumpFormat::kElf;

  // kLevel... If the guest's pages cannot be told apart, kLevelFiltered becomes kLevelNoZeros: a larger dump than
  // wanted is better than none.
  int level = kLevelNoZeros;
  bool must_filter = false;  // an error instead

  CoreMappings mappings = CoreMappings::kNeeded;

  // Bytes that must be left on the file system after the dump, else ResourceExhausted before it is begun. 0: all
  // free space may be used. Not for a stream.
  uint64_t min_free = 0;

  // Of the dumps that vmm named, the newest `keep` stay in the directory, this one among them. 0: all stay. See
  // old_dumps.h. Not for a stream, nor with a `name`.
  int keep = 0;

  // The rest is the caller's, not the user's.

  // Bytes of guest RAM looked at so far, and in all. May be empty. Called on the caller's thread.
  std::function<void(uint64_t done, uint64_t total)> progress;

  // Kept in the core as our own note, "VMM". Empty: no such note.
  std::string notes_json;

  // When this fd becomes readable, stop waiting for a stalled stream reader (StreamSink). -1: wait forever.
  int stop_fd = -1;

  // FindKernel() of the same snapshot, if the caller has called it already; not owned. Null: it is called here.
  const FoundKernel* kernel = nullptr;
};

}  // namespace vmm

#endif  // DUMP_WRITE_VMCORE_OPTIONS_H_
