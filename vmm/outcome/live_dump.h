// A dump of a guest that lived: how it came about and what it cost. Part of a run's outcome.
#ifndef VMM_OUTCOME_LIVE_DUMP_H_
#define VMM_OUTCOME_LIVE_DUMP_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "dump/write/write_vmcore.h"

namespace vmm {

struct LiveDump {
  std::string_view why;       // a literal: "signal", "key", "timer"
  absl::Duration at;          // from the guest's first instruction to the moment that the dump shows
  bool flip = false;          // the guest ran on while the dump was written; false: it stood still
  std::string why_no_flip;    // empty if there was a flip
  absl::Duration pause;       // the guest stood still for so long, to be frozen or to be dumped
  absl::Duration merge;       // with a flip: its second pause, at the end
  uint64_t merged_bytes = 0;  // with a flip: RAM that the guest wrote meanwhile, and that was copied at the end
  std::string merge_error;    // with a flip: why the guest's RAM could not be made one again; its bytes are all there
  absl::Duration took;        // from the wish to the dump's name
  std::optional<VmcoreReport> dump;
  absl::Status error;  // why there is no dump
};

// All live dumps of a run. A run of days may make many.
struct LiveDumps {
  static constexpr size_t kKept = 64;

  uint64_t made = 0;
  uint64_t failed = 0;
  std::deque<LiveDump> last;  // at most kKept, oldest first

  void Add(LiveDump dump) {
    ++(dump.dump.has_value() ? made : failed);
    last.push_back(std::move(dump));
    if (last.size() > kKept) last.pop_front();
  }
};

}  // namespace vmm

#endif  // VMM_OUTCOME_LIVE_DUMP_H_
