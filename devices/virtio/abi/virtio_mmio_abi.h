// The registers of a virtio device on the memory bus. Source: Virtual I/O Device (VIRTIO) 1.2, section 4.2.2 and, for
// the status and feature bits, sections 2.1 and 6.
#ifndef DEVICES_VIRTIO_ABI_VIRTIO_MMIO_ABI_H_
#define DEVICES_VIRTIO_ABI_VIRTIO_MMIO_ABI_H_

#include <cstdint>

namespace vmm {

// 4.2.2: offsets. Each register is 32 bits, little endian, accessed as a whole.
inline constexpr uint64_t kVirtioMmioMagicValue = 0x000;
inline constexpr uint64_t kVirtioMmioVersion = 0x004;
inline constexpr uint64_t kVirtioMmioDeviceId = 0x008;
inline constexpr uint64_t kVirtioMmioVendorId = 0x00c;
inline constexpr uint64_t kVirtioMmioDeviceFeatures = 0x010;
inline constexpr uint64_t kVirtioMmioDeviceFeaturesSel = 0x014;
inline constexpr uint64_t kVirtioMmioDriverFeatures = 0x020;
inline constexpr uint64_t kVirtioMmioDriverFeaturesSel = 0x024;
inline constexpr uint64_t kVirtioMmioQueueSel = 0x030;
inline constexpr uint64_t kVirtioMmioQueueNumMax = 0x034;
inline constexpr uint64_t kVirtioMmioQueueNum = 0x038;
inline constexpr uint64_t kVirtioMmioQueueReady = 0x044;
inline constexpr uint64_t kVirtioMmioQueueNotify = 0x050;
inline constexpr uint64_t kVirtioMmioInterruptStatus = 0x060;
inline constexpr uint64_t kVirtioMmioInterruptAck = 0x064;
inline constexpr uint64_t kVirtioMmioStatus = 0x070;
inline constexpr uint64_t kVirtioMmioQueueDescLow = 0x080;
inline constexpr uint64_t kVirtioMmioQueueDescHigh = 0x084;
inline constexpr uint64_t kVirtioMmioQueueDriverLow = 0x090;
inline constexpr uint64_t kVirtioMmioQueueDriverHigh = 0x094;
inline constexpr uint64_t kVirtioMmioQueueDeviceLow = 0x0a0;
inline constexpr uint64_t kVirtioMmioQueueDeviceHigh = 0x0a4;
inline constexpr uint64_t kVirtioMmioShmSel = 0x0ac;
inline constexpr uint64_t kVirtioMmioShmLenLow = 0x0b0;
inline constexpr uint64_t kVirtioMmioShmLenHigh = 0x0b4;
inline constexpr uint64_t kVirtioMmioShmBaseLow = 0x0b8;
inline constexpr uint64_t kVirtioMmioShmBaseHigh = 0x0bc;
inline constexpr uint64_t kVirtioMmioQueueReset = 0x0c0;
inline constexpr uint64_t kVirtioMmioConfigGeneration = 0x0fc;
inline constexpr uint64_t kVirtioMmioConfig = 0x100;  // up to the end of the device's range

inline constexpr uint32_t kVirtioMmioMagic = 0x74726976;  // "virt"
inline constexpr uint32_t kVirtioMmioVersion2 = 2;

// InterruptStatus and InterruptACK.
inline constexpr uint32_t kVirtioInterruptUsedBuffer = 1;
inline constexpr uint32_t kVirtioInterruptConfigChange = 2;

// 2.1 Device Status Field.
inline constexpr uint32_t kVirtioStatusAcknowledge = 1;
inline constexpr uint32_t kVirtioStatusDriver = 2;
inline constexpr uint32_t kVirtioStatusDriverOk = 4;
inline constexpr uint32_t kVirtioStatusFeaturesOk = 8;
inline constexpr uint32_t kVirtioStatusDeviceNeedsReset = 64;
inline constexpr uint32_t kVirtioStatusFailed = 128;

// 6 Reserved Feature Bits. Bits 0 to 23 and 50 up belong to the device type (2.2).
inline constexpr uint64_t kVirtioFIndirectDesc = 1ull << 28;
inline constexpr uint64_t kVirtioFEventIdx = 1ull << 29;
inline constexpr uint64_t kVirtioFVersion1 = 1ull << 32;
inline constexpr uint64_t kVirtioFRingPacked = 1ull << 34;
inline constexpr uint64_t kVirtioFRingReset = 1ull << 40;

}  // namespace vmm

#endif  // DEVICES_VIRTIO_ABI_VIRTIO_MMIO_ABI_H_
