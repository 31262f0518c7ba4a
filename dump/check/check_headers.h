// The rules for an ELF core's header and program headers.
#ifndef DUMP_CHECK_CHECK_HEADERS_H_
#define DUMP_CHECK_CHECK_HEADERS_H_

#include <vector>

#include "dump/check/finding.h"
#include "dump/read/vmcore_contents.h"

namespace vmm {

// Pure. Returns one finding per rule, however often the rule is broken.
std::vector<Finding> CheckHeaders(const ElfHeaders& elf);

}  // namespace vmm

#endif  // DUMP_CHECK_CHECK_HEADERS_H_
