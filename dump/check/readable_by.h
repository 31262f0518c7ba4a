// The verdict of a dump's own check for each reader: `readable_by` in result.json.
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
  std::optional<std::string> why_not;  // none: the reader opens the file and shows its contents
};

// Returns one verdict each for crash, drgn, gdb and makedumpfile. Reads `file` as any reader would: its notes, its page
// tables, and through those the kernel's release and banner. A file that cannot be read at all is readable by none;
// that is not an error.
std::vector<ReadableBy> FindReaders(UniqueFd file, const std::string& path);

}  // namespace vmm

#endif  // DUMP_CHECK_READABLE_BY_H_
