// The list of runs that `vmm batch FILE` makes: one run a line, as a person writes it.
//
//   # a comment
//   *: --kernel=bzImage --timeout=5m          flags for every run after this line
//   boots: --append='console=ttyS0'
//   two-cpus: --cpus=2 --append="console=ttyS0 nosmt"
#ifndef VMM_BATCH_BATCH_FILE_H_
#define VMM_BATCH_BATCH_FILE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace vmm {

struct BatchRun {
  std::string name;  // also the name of its folder
  std::vector<std::string> args;
  int cpus = 1;                               // of --cpus
  uint64_t memory_bytes = uint64_t{1} << 30;  // of --memory
  std::optional<std::string> timeout;         // of --timeout, as written
};

// True if `name` can be a run's: 1 to 100 letters, digits, '.', '_', '+', '-' and '@', not beginning with '.' or '-'.
bool IsRunName(std::string_view name);

// Words are split as a shell does: blanks, '...', "..." and \. InvalidArgument begins with "line N: ". Refused: a name
// twice, a file without runs, and flags that the batch itself gives to each run (--result).
absl::StatusOr<std::vector<BatchRun>> ParseBatchFile(std::string_view text);

// The last value of --`name` in `args`, up to a "--"; nothing if it is not there.
std::optional<std::string> FlagIn(const std::vector<std::string>& args, std::string_view name);

}  // namespace vmm

#endif  // VMM_BATCH_BATCH_FILE_H_
