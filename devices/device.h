// The interface of every device: a name, and registers at offsets.
//
// A device knows only an offset into its own range and some bytes: no base address, no KVM, no machine. Hardware has no
// error return, so neither has a device. It ignores writes that it does not know, and a register that does not exist
// reads as all ones.
#ifndef DEVICES_DEVICE_H_
#define DEVICES_DEVICE_H_

#include <cstdint>
#include <span>
#include <string_view>

namespace vmm {

// Any vCPU thread may call Read and Write at the same time, so a device with state must lock for itself. They must not
// block for long, because the guest waits for them.
//
// `data` is 1, 2, 4 or 8 bytes, little endian. offset + data.size() never passes the end of the range with which the
// device was added to its bus.
class Device {
 public:
  virtual ~Device() = default;

  // A literal: "serial", "pvpanic". It appears in error messages and reports.
  virtual std::string_view name() const = 0;

  // Not const: reading a register may change the device. Fills all of `data`.
  virtual void Read(uint64_t offset, std::span<uint8_t> data) = 0;

  virtual void Write(uint64_t offset, std::span<const uint8_t> data) = 0;
};

}  // namespace vmm

#endif  // DEVICES_DEVICE_H_
