// Reads a kdump-compressed file: makedumpfile's, QEMU's or ours, flattened or not.
#ifndef DUMP_READ_READ_KDUMP_H_
#define DUMP_READ_READ_KDUMP_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/core_file.h"
#include "dump/file/byte_source.h"
#include "dump/read/vmcore_contents.h"

namespace vmm {

// Errors are those of KdumpFile::Open() (dump/kdump/kdump_file.h). All but CutShortError() have `path` before them.
absl::StatusOr<VmcoreContents> ReadKdump(std::shared_ptr<const ByteSource> source, const std::string& path);

}  // namespace vmm

#endif  // DUMP_READ_READ_KDUMP_H_
