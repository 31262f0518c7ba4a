#include "vmm/boot/kaslr.h"

#include <sys/random.h>

#include <cerrno>

#include "base/status.h"
#include "vmm/boot/abi/bzimage_abi.h"

namespace vmm {

uint64_t KaslrDraw::Below(uint64_t count) {
  state_ += 0x9e3779b97f4a7c15;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  z ^= z >> 31;
  return z % count;
}

absl::StatusOr<uint64_t> KaslrSeed(const Kaslr& kaslr) {
  if (kaslr.mode == Kaslr::Mode::kSeed) return kaslr.seed;
  uint64_t seed = 0;
  if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) return ErrnoStatus(errno, "getrandom");
  return seed;
}

std::optional<uint64_t> DrawVirtualShift(KaslrDraw& draw, const GuestRange& image, uint64_t alignment) {
  if (!GuestRange{GuestAddr{0}, kKernelImageSize}.Contains(image)) return std::nullopt;
  const uint64_t room = kKernelImageSize - image.end().value;
  return draw.Below(room / alignment + 1) * alignment;
}

}  // namespace vmm
