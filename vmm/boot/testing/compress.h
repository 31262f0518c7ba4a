// Compresses test data in each format the way a kernel's build does.
#ifndef VMM_BOOT_TESTING_COMPRESS_H_
#define VMM_BOOT_TESTING_COMPRESS_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "vmm/boot/codecs.h"

namespace vmm {

inline constexpr std::array kAllCodecs{Codec::kGzip, Codec::kBzip2, Codec::kLzma, Codec::kXz,
                                       Codec::kLzo,  Codec::kLz4,   Codec::kZstd};

// Returns the compressed stream, without the size word that follows it in a payload.
std::vector<uint8_t> Compress(Codec codec, std::span<const uint8_t> data);

}  // namespace vmm

#endif  // VMM_BOOT_TESTING_COMPRESS_H_
