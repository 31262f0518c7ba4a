// Matches a line of the kernel against the format by which printk wrote it.
#ifndef DUMP_CONSOLE_LINE_FORMAT_H_
#define DUMP_CONSOLE_LINE_FORMAT_H_

#include <optional>
#include <string_view>
#include <vector>

namespace vmm {

// The parts of the line that stand for %s, %f and %o, in their order.
using LineParts = std::vector<std::string_view>;

// Matches the beginning of `text`. %d: one or more decimal digits. %x: one or more hexadecimal digits. %s: any text,
// even none, up to the first place where the rest of the format fits; at the end of the format, all that is left. %f: a
// function's name, with or without "[<address>] " before it; "+0x12/0x34" after it is taken too. %o: the same, but the
// offset must be there. Takes time in the product of both lengths at most.
std::optional<LineParts> MatchLine(std::string_view text, std::string_view format);

// Removes `prefix` from the front of `text`. False if it is not there.
bool SkipPrefix(std::string_view& text, std::string_view prefix);

// Takes a function from the front of `text`, as %f does, or with `offset` as %o. Empty: there is none.
std::string_view TakeFunction(std::string_view& text, bool offset);

}  // namespace vmm

#endif  // DUMP_CONSOLE_LINE_FORMAT_H_
