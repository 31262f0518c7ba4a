// Reads the kernel's log (dmesg) from its memory. It does not matter how much of it the console showed.
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
#include "base/budget.h"
#include "dump/kernel/kernel_memory.h"
#include "dump/kernel/struct_layout.h"

namespace vmm {

struct LogRecord {
  uint64_t sequence = 0;
  uint64_t time_ns = 0;  // since boot, by the kernel's local_clock()
  uint8_t facility = 0;
  uint8_t level = 0;               // 0 emergency to 7 debug
  std::optional<uint32_t> caller;  // a thread; with the top bit set, a CPU. Only with CONFIG_PRINTK_CALLER
  std::string text;                // as the guest wrote it: any bytes, may contain newlines

  friend bool operator==(const LogRecord&, const LogRecord&) = default;
};

// The address of one of the log's variables ("prb", "log_buf"), from VMCOREINFO or the symbols.
using FindVariable = std::function<std::optional<uint64_t>(std::string_view name)>;

// No more records are kept, the last ones, and no more bytes of text: kKernelLogBudget.
inline constexpr size_t kMaxLogRecords = kKernelLogBudget.steps;
inline constexpr size_t kMaxLogText = kKernelLogBudget.bytes;

// Returns the last `max_records` records, at most kMaxLogRecords, oldest first. They come from the lockless ring of
// Linux 5.10 (printk_ring.h), else from the log_buf of 3.5 (printk_log.h). NotFound if neither layout is known,
// DataLoss if the log's numbers make no sense. Safe on live RAM: leaves out a record that is being written.
absl::StatusOr<std::vector<LogRecord>> ReadKernelLog(const KernelMemory& memory, const StructLayout& layout,
                                                     const FindVariable& find, size_t max_records = SIZE_MAX);

// "[    1.234567] text", as dmesg and makedumpfile --dump-dmesg print it. Further lines of a record are indented by the
// width of the stamp, and unprintable bytes except tabs are shown as \x1b. No newline at the end.
std::string FormatLogRecord(const LogRecord& record);

}  // namespace vmm

#endif  // DUMP_KERNEL_KERNEL_LOG_H_
