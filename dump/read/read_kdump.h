// A kdump-compressed file: makedumpfile's, QEMU's, ours; flattened too.
#ifndef DUMP_READ_READ_KDUMP_H_
#define DUMP_READ_READ_KDUMP_H_

#include "absl/status/statusor.h"
#include "base/core_file.h"
#include "dump/read/vmcore_contents.h"

namespace vmm {

// `file` must outlive the result. Errors are KdumpFile::Open's (dump/kdump/kdump_file.h).
absl::StatusOr<VmcoreContents> ReadKdump(const CoreFile& file);

}  // namespace vmm

#endif  // DUMP_READ_READ_KDUMP_H_
