// Makes text from a dump safe for a terminal. Without this, the writer of a dump could write to its reader's terminal.
#ifndef DUMP_TOOL_PRINTABLE_H_
#define DUMP_TOOL_PRINTABLE_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace vmm {

// `text` with \xNN for every byte that is not printable ASCII, and with each backslash doubled. Newlines and tabs are
// escaped too, except those in `kept`.
std::string Printable(std::string_view text, std::string_view kept = "");

// 1536 -> "1.5 KiB", 512 -> "512 bytes".
std::string Size(uint64_t bytes);

}  // namespace vmm

#endif  // DUMP_TOOL_PRINTABLE_H_
