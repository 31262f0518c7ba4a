// The lockless printk ring of Linux 5.10 and later (kernel/printk/printk_ringbuffer.h): its descriptors, their infos
// and the text lie in three arrays, each found by its own number.
#ifndef DUMP_KERNEL_PRINTK_RING_H_
#define DUMP_KERNEL_PRINTK_RING_H_

#include <vector>

#include "dump/kernel/kernel_log.h"

namespace vmm {

// `prb` is the address of the variable `prb`, which points to the ring. Otherwise as ReadKernelLog().
absl::StatusOr<std::vector<LogRecord>> ReadPrintkRing(const KernelMemory& memory, const StructLayout& layout,
                                                      uint64_t prb, size_t max_records);

}  // namespace vmm

#endif  // DUMP_KERNEL_PRINTK_RING_H_
