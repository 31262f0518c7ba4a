// Text out of a dump, for a terminal. Who wrote the dump could else write to the terminal of who
// reads it.
#ifndef DUMP_TOOL_PRINTABLE_H_
#define DUMP_TOOL_PRINTABLE_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace vmm {

// `text` with every byte that is no printable ASCII as \xNN, a backslash doubled. Newlines and tabs
// too, but for those that `kept` names.
std::string Printable(std::string_view text, std::string_view kept = "");

// 1536 -> "1.5 KiB", 512 -> "512 bytes".
std::string Size(uint64_t bytes);

}  // namespace vmm

#endif  // DUMP_TOOL_PRINTABLE_H_
