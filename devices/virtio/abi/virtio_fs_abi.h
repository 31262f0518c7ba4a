// The file system device. Source: Virtual I/O Device (VIRTIO) 1.2, section 5.11. Field names are the specification's.
// All numbers are little endian.
#ifndef DEVICES_VIRTIO_ABI_VIRTIO_FS_ABI_H_
#define DEVICES_VIRTIO_ABI_VIRTIO_FS_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

inline constexpr uint32_t kVirtioIdFs = 26;  // 5.11.1

// 5.11.2: queues of a device without VIRTIO_FS_F_NOTIFICATION.
inline constexpr int kVirtioFsHiprio = 0;
inline constexpr int kVirtioFsRequestQueue = 1;  // the first

// 5.11.4 Device configuration layout.
struct VirtioFsConfig {
  char tag[36];  // UTF-8, padded with zeros; no zero at the end if it is full
  uint32_t num_request_queues;
  uint32_t notify_buf_size;  // with VIRTIO_FS_F_NOTIFICATION
};
static_assert(sizeof(VirtioFsConfig) == 44);
static_assert(offsetof(VirtioFsConfig, num_request_queues) == 36);

}  // namespace vmm

#endif  // DEVICES_VIRTIO_ABI_VIRTIO_FS_ABI_H_
