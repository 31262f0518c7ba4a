#include "vmm/boot/bzimage.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "absl/strings/str_format.h"
#include "base/guest_addr.h"
#include "base/printable.h"
#include "base/status.h"

namespace vmm {
namespace {

constexpr uint16_t kOldestProtocol = 0x206;
constexpr uint64_t kOldestHeaderEnd = 0x23c;  // through cmdline_size
constexpr size_t kVersionMax = 127;           // at most this many bytes of the kernel_version string are kept
constexpr uint64_t kAlignmentMax = kKernelImageSize;

absl::Status Bad(std::string message) { return absl::InvalidArgumentError(message); }

// The end of a protocol version's header. Bytes after it did not yet belong to the header, even if the length byte
// covers them. In ipxe.lkrn (2.07) they are text at payload_offset and init_size.
uint64_t ProtocolHeaderEnd(uint16_t version) {
  if (version >= 0x20f) return 0x26c;
  if (version >= 0x20b) return 0x268;
  if (version >= 0x20a) return 0x264;
  if (version >= 0x209) return 0x258;
  if (version >= 0x208) return 0x250;
  if (version >= 0x207) return 0x248;
  return kOldestHeaderEnd;
}

// Copies the header's bytes before `end`, an offset in the image. Fields from there on stay 0.
SetupHeader ReadHeader(std::span<const uint8_t> head, uint64_t end) {
  SetupHeader header;
  std::memcpy(reinterpret_cast<uint8_t*>(&header), head.data() + kSetupHeaderOffset, end - kSetupHeaderOffset);
  return header;
}

absl::Status CheckMagic(std::span<const uint8_t> head) {
  if (head.size() < kOldestHeaderEnd) {
    return Bad(absl::StrFormat("not a bzImage: %d bytes, its header alone ends at %#x", head.size(), kOldestHeaderEnd));
  }
  const SetupHeader header = ReadHeader(head, kOldestHeaderEnd);
  if (header.header != kSetupHeaderMagic) {
    return Bad(
        absl::StrFormat("not a bzImage or an ELF file: %#x at 0x202 where \"HdrS\" (%#x) belongs; it begins with "
                        "%02x %02x %02x %02x",
                        uint32_t{header.header}, kSetupHeaderMagic, head[0], head[1], head[2], head[3]));
  }
  if (header.boot_flag != kBootFlag) {
    return Bad(absl::StrFormat("boot_flag at 0x1fe is %#x, not %#x", uint16_t{header.boot_flag}, kBootFlag));
  }
  if (header.version < kOldestProtocol) {
    return Bad(absl::StrFormat("boot protocol %d.%02d is too old: 2.06 (Linux 2.6.22) is the oldest understood",
                               header.version >> 8, header.version & 0xff));
  }
  return absl::OkStatus();
}

absl::Status CheckPayload(const SetupHeader& header, BzImage* image) {
  if (header.payload_length == 0) return absl::OkStatus();
  const uint64_t end = uint64_t{header.payload_offset} + header.payload_length;
  if (end > image->protected_size) {
    return Bad(absl::StrFormat("payload_offset %#x + payload_length %#x is past the protected-mode part's %#x bytes",
                               uint32_t{header.payload_offset}, uint32_t{header.payload_length},
                               image->protected_size));
  }
  image->payload_offset = image->protected_offset + header.payload_offset;
  image->payload_size = header.payload_length;
  return absl::OkStatus();
}

absl::Status CheckPlacement(const SetupHeader& header) {
  if (header.relocatable_kernel != 0) {
    const uint32_t alignment = header.kernel_alignment;
    if (!std::has_single_bit(alignment) || alignment < kPageSize || alignment > kAlignmentMax) {
      return Bad(absl::StrFormat("kernel_alignment %#x is not a power of two from %#x to %#x", alignment, kPageSize,
                                 kAlignmentMax));
    }
  }
  uint64_t end = 0;
  if (!CheckedAdd(header.pref_address, header.init_size, &end)) {
    return Bad(absl::StrFormat("pref_address %#x + init_size %#x passes 2^64", uint64_t{header.pref_address},
                               uint32_t{header.init_size}));
  }
  return absl::OkStatus();
}

// The string at kernel_version + 0x200. Only people read it, so an error in it shortens the string and is no reason to
// refuse the image.
std::string ReadVersion(const SetupHeader& header, std::span<const uint8_t> setup) {
  if (header.kernel_version == 0) return "";
  std::string version;
  for (size_t at = size_t{header.kernel_version} + 0x200; at < setup.size() && version.size() < kVersionMax; ++at) {
    if (!IsPrintable(static_cast<char>(setup[at]))) break;
    version.push_back(static_cast<char>(setup[at]));
  }
  return version;
}

}  // namespace

absl::StatusOr<BzImage> ParseBzImage(std::span<const uint8_t> head, uint64_t file_size) {
  RETURN_IF_ERROR(CheckMagic(head));

  const uint64_t own_end = kHeaderLengthBase + head[kHeaderLengthOffset];
  if (own_end < kOldestHeaderEnd) {
    return Bad(absl::StrFormat("the header's length byte at 0x201 is %#x: it ends at %#x, before cmdline_size at 0x238",
                               head[kHeaderLengthOffset], own_end));
  }
  const uint16_t version = ReadHeader(head, kOldestHeaderEnd).version;
  const uint64_t end = std::min(own_end, ProtocolHeaderEnd(version));
  if (end > head.size()) {
    return Bad(absl::StrFormat("the file is cut short: %d bytes, its header ends at %#x", head.size(), end));
  }
  BzImage image{.header = ReadHeader(head, end)};
  SetupHeader& header = image.header;
  if (header.version < 0x20c) header.xloadflags = 0;  // these bytes were padding before 2.12

  const uint64_t sects = header.setup_sects == 0 ? kDefaultSetupSects : header.setup_sects;
  image.protected_offset = (sects + 1) * kSetupSectorSize;
  if (image.protected_offset >= file_size) {
    return Bad(absl::StrFormat("setup_sects %d puts the protected-mode part at %#x, the file has %#x bytes",
                               header.setup_sects, image.protected_offset, file_size));
  }
  if (end > image.protected_offset) {
    return Bad(absl::StrFormat("setup_sects %d ends the setup part at %#x, inside the header that ends at %#x",
                               header.setup_sects, image.protected_offset, end));
  }
  image.protected_size = file_size - image.protected_offset;
  // syssize is rounded up to its unit, so a whole file may be up to 15 bytes short of it.
  if (uint64_t{header.syssize} * kSyssizeUnit >= image.protected_size + kSyssizeUnit) {
    return Bad(absl::StrFormat("the file is cut short: syssize %#x says %#x bytes behind the setup part, there are %#x",
                               uint32_t{header.syssize}, header.syssize * kSyssizeUnit, image.protected_size));
  }
  RETURN_IF_ERROR(CheckPayload(header, &image));
  RETURN_IF_ERROR(CheckPlacement(header));
  image.version = ReadVersion(header, head.first(std::min<uint64_t>(head.size(), image.protected_offset)));
  return image;
}

}  // namespace vmm
