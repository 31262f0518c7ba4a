// Random numbers and the virtual shift for KASLR. The kernel's own decompressor does the same in
// arch/x86/boot/compressed/kaslr.c. load_kernel.cc chooses the physical place.
#ifndef VMM_BOOT_KASLR_H_
#define VMM_BOOT_KASLR_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "base/guest_addr.h"

namespace vmm {

struct Kaslr {
  enum class Mode {
    kOn,    // a different place at every boot
    kOff,   // the place that it was linked for
    kSeed,  // a random place, the same for the same seed, kernel and machine
  };
  Mode mode = Mode::kOn;
  uint64_t seed = 0;
};

// Draws pseudo-random numbers from a seed (SplitMix64: Steele, Lea, Flood, OOPSLA 2014).
class KaslrDraw {
 public:
  explicit KaslrDraw(uint64_t seed) : state_(seed) {}

  // Returns a number below `count`. REQUIRES: count > 0.
  uint64_t Below(uint64_t count);

 private:
  uint64_t state_;
};

// Returns the seed for `kaslr`: its own, or one from the host's random numbers. REQUIRES: not kOff.
absl::StatusOr<uint64_t> KaslrSeed(const Kaslr& kaslr);

// Draws the distance to move a kernel by. It is a multiple of `alignment` (a power of two). After the move, `image`,
// the kernel's link-time physical extent, still ends within KERNEL_IMAGE_SIZE of __START_KERNEL_map. Returns nothing if
// the image does not fit there even unmoved.
std::optional<uint64_t> DrawVirtualShift(KaslrDraw& draw, const GuestRange& image, uint64_t alignment);

}  // namespace vmm

#endif  // VMM_BOOT_KASLR_H_
