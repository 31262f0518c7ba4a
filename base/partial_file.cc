#include "base/partial_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

constexpr std::string_view kInfix = ".partial.";
constexpr size_t kRandomDigits = 16;

// A cleaner can come between the creation of a file and its lock, but not every time.
constexpr int kMaxAttempts = 16;

// Returns 0 or errno. Never waits.
int Lock(int fd) {
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

struct DirCloser {
  void operator()(DIR* dir) const { closedir(dir); }
};

std::vector<std::string> PartialNamesIn(const OutputDir& dir) {
  UniqueFd fd(openat(dir.fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::unique_ptr<DIR, DirCloser> listing(fd.valid() ? fdopendir(fd.get()) : nullptr);
  std::vector<std::string> names;
  if (listing == nullptr) return names;
  fd.release();
  while (const dirent* entry = readdir(listing.get())) {
    if (IsPartialName(entry->d_name)) names.push_back(entry->d_name);
  }
  return names;
}

// If we get the lock of a partial file, its writer is gone. We hold the lock while we remove the name, so the name
// cannot come to mean another file of ours meanwhile.
bool RemoveIfAbandoned(const OutputDir& dir, const std::string& name) {
  const UniqueFd fd(openat(dir.fd(), name.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat opened = {}, named = {};
  if (!fd.valid() || fstat(fd.get(), &opened) != 0) return false;
  if (!S_ISREG(opened.st_mode) || opened.st_uid != geteuid() || Lock(fd.get()) != 0) return false;
  if (fstatat(dir.fd(), name.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0) return false;
  if (named.st_dev != opened.st_dev || named.st_ino != opened.st_ino) return false;
  return unlinkat(dir.fd(), name.c_str(), 0) == 0;
}

}  // namespace

absl::StatusOr<PartialFile> CreatePartialFile(const OutputDir& dir, std::string_view name) {
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    uint64_t random = 0;  // makes a name that another process cannot foresee
    if (getrandom(&random, sizeof(random), 0) != static_cast<ssize_t>(sizeof(random))) {
      return ErrnoStatus(errno, absl::StrFormat("getrandom, for a name in %s", dir.path()));
    }
    PartialFile file{.name = absl::StrFormat(".%s%s%016x", name, kInfix, random)};
    file.fd.reset(openat(dir.fd(), file.name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.fd.valid()) return ErrnoStatus(errno, absl::StrFormat("create %s", dir.PathOf(file.name)));

    const int error = Lock(file.fd.get());
    struct stat made = {};
    const bool cleaned_away = fstat(file.fd.get(), &made) == 0 && made.st_nlink == 0;
    if (error != EWOULDBLOCK && !cleaned_away) return file;
    unlinkat(dir.fd(), file.name.c_str(), 0);
  }
  return absl::AbortedError(absl::StrFormat("%s: somebody locks or removes each new file", dir.path()));
}

bool IsPartialName(std::string_view name) {
  const size_t infix = name.rfind(kInfix);
  if (infix == name.npos || infix < 2 || name[0] != '.') return false;
  const std::string_view digits = name.substr(infix + kInfix.size());
  return digits.size() == kRandomDigits && digits.find_first_not_of("0123456789abcdef") == digits.npos;
}

int RemoveAbandonedFiles(const OutputDir& dir) {
  const std::vector<std::string> names = PartialNamesIn(dir);
  return static_cast<int>(
      std::ranges::count_if(names, [&](const std::string& n) { return RemoveIfAbandoned(dir, n); }));
}

}  // namespace vmm
