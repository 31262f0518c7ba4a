// A file that is whole or absent. Bytes go to a partial file, ".NAME.partial.RANDOM"; only
// Commit() gives it its name, and never over a file that is there already. A sink that is
// destroyed without Commit() takes its partial file with it; that of a process that was killed is
// removed by the next one (base/partial_file.h).
//
//   ASSIGN_OR_RETURN(std::unique_ptr<FileSink> sink, FileSink::Create(dir, "vmcore"));
//   ... sink->WriteAt(...) ...
//   RETURN_IF_ERROR(sink->Sync());
//   RETURN_IF_ERROR(sink->Commit());
#ifndef BASE_FILE_SINK_H_
#define BASE_FILE_SINK_H_

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/byte_sink.h"
#include "base/output_dir.h"
#include "base/unique_fd.h"

namespace vmm {

// Used by one thread at a time. After the first error the file is lost: every later call
// but the destructor is refused. Error messages name the path and carry errno's text.
//
// A process that is to survive RLIMIT_FSIZE must ignore SIGXFSZ.
class FileSink final : public ByteSink {
 public:
  // `name` is one path component. AlreadyExists where something, be it a dangling symlink,
  // has that name. `dir` must outlive the sink. The file is readable by its owner only: it
  // holds all that a guest had in memory.
  static absl::StatusOr<std::unique_ptr<FileSink>> Create(const OutputDir& dir, std::string name);

  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;
  ~FileSink() override;

  // ByteSink. Short writes and EINTR are gone on with. Large writes whose bytes lie on pages, in memory
  // and in the file, go past the page cache (O_DIRECT): that is the disk's own speed, and takes no
  // memory from others. Small ones go through it, where many can wait for the disk at once.
  absl::Status WriteAt(uint64_t offset, std::span<const uint8_t> data) override;
  absl::Status SetSize(uint64_t size) override;

  // Waits until all bytes are on the disk. A failed fsync is final: the kernel has marked
  // the lost pages clean, so a second fsync would succeed and mean nothing.
  absl::Status Sync();

  // The file as written so far, read-only, by its partial name: what Commit() would show.
  absl::StatusOr<UniqueFd> Reopen() const;

  // Gives the file its name, atomically, makes sure that it is this file which has it, and syncs the
  // directory. AlreadyExists if the name
  // was taken meanwhile; then the sink still stands, and CommitAs() may try another name.
  // REQUIRES: Sync() succeeded, and nothing was written after it (else FailedPrecondition).
  absl::Status Commit() { return CommitAs(name_); }
  absl::Status CommitAs(std::string_view name);

 private:
  FileSink(const OutputDir& dir, std::string name, std::string partial_name, UniqueFd fd)
      : dir_(dir), name_(std::move(name)), partial_name_(std::move(partial_name)), fd_(std::move(fd)) {}

  absl::Status Usable() const;
  bool SetDirect(bool direct);
  absl::Status CheckIsOurs(int found_result, const struct stat& found, const std::string& path) const;
  absl::Status Fail(int error, const std::string& what);

  const OutputDir& dir_;
  const std::string name_;
  const std::string partial_name_;
  UniqueFd fd_;
  bool may_be_direct_ = true;  // until the file system says otherwise
  bool is_direct_ = false;
  bool failed_ = false;
  bool synced_ = false;
  bool committed_ = false;
};

}  // namespace vmm

#endif  // BASE_FILE_SINK_H_
