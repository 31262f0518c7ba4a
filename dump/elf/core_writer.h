// Writes the bytes of a vmcore, following its plan.
#ifndef DUMP_ELF_CORE_WRITER_H_
#define DUMP_ELF_CORE_WRITER_H_

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "base/byte_sink.h"
#include "base/physical_memory.h"
#include "dump/elf/core_layout.h"

namespace vmm {

// Bytes of guest RAM examined so far, and in all.
using CoreProgress = std::function<void(uint64_t done, uint64_t total)>;

// Writes `memory` to `sink`, following `layout`. It first writes RAM's pages that were touched and are not zero;
// everything else stays a hole. The headers follow, and the page with the ELF header is the last write. Live RAM is
// written in place, without a copy, and its holes are not read. Other memory goes through one buffer of 1 MiB. Returns
// the number of bytes of RAM written. `progress` may be empty; otherwise it is called every few MiB, and once at the
// end.
absl::StatusOr<uint64_t> WriteCore(const CoreLayout& layout, const PhysicalMemory& memory, ByteSink& sink,
                                   const CoreProgress& progress);

// The same in file order, headers first, for a sink that cannot seek back.
absl::StatusOr<uint64_t> StreamCore(const CoreLayout& layout, const PhysicalMemory& memory, ByteSink& sink,
                                    const CoreProgress& progress);

}  // namespace vmm

#endif  // DUMP_ELF_CORE_WRITER_H_
