// What every device is: a name, and registers at offsets.
//
// A device knows an offset into its own range and some bytes, nothing else: no base
// address, no KVM, no machine. Hardware has no error return, so neither has a device: what
// it does not know, it ignores, and a register that is not there reads as all ones.
#ifndef DEVICES_DEVICE_H_
#define DEVICES_DEVICE_H_

#include <cstdint>
#include <span>
#include <string_view>

namespace vmm {

// Read and Write may be called from any vCPU thread at the same time; a device with state
// locks for itself. They must not block for long: the guest waits for them.
//
// `data` is 1, 2, 4 or 8 bytes, little endian, and offset + data.size() never passes the end
// of the range by which the device was added to its bus.
class Device {
 public:
  virtual ~Device() = default;

  // A literal: "serial", "pvpanic". Stands in error messages and reports.
  virtual std::string_view name() const = 0;

  // Not const: reading a register may change the device. Fills all of `data`.
  virtual void Read(uint64_t offset, std::span<uint8_t> data) = 0;

  virtual void Write(uint64_t offset, std::span<const uint8_t> data) = 0;
};

}  // namespace vmm

#endif  // DEVICES_DEVICE_H_
