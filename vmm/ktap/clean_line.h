// Cuts a guest's output into lines of text, whatever it holds: chunks that end anywhere, carriage returns of a
// terminal, colours, NUL bytes, lines of megabytes.
#ifndef VMM_KTAP_CLEAN_LINE_H_
#define VMM_KTAP_CLEAN_LINE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"

namespace vmm {

// Used by one thread at a time.
class LineCutter {
 public:
  // A line keeps its first `most` bytes; the rest of it is dropped.
  explicit LineCutter(size_t most) : most_(most) {}

  // Calls `line` with each line that `bytes` completes: without its newline, as it came.
  void Feed(std::string_view bytes, absl::FunctionRef<void(std::string_view line, bool cut)> line);

  // The line that no newline has ended yet, and forgets it.
  std::string TakeRest();

 private:
  const size_t most_;
  std::string line_;
  bool cut_ = false;
};

// `line` without escape sequences (ECMA-48), control characters and blanks at its end. A tab becomes four blanks.
std::string CleanLine(std::string_view line);

// Removes printk's time and caller from the front of `line`: "[   12.345678] ", "<6>[   12.345678][    T1] ". Returns
// the time; nothing if there is none, and `line` is unchanged.
std::optional<absl::Duration> TakePrintkPrefix(std::string_view& line);

}  // namespace vmm

#endif  // VMM_KTAP_CLEAN_LINE_H_
