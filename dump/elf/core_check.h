// Checks a vmcore by reading it back, before it gets its name.
#ifndef DUMP_ELF_CORE_CHECK_H_
#define DUMP_ELF_CORE_CHECK_H_

#include "absl/status/status.h"
#include "dump/elf/core_layout.h"

namespace vmm {

// Opens `fd` with libelf, which knows nothing of our writer, and compares it with the plan: file header, each program
// header, each note's name, type and bytes, the file's size. Returns DataLoss, naming the first difference.
absl::Status CheckCore(int fd, const CoreLayout& layout);

}  // namespace vmm

#endif  // DUMP_ELF_CORE_CHECK_H_
