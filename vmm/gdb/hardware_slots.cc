#include "vmm/gdb/hardware_slots.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

constexpr uint64_t kMaxSize = 32;

// The largest part of `size` bytes from `address` that one breakpoint can watch.
uint64_t PartAt(uint64_t address, uint64_t size) {
  uint64_t part = 8;
  while (part > size || address % part != 0) part /= 2;
  return part;
}

}  // namespace

std::vector<HardwareBreak> HardwareSlots::breaks() const {
  std::vector<HardwareBreak> breaks;
  for (const Wanted& wanted : wanted_) {
    for (uint64_t done = 0; done < wanted.size;) {
      const uint64_t part = PartAt(wanted.address + done, wanted.size - done);
      breaks.push_back({wanted.kind, wanted.address + done, static_cast<uint8_t>(part)});
      done += part;
    }
  }
  return breaks;
}

absl::Status HardwareSlots::Add(HardwareBreak::Kind kind, uint64_t address, uint64_t size) {
  if (kind == HardwareBreak::Kind::kExecute) size = 1;
  if (size == 0 || size > kMaxSize) {
    return absl::InvalidArgumentError(absl::StrFormat("%d bytes cannot be watched; 1 to %d can", size, kMaxSize));
  }
  const Wanted wanted{kind, address, size};
  if (std::ranges::find(wanted_, wanted) != wanted_.end()) return absl::OkStatus();
  wanted_.push_back(wanted);
  if (breaks().size() <= kHardwareBreaks) return absl::OkStatus();
  wanted_.pop_back();
  return absl::ResourceExhaustedError(
      absl::StrFormat("the processor has %d breakpoints, and they are in use", kHardwareBreaks));
}

bool HardwareSlots::Remove(HardwareBreak::Kind kind, uint64_t address, uint64_t size) {
  if (kind == HardwareBreak::Kind::kExecute) size = 1;
  const auto found = std::ranges::find(wanted_, Wanted{kind, address, size});
  if (found == wanted_.end()) return false;
  wanted_.erase(found);
  return true;
}

}  // namespace vmm
