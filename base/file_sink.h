// Writes a file that is whole or absent. Bytes go to a partial file, ".NAME.partial.RANDOM". Only Commit() gives it its
// final name, and never replaces an existing file. If a sink is destroyed without Commit(), it removes its partial
// file. If a process is killed, the next process removes the partial file that it left (base/partial_file.h).
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

// Used by one thread at a time. After the first error the file is lost, and every later call except the destructor is
// refused. Error messages name the path and carry errno's text.
//
// A process must ignore SIGXFSZ if it is to survive RLIMIT_FSIZE.
class FileSink final : public ByteSink {
 public:
  // `name` is one path component. AlreadyExists if anything has that name, even a dangling symlink. `dir` must outlive
  // the sink. Only the owner can read the file, because it holds all that the guest had in memory.
  static absl::StatusOr<std::unique_ptr<FileSink>> Create(const OutputDir& dir, std::string name);

  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;
  ~FileSink() override;

  // ByteSink. Continues after short writes and EINTR. A large write bypasses the page cache (O_DIRECT) if its bytes are
  // page-aligned in memory and in the file: it runs at the disk's own speed and takes no memory from others. Small
  // writes go through the cache, so that many can wait for the disk at once.
  absl::Status WriteAt(uint64_t offset, std::span<const uint8_t> data) override;
  absl::Status SetSize(uint64_t size) override;

  // Waits until all bytes are on the disk. A failed fsync is final: the kernel has marked
  // the lost pages clean, so a second fsync would succeed and mean nothing.
  absl::Status Sync();

  // The file as written so far, opened read-only by its partial name. It has the content that Commit() would publish.
  absl::StatusOr<UniqueFd> Reopen() const;

  // Gives the file its name atomically, checks that the name refers to this file, and syncs the directory.
  // AlreadyExists if the name was taken meanwhile; the sink then stays usable, and CommitAs() may try another name.
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
  bool may_be_direct_ = true;  // until the file system refuses O_DIRECT
  bool is_direct_ = false;
  bool failed_ = false;
  bool synced_ = false;
  bool committed_ = false;
};

}  // namespace vmm

#endif  // BASE_FILE_SINK_H_
