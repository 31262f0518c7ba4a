// The bytes of a vmcore, by its plan.
#ifndef DUMP_ELF_CORE_WRITER_H_
#define DUMP_ELF_CORE_WRITER_H_

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "base/byte_sink.h"
#include "base/physical_memory.h"
#include "dump/elf/core_layout.h"

namespace vmm {

// Bytes of guest RAM looked at so far, and in all.
using CoreProgress = std::function<void(uint64_t done, uint64_t total)>;

// Writes `memory` by `layout`: first RAM's pages that were touched and are not zero, all else
// stays a hole; then the headers, of which the page with the ELF header comes last. Live RAM
// is written from where it lies, without a copy, and its holes are not read; other memory goes
// through one buffer of 1 MiB. Returns how many bytes of RAM were written. `progress` may be
// empty; else it is called every few MiB, and once at the end.
absl::StatusOr<uint64_t> WriteCore(const CoreLayout& layout, const PhysicalMemory& memory, ByteSink& sink,
                                   const CoreProgress& progress);

// The same in the order of the file, headers first, for a sink that cannot go back.
absl::StatusOr<uint64_t> StreamCore(const CoreLayout& layout, const PhysicalMemory& memory, ByteSink& sink,
                                    const CoreProgress& progress);

}  // namespace vmm

#endif  // DUMP_ELF_CORE_WRITER_H_
