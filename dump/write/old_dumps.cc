#include "dump/write/old_dumps.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <tuple>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/unique_fd.h"
#include "dump/read/vmcore.h"
#include "dump/write/dump_name.h"
#include "dump/write/gdb_script.h"

namespace vmm {
namespace {

struct Dump {
  std::string name;
  struct stat file = {};

  bool operator<(const Dump& other) const {
    const timespec &a = file.st_mtim, &b = other.file.st_mtim;
    return std::tie(a.tv_sec, a.tv_nsec, name) < std::tie(b.tv_sec, b.tv_nsec, other.name);
  }
};

struct DirCloser {
  void operator()(DIR* dir) const { closedir(dir); }
};

absl::StatusOr<std::vector<std::string>> NamesIn(const OutputDir& dir) {
  UniqueFd fd(openat(dir.fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::unique_ptr<DIR, DirCloser> listing(fd.valid() ? fdopendir(fd.get()) : nullptr);
  if (listing == nullptr) return ErrnoStatus(errno, absl::StrFormat("list %s", dir.path()));
  fd.release();
  std::vector<std::string> names;
  while (const dirent* entry = readdir(listing.get())) names.push_back(entry->d_name);
  return names;
}

// Opens the file first, so that all checks are of the file that was opened.
bool IsOurDump(const OutputDir& dir, Dump& dump) {
  if (!IsDumpName(dump.name)) return false;
  UniqueFd fd(openat(dir.fd(), dump.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid() || fstat(fd.get(), &dump.file) != 0) return false;
  if (!S_ISREG(dump.file.st_mode) || dump.file.st_uid != geteuid()) return false;
  const absl::StatusOr<std::unique_ptr<Vmcore>> core = Vmcore::Take(std::move(fd), dir.PathOf(dump.name));
  return core.ok() && (*core)->FindNote("VMM") != nullptr;
}

absl::Status Remove(const OutputDir& dir, const Dump& dump) {
  struct stat now = {};
  const std::string path = dir.PathOf(dump.name);
  if (fstatat(dir.fd(), dump.name.c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? absl::OkStatus() : ErrnoStatus(errno, absl::StrFormat("stat %s", path));
  }
  if (now.st_dev != dump.file.st_dev || now.st_ino != dump.file.st_ino) return absl::OkStatus();
  // The script first: without its core it is useless, and it would stay for ever.
  RemoveGdbScript(dir, dump.name);
  if (unlinkat(dir.fd(), dump.name.c_str(), 0) != 0 && errno != ENOENT) {
    return ErrnoStatus(errno, absl::StrFormat("remove the old dump %s", path));
  }
  return absl::OkStatus();
}

}  // namespace

RemovedDumps RemoveOldDumps(const OutputDir& dir, int keep, std::string_view newest) {
  RemovedDumps removed;
  absl::StatusOr<std::vector<std::string>> names = NamesIn(dir);
  if (!names.ok()) {
    removed.status = names.status();
    return removed;
  }
  std::vector<Dump> older;
  for (std::string& name : *names) {
    Dump dump{.name = std::move(name)};
    if (dump.name != newest && IsOurDump(dir, dump)) older.push_back(std::move(dump));
  }
  std::ranges::sort(older, std::less<>());
  const size_t kept = std::min<size_t>(older.size(), static_cast<size_t>(keep - 1));
  for (const Dump& dump : std::span(older).first(older.size() - kept)) {
    const absl::Status status = Remove(dir, dump);
    if (status.ok()) {
      removed.names.push_back(dump.name);
    } else {
      removed.status.Update(status);
    }
  }
  return removed;
}

}  // namespace vmm
