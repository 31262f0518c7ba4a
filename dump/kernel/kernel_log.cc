#include "dump/kernel/kernel_log.h"

#include "absl/strings/str_format.h"
#include "base/printable.h"
#include "dump/kernel/printk_log.h"
#include "dump/kernel/printk_ring.h"

namespace vmm {

absl::StatusOr<std::vector<LogRecord>> ReadKernelLog(const KernelMemory& memory, const StructLayout& layout,
                                                     const FindVariable& find, size_t max_records) {
  if (const std::optional<uint64_t> prb = find("prb"); prb.has_value()) {
    return Annotate(ReadPrintkRing(memory, layout, *prb, max_records), "printk ring");
  }
  return Annotate(ReadPrintkLog(memory, layout, find, max_records), "log_buf");
}

std::string FormatLogRecord(const LogRecord& record) {
  std::string line =
      absl::StrFormat("[%5d.%06d] ", record.time_ns / 1'000'000'000, record.time_ns % 1'000'000'000 / 1000);
  const size_t indent = line.size();
  for (const char c : record.text) {
    if (c == '\n') {
      line += '\n';
      line.append(indent, ' ');
    } else if (IsPrintable(c) || c == '\t') {
      line += c;
    } else {
      line += absl::StrFormat("\\x%02x", static_cast<uint8_t>(c));
    }
  }
  return line;
}

}  // namespace vmm
