#include "vmm/batch/shard.h"

#include <cstdint>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/ktap/trim.h"

namespace vmm {

absl::StatusOr<Shard> ParseShard(std::string_view text) {
  Shard shard;
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos || !ReadNumber(text.substr(0, slash), shard.index) ||
      !ReadNumber(text.substr(slash + 1), shard.count)) {
    return absl::InvalidArgumentError("must be I/N, for example 0/4 for the first of four");
  }
  if (shard.count < 1 || shard.index < 0 || shard.index >= shard.count) {
    return absl::InvalidArgumentError(
        absl::StrFormat("shard %d of %d: must be 0 to %d", shard.index, shard.count, shard.count - 1));
  }
  return shard;
}

absl::StatusOr<std::optional<Shard>> ShardFromEnvironment(const std::function<const char*(const char*)>& variable) {
  const char* const index = variable("TEST_SHARD_INDEX");
  const char* const count = variable("TEST_TOTAL_SHARDS");
  if (index == nullptr && count == nullptr) return std::nullopt;
  if (index == nullptr || count == nullptr) {
    return absl::InvalidArgumentError("of TEST_SHARD_INDEX and TEST_TOTAL_SHARDS only one is set; set both or none");
  }
  ASSIGN_OR_RETURN(const Shard shard,
                   Annotate(ParseShard(absl::StrFormat("%s/%s", index, count)), "TEST_SHARD_INDEX/TEST_TOTAL_SHARDS"));
  return shard;
}

bool InShard(std::string_view name, const Shard& shard) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a: the same on every machine and in every version
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  hash ^= hash >> 32;
  return hash % static_cast<uint64_t>(shard.count) == static_cast<uint64_t>(shard.index);
}

}  // namespace vmm
