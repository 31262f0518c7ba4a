// JSON out of a dump, for reading.
#ifndef DUMP_TOOL_PRETTY_JSON_H_
#define DUMP_TOOL_PRETTY_JSON_H_

#include <string>
#include <string_view>

namespace vmm {

// `text` indented, in ASCII. Where it is no JSON, or too much to be a note of ours, its bytes as
// Printable() gives them.
std::string PrettyJson(std::string_view text);

// Whether it is JSON that can be handled without care: the library's recursion is limited by the
// nesting, and the nesting by the number of brackets.
bool IsModestJson(std::string_view text);

}  // namespace vmm

#endif  // DUMP_TOOL_PRETTY_JSON_H_
