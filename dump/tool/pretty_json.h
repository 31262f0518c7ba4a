// Formats JSON from a dump for people.
#ifndef DUMP_TOOL_PRETTY_JSON_H_
#define DUMP_TOOL_PRETTY_JSON_H_

#include <string>
#include <string_view>

namespace vmm {

// `text`, indented, in ASCII. If it is no JSON, or is too large to be a note of ours, returns its bytes as Printable()
// gives them.
std::string PrettyJson(std::string_view text);

// True if `text` is JSON that can be parsed without further care: the number of brackets limits the nesting, and the
// nesting limits the library's recursion.
bool IsModestJson(std::string_view text);

}  // namespace vmm

#endif  // DUMP_TOOL_PRETTY_JSON_H_
