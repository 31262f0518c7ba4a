// The monitor's `x` and `xp`: guest memory as rows of numbers.
#ifndef VMM_LIVE_PRINT_MEMORY_H_
#define VMM_LIVE_PRINT_MEMORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/physical_memory.h"
#include "dump/paging/page_tables.h"

namespace vmm {

// A number as the monitor takes it: decimal, or hexadecimal after 0x.
std::optional<uint64_t> ParseMonitorNumber(std::string_view text);

// `words` are the command, "/8xb" (count, format x, size b h w g; all optional) and the address. At most 64 KiB are
// printed. An address that cannot be read ends the output with QEMU's words for it, which drgn takes for a fault.
std::string PrintPhysical(const PhysicalMemory& memory, const std::vector<std::string>& words);
std::string PrintVirtual(const PhysicalMemory& memory, const PageTables& tables, const std::vector<std::string>& words);

}  // namespace vmm

#endif  // VMM_LIVE_PRINT_MEMORY_H_
