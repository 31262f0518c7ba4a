// The verdict of a dump's own check, by reader: what result.json calls readable_by.
#ifndef DUMP_CHECK_READABLE_BY_H_
#define DUMP_CHECK_READABLE_BY_H_

#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "dump/check/finding.h"

namespace vmm {

struct ReadableBy {
  Reader reader = Reader::kCrash;
  std::optional<std::string> why_not;  // none: it opens the file and shows what is in it
};

// One for each of crash, drgn, gdb and makedumpfile. `file` is read as anybody would: its notes, its page tables, and
// through those the kernel's release and banner. A file that cannot be read at all is readable by none, and no error.
std::vector<ReadableBy> FindReaders(UniqueFd file, const std::string& path);

}  // namespace vmm

#endif  // DUMP_CHECK_READABLE_BY_H_
