// A fault in a vmcore and the readers that it breaks. Each reader of dumps insists on details that the others ignore,
// so a finding names the readers that it breaks, and how.
#ifndef DUMP_CHECK_FINDING_H_
#define DUMP_CHECK_FINDING_H_

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dump/read/vmcore_contents.h"

namespace vmm {

enum class Reader { kCrash, kDrgn, kGdb, kMakedumpfile, kLibkdumpfile };
inline constexpr std::array kAllReaders = {Reader::kCrash, Reader::kDrgn, Reader::kGdb, Reader::kMakedumpfile,
                                           Reader::kLibkdumpfile};
std::string_view NameOf(Reader reader);  // "crash"

enum class Harm {
  kLess,     // the reader opens the file, and shows less than it could
  kWrong,    // the reader opens the file, and shows or reads something wrong
  kRefused,  // the reader does not open the file
};
std::string_view NameOf(Harm harm);  // "less"

struct Breakage {
  Reader reader = Reader::kCrash;
  Harm harm = Harm::kLess;
  std::string how;  // a sentence that continues "crash: "
};

struct Finding {
  std::string rule;              // short and stable: "p_align", "qemu-notes"
  std::string what;              // the fault as it is in the file, with its numbers; may contain bytes of the file
  std::vector<Breakage> breaks;  // empty: a deviation that no reader is known to mind

  // The worst harm in `breaks`.
  std::optional<Harm> harm() const;
};

// Why `reader` does not read a file of `format` with these findings properly, or nothing if it does. A finding that
// only makes the reader show less (kLess) does not count.
std::optional<std::string> WhyNot(Reader reader, VmcoreFormat format, std::span<const Finding> findings);

}  // namespace vmm

#endif  // DUMP_CHECK_FINDING_H_
