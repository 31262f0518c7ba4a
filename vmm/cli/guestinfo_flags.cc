#include "vmm/cli/guestinfo_flags.h"

#include <string_view>

#include "absl/strings/str_format.h"
#include "base/input_file.h"
#include "base/status.h"
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

}  // namespace

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ReadGuestInfo(std::span<const std::string> values,
                                                                               std::span<const std::string> files) {
  GuestInfoStore store;  // knows which values a guest may get
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
    // A value may be a secret, and long: the error names only its key.
    RETURN_IF_ERROR(Annotate(read(), absl::StrFormat("--guestinfo=%s", text.substr(0, text.find('=')))));
  }
  for (const std::string& text : files) {
    const auto read = [&]() -> absl::Status {
      ASSIGN_OR_RETURN(const Word word, Split(text, "FILE"));
      // May be a pipe, so that a secret need not be in a file.
      ASSIGN_OR_RETURN(std::string value,
                       Annotate(ReadSmallInput(word.rest, GuestInfoStore::kMaxValueSize), word.rest));
      return add(word.key, std::move(value));
    };
    RETURN_IF_ERROR(Annotate(read(), absl::StrFormat("--guestinfo-file=%s", text)));
  }
  return entries;
}

}  // namespace vmm
