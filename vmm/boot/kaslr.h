// Where a kernel is put when its loader chooses: what the kernel's own decompressor does in
// arch/x86/boot/compressed/kaslr.c, done here.
#ifndef VMM_BOOT_KASLR_H_
#define VMM_BOOT_KASLR_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "base/guest_addr.h"

namespace vmm {

struct Kaslr {
  enum class Mode {
    kOn,    // somewhere else at every boot
    kOff,   // where it was linked to run
    kSeed,  // somewhere, the same for the same seed, kernel and machine
  };
  Mode mode = Mode::kOn;
  uint64_t seed = 0;
};

// Numbers drawn from a seed (SplitMix64: Steele, Lea, Flood, OOPSLA 2014).
class KaslrDraw {
 public:
  explicit KaslrDraw(uint64_t seed) : state_(seed) {}

  // A number below `count`. REQUIRES: count > 0.
  uint64_t Below(uint64_t count);

 private:
  uint64_t state_;
};

// The seed that `kaslr` stands for: its own, or the host's random numbers. REQUIRES: not kOff.
absl::StatusOr<uint64_t> KaslrSeed(const Kaslr& kaslr);

// A distance to move a kernel by: a multiple of `alignment` (a power of two) such that `image`,
// its link-time physical extent, ends within KERNEL_IMAGE_SIZE of __START_KERNEL_map. Nothing
// where the image does not fit that even unmoved.
std::optional<uint64_t> DrawVirtualShift(KaslrDraw& draw, const GuestRange& image, uint64_t alignment);

}  // namespace vmm

#endif  // VMM_BOOT_KASLR_H_
