// Finds where the kernel's own lines begin within a console line.
#ifndef VMM_WITNESS_KERNEL_LINE_H_
#define VMM_WITNESS_KERNEL_LINE_H_

#include <string_view>
#include <vector>

namespace vmm {

// One place at which a kernel line may begin.
struct KernelLine {
  std::string_view text;  // from there to the end, without printk's prefixes

  // True if printk put its level, its time stamp of six decimals or its caller before the text. Without that mark the
  // line looks the same as one that a user-space program printed.
  bool marked = false;
};

// Returns the start of `line` and each place after a time stamp in it, because the kernel may break into a line of user
// space. `whole`: `line` begins where the console's line did; else its start does not count. Understands the prefixes
// "<4>", "[   12.345678] ", "[    T1] " and "[   C0] ", each optional and in this order. At most 8 places.
std::vector<KernelLine> FindKernelLines(std::string_view line, bool whole);

// Removes `prefix` from the front of `text`. False if it is not there.
bool TakePrefix(std::string_view& text, std::string_view prefix);

// True if `text` begins with output of the printk format `format`; the rest of `text` does not matter. "%d" matches one
// or more decimal digits, "%x" one or more hexadecimal digits, "%s" any text, even none.
bool StartsLike(std::string_view text, std::string_view format);

}  // namespace vmm

#endif  // VMM_WITNESS_KERNEL_LINE_H_
