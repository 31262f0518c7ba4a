// The log_buf of Linux 3.5 to 5.9: records of variable length, one after the other in one buffer (struct printk_log in
// kernel/printk/printk.c; before 3.11 it was struct log).
#ifndef DUMP_KERNEL_PRINTK_LOG_H_
#define DUMP_KERNEL_PRINTK_LOG_H_

#include <vector>

#include "dump/kernel/kernel_log.h"

namespace vmm {

// As ReadKernelLog().
absl::StatusOr<std::vector<LogRecord>> ReadPrintkLog(const KernelMemory& memory, const StructLayout& layout,
                                                     const FindVariable& find, size_t max_records);

}  // namespace vmm

#endif  // DUMP_KERNEL_PRINTK_LOG_H_
