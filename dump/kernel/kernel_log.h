// The kernel's log, dmesg, out of its memory: whatever the console showed of it.
#ifndef DUMP_KERNEL_KERNEL_LOG_H_
#define DUMP_KERNEL_KERNEL_LOG_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/kernel/kernel_memory.h"
#include "dump/kernel/struct_layout.h"

namespace vmm {

struct LogRecord {
  uint64_t sequence = 0;
  uint64_t time_ns = 0;  // since boot, by the kernel's local_clock()
  uint8_t facility = 0;
  uint8_t level = 0;               // 0 emergency to 7 debug
  std::optional<uint32_t> caller;  // a thread, or with the top bit a CPU; CONFIG_PRINTK_CALLER keeps it
  std::string text;                // as the guest wrote it: any bytes, lines within it

  friend bool operator==(const LogRecord&, const LogRecord&) = default;
};

// The address of one of the log's variables ("prb", "log_buf"), by VMCOREINFO or by the symbols.
using FindVariable = std::function<std::optional<uint64_t>(std::string_view name)>;

// The last `max_records` records, oldest first: from the lockless ring of Linux 5.10 (printk_ring.h), else
// from the log_buf of 3.5 (printk_log.h). NotFound where the layout of neither is known, DataLoss where its
// numbers make no sense. Safe on live RAM: a record that is written at the moment is left out.
absl::StatusOr<std::vector<LogRecord>> ReadKernelLog(const KernelMemory& memory, const StructLayout& layout,
                                                     const FindVariable& find, size_t max_records = SIZE_MAX);

// "[    1.234567] text", as dmesg and makedumpfile --dump-dmesg print it: further lines of a record are
// indented by the stamp, unprintable bytes shown as \x1b. Without a newline at the end.
std::string FormatLogRecord(const LogRecord& record);

}  // namespace vmm

#endif  // DUMP_KERNEL_KERNEL_LOG_H_
