// Bytes of guest memory that a vCPU may change at the same time. Each is read once, into a copy; the copy is judged.
#ifndef DEVICES_VIRTIO_RING_MEMORY_H_
#define DEVICES_VIRTIO_RING_MEMORY_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace vmm {

// REQUIRES (all but CopyDescriptor): `at` is aligned for T. The rings are, because their layout was checked.
template <typename T>
T LoadRelaxed(const uint8_t* at) {
  return __atomic_load_n(reinterpret_cast<const T*>(at), __ATOMIC_RELAXED);
}
template <typename T>
T LoadAcquire(const uint8_t* at) {
  return __atomic_load_n(reinterpret_cast<const T*>(at), __ATOMIC_ACQUIRE);
}
template <typename T>
void StoreRelaxed(uint8_t* at, T value) {
  __atomic_store_n(reinterpret_cast<T*>(at), value, __ATOMIC_RELAXED);
}
template <typename T>
void StoreRelease(uint8_t* at, T value) {
  __atomic_store_n(reinterpret_cast<T*>(at), value, __ATOMIC_RELEASE);
}

// Orders what we wrote before against what we read next. Without it each side may miss the other's last word, and both
// wait.
inline void RingFence() {
#if defined(__SANITIZE_THREAD__)  // it knows no fences, but a locked instruction is one on x86
  static uint32_t locked;
  __atomic_fetch_add(&locked, 1, __ATOMIC_SEQ_CST);
#else
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

// A descriptor (16 bytes) at any address: an indirect table need not be aligned.
template <typename Desc>
Desc CopyDescriptor(const uint8_t* at) {
  static_assert(sizeof(Desc) == 16);
  if (reinterpret_cast<uintptr_t>(at) % 8 == 0) {
    return std::bit_cast<Desc>(std::array<uint64_t, 2>{LoadRelaxed<uint64_t>(at), LoadRelaxed<uint64_t>(at + 8)});
  }
  std::array<uint8_t, 16> bytes;
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = LoadRelaxed<uint8_t>(at + i);
  return std::bit_cast<Desc>(bytes);
}

}  // namespace vmm

#endif  // DEVICES_VIRTIO_RING_MEMORY_H_
