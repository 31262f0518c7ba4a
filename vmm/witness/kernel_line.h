// Finds where the kernel's own lines begin in a line of the console.
#ifndef VMM_WITNESS_KERNEL_LINE_H_
#define VMM_WITNESS_KERNEL_LINE_H_

#include <string_view>
#include <vector>

namespace vmm {

// One place at which a kernel's line may begin.
struct KernelLine {
  std::string_view text;  // from there to the end, printk's prefixes taken off

  // printk put its level, its time stamp of six decimals or its caller before the text. Without that mark nothing tells
  // the line from one that a program of user space printed.
  bool marked = false;
};

// The start of `line`, and each place after a time stamp in it: the kernel may break into a line of user space.
// `whole`: `line` begins where the console's line did, else its start is no place. Understands the prefixes
// "<4>", "[   12.345678] ", "[    T1] " and "[   C0] ", each of them optional and in this order. At most 8 places.
std::vector<KernelLine> FindKernelLines(std::string_view line, bool whole);

// Takes `prefix` off `text` where it stands there.
bool TakePrefix(std::string_view& text, std::string_view prefix);

// printk's format with what it printed, from the start of `text` on; what follows in `text` is of no account.
// "%d" takes decimal digits, "%x" hexadecimal ones, at least one each; "%s" any text, also none.
bool StartsLike(std::string_view text, std::string_view format);

}  // namespace vmm

#endif  // VMM_WITNESS_KERNEL_LINE_H_
