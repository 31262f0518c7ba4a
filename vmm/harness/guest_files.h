// Puts files of the host into the guest's archive, at the same paths, with everything that they need to run.
#ifndef VMM_HARNESS_GUEST_FILES_H_
#define VMM_HARNESS_GUEST_FILES_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vmm/harness/cpio_writer.h"
#include "vmm/harness/library_search.h"

namespace vmm {

// One thread uses it. The archive must outlive it. All host paths must be absolute.
class GuestFiles {
 public:
  GuestFiles(CpioWriter& archive, LibraryFolders folders) : archive_(archive), folders_(std::move(folders)) {}

  // Adds the program at `path` with its interpreter and libraries; for a script, the program that its #! line names.
  // A NoProgramError says what is missing, or why it is no program for the guest.
  absl::Status AddProgram(const std::string& path);

  // Adds the file or the folder, with all below it, at `at` in the guest. An x86-64 ELF file brings its libraries
  // along, as far as they are found. Symbolic links in a folder stay links; `host` itself is followed.
  absl::Status Add(const std::string& host, const std::string& at);

 private:
  absl::Status AddProgramAt(const std::string& path, int depth);
  absl::Status AddElf(const std::string& path, const InputFile& file);
  absl::Status AddScript(const std::string& path, const InputFile& file, int depth);
  absl::Status AddLibraries(const std::string& path);
  absl::Status AddFolder(const std::string& host, const std::string& at);
  absl::Status AddLoader(const std::string& interpreter);
  absl::Status AddWithNeeds(const std::string& host, const std::string& at);
  absl::Status CopyOnce(const std::string& host, const std::string& at, bool executable);

  CpioWriter& archive_;
  LibraryFolders folders_;
};

// The path of a program that `word` names, as a shell would find it: a path if it has a slash, else the first such
// executable file in `search_path`, whose folders are separated by colons. NoProgramError if there is none. The path is
// absolute.
absl::StatusOr<std::string> FindProgram(const std::string& word, std::string_view search_path);

// A NoProgramError unless a file that may be executed is at `path`.
absl::Status CheckProgram(const std::string& path);

// `path` from the current folder on, without "." and ".." and double slashes. Looks at no file.
std::string AbsolutePath(const std::string& path);

}  // namespace vmm

#endif  // VMM_HARNESS_GUEST_FILES_H_
