// The 9P transport device, and as much of the 9P2000.L protocol as its bridge needs. VIRTIO 1.2 reserves the device's
// number (section 5) without a description. Sources: Linux, include/uapi/linux/virtio_9p.h and include/net/9p/9p.h, and
// the protocol page of diod. All numbers are little endian.
#ifndef DEVICES_VIRTIO_ABI_VIRTIO_9P_ABI_H_
#define DEVICES_VIRTIO_ABI_VIRTIO_9P_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

inline constexpr uint32_t kVirtioId9p = 9;

inline constexpr uint64_t kVirtio9pMountTag = 1ull << 0;  // the configuration space holds a tag

// Configuration space: this, then tag_len bytes of the tag, without a zero at the end.
struct Virtio9pConfig {
  uint16_t tag_len;
};
static_assert(sizeof(Virtio9pConfig) == 2);

// In front of each message: size[4] type[1] tag[2]. `size` counts itself.
struct __attribute__((packed)) NinePHeader {
  uint32_t size;
  uint8_t type;
  uint16_t tag;
};
static_assert(sizeof(NinePHeader) == 7);
static_assert(offsetof(NinePHeader, tag) == 5);

// Tattach: header fid[4] afid[4] uname[s] aname[s] n_uname[4]. A string [s] has its length in front, in 2 bytes.
inline constexpr uint8_t kNinePTattachType = 104;
inline constexpr size_t kNinePTattachUname = sizeof(NinePHeader) + 8;

// The answer to a request that failed.
struct __attribute__((packed)) NinePRlerror {
  NinePHeader header;
  uint32_t ecode;  // Linux's errno
};
static_assert(sizeof(NinePRlerror) == 11);
inline constexpr uint8_t kNinePRlerrorType = 7;

}  // namespace vmm

#endif  // DEVICES_VIRTIO_ABI_VIRTIO_9P_ABI_H_
