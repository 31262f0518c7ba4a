// A part of a batch: the runs of one machine among several.
#ifndef VMM_BATCH_SHARD_H_
#define VMM_BATCH_SHARD_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace vmm {

struct Shard {
  int index = 0;  // from 0
  int count = 1;
};

// "0/4" to "3/4".
absl::StatusOr<Shard> ParseShard(std::string_view text);

// From TEST_SHARD_INDEX and TEST_TOTAL_SHARDS, as Bazel sets them. Nothing if they are not set; InvalidArgument if only
// one of them is, or if they make no sense. `variable` is getenv(3), null for an unset one.
absl::StatusOr<std::optional<Shard>> ShardFromEnvironment(const std::function<const char*(const char*)>& variable);

// Each name is in exactly one shard of any count. It depends on the name alone, so adding a run moves no other one.
bool InShard(std::string_view name, const Shard& shard);

}  // namespace vmm

#endif  // VMM_BATCH_SHARD_H_
