#include "sandbox/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/status.h"
#include "base/unique_fd.h"

namespace vmm {
namespace {

// Newer than Debian 12's header.
constexpr uint64_t kTruncate = 1ull << 14;  // version 3
constexpr uint64_t kIoctlDev = 1ull << 15;  // version 5

constexpr uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr uint64_t kWrite = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                            LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REFER | kTruncate;
constexpr uint64_t kFileOnly = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;

// As version 4 has it; older versions take the first word alone.
struct RulesetAttributes {
  uint64_t handled_access_fs;
  uint64_t handled_access_net;
};

uint64_t Handled(int version) {
  uint64_t rights = (1ull << 13) - 1;  // version 1
  if (version >= 2) rights |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3) rights |= kTruncate;
  if (version >= 5) rights |= kIoctlDev;
  return rights;
}

absl::Status Allow(int ruleset, const std::string& path, uint64_t rights) {
  const UniqueFd place(open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat status;
  if (!place.valid() || fstat(place.get(), &status) != 0) return absl::OkStatus();
  if (!S_ISDIR(status.st_mode)) rights &= kFileOnly;
  const landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = place.get()};
  if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0) return absl::OkStatus();
  if (errno == EBADFD) return absl::OkStatus();  // a pipe: Landlock does not judge it
  return ErrnoStatus(errno, "Landlock rule for " + path);
}

}  // namespace

int LandlockVersion() {
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version > 0 ? static_cast<int>(version) : 0;
}

absl::Status ConfineFiles(std::span<const std::string> writable, std::span<const std::string> readable,
                          std::span<const std::string> removable) {
  const int version = LandlockVersion();
  if (version == 0) return absl::UnimplementedError("this kernel has no Landlock");
  const uint64_t handled = Handled(version);
  // Version 4 brought TCP: to handle bind (1) and connect (2) and to allow neither closes both.
  const RulesetAttributes attributes = {.handled_access_fs = handled, .handled_access_net = version >= 4 ? 3u : 0u};
  const size_t size = version >= 4 ? sizeof(attributes) : sizeof(attributes.handled_access_fs);
  const UniqueFd ruleset(static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, size, 0)));
  if (!ruleset.valid()) return ErrnoStatus(errno, "Landlock ruleset");
  for (const std::string& path : writable) RETURN_IF_ERROR(Allow(ruleset.get(), path, (kRead | kWrite) & handled));
  for (const std::string& path : removable) {
    RETURN_IF_ERROR(Allow(ruleset.get(), path, LANDLOCK_ACCESS_FS_REMOVE_FILE));
  }
  for (const std::string& path : readable) RETURN_IF_ERROR(Allow(ruleset.get(), path, kRead & handled));
  if (syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) return ErrnoStatus(errno, "Landlock");
  return absl::OkStatus();
}

}  // namespace vmm
