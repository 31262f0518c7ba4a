// What is wrong with a vmcore, and for whom. Each reader of dumps insists on details that the others
// pass over, so a fault is told with the readers that it breaks and how.
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
  kLess,     // it opens the file, and shows less than it could
  kWrong,    // it opens the file, and shows or reads something wrong
  kRefused,  // it does not open the file
};
std::string_view NameOf(Harm harm);  // "less"

struct Breakage {
  Reader reader = Reader::kCrash;
  Harm harm = Harm::kLess;
  std::string how;  // a sentence that goes on from "crash: "
};

struct Finding {
  std::string rule;              // short, lasting: "p_align", "qemu-notes"
  std::string what;              // what stands in the file, with its numbers; may have the file's bytes in it
  std::vector<Breakage> breaks;  // empty: a deviation that no reader is known to mind

  // The worst of `breaks`.
  std::optional<Harm> harm() const;
};

// Why `reader` does not read a file of `format` with these findings as it should, or nothing where it
// does. What is only less than possible does not count.
std::optional<std::string> WhyNot(Reader reader, VmcoreFormat format, std::span<const Finding> findings);

}  // namespace vmm

#endif  // DUMP_CHECK_FINDING_H_
