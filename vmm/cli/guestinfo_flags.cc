#include "vmm/cli/guestinfo_flags.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/unique_fd.h"
#include "devices/vmport/guestinfo_store.h"

namespace vmm {
namespace {

constexpr std::string_view kPrefix = "guestinfo.";

struct Word {
  std::string key;
  std::string rest;
};

absl::StatusOr<Word> Split(std::string_view word, std::string_view what) {
  const size_t equals = word.find('=');
  if (equals == std::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrFormat("write KEY=%s", what));
  }
  std::string_view key = word.substr(0, equals);
  if (key.starts_with(kPrefix)) key.remove_prefix(kPrefix.size());
  return Word{std::string(key), std::string(word.substr(equals + 1))};
}

// May be a pipe, so that a secret need not lie in a file.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return ErrnoStatus(errno, absl::StrFormat("open %s", path));
  std::string bytes(GuestInfoStore::kMaxValueSize + 1, '\0');
  size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t got = read(fd.get(), bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, absl::StrFormat("read %s", path));
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  if (size > GuestInfoStore::kMaxValueSize) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s: more than the %d bytes of a value", path, GuestInfoStore::kMaxValueSize));
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ReadGuestInfo(std::span<const std::string> values,
                                                                               std::span<const std::string> files) {
  GuestInfoStore store;  // knows what a guest may be given
  std::vector<std::pair<std::string, std::string>> entries;
  const auto add = [&](const std::string& key, std::string value) {
    entries.emplace_back(key, value);
    return ToStatus(store.Set(key, value, GuestInfoStore::By::kHost), key);
  };
  for (const std::string& text : values) {
    const auto read = [&]() -> absl::Status {
      ASSIGN_OR_RETURN(const Word word, Split(text, "VALUE"));
      return add(word.key, word.rest);
    };
    // A value may be a secret, and long: only its key is named.
    RETURN_IF_ERROR(Annotate(read(), absl::StrFormat("--guestinfo=%s", text.substr(0, text.find('=')))));
  }
  for (const std::string& text : files) {
    const auto read = [&]() -> absl::Status {
      ASSIGN_OR_RETURN(const Word word, Split(text, "FILE"));
      ASSIGN_OR_RETURN(std::string value, ReadSmallFile(word.rest));
      return add(word.key, std::move(value));
    };
    RETURN_IF_ERROR(Annotate(read(), absl::StrFormat("--guestinfo-file=%s", text)));
  }
  return entries;
}

}  // namespace vmm
