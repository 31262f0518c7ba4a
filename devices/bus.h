// Finds the device for an address. A machine has two buses: one for ports, one for memory addresses that are not RAM.
//
//   Bus ports;
//   RETURN_IF_ERROR(ports.Add(kSerialPort, Serial::kSize, &serial));
//   ports.Read(0x3fd, data);  // serial.Read(5, data)
#ifndef DEVICES_BUS_H_
#define DEVICES_BUS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "devices/device.h"

namespace vmm {

// One thread builds it; then it is immutable. After the last Add() has returned, any thread may call Read() and
// Write(), and no lock is taken. Devices are not owned and must outlive the bus.
//
// The first byte of an access selects the device. Bytes past the device's end are open bus and never reach a neighbour.
// An access that begins outside every device is open bus as a whole. So a 32-bit write to the PCI address port 0xcf8 is
// not mistaken for a write to the reset port 0xcf9.
class Bus {
 public:
  // Gives `size` bytes from `start` to `device`, which sees offsets from `start`. InvalidArgument if size is 0 or the
  // range passes 2^64; AlreadyExists if another device has a byte of it. The bus is then unchanged.
  absl::Status Add(uint64_t start, uint64_t size, Device* device);

  // Fills `data`. Bytes without a device read as all ones. A device gets accesses of 1, 2, 4 or 8 bytes: other lengths
  // are split into these, lowest address first.
  void Read(uint64_t addr, std::span<uint8_t> data) const;

  // The same for writing. Bytes without a device are dropped.
  void Write(uint64_t addr, std::span<const uint8_t> data) const;

 private:
  struct Entry {
    uint64_t start;
    uint64_t size;
    Device* device;
  };

  const Entry* Find(uint64_t addr) const;

  std::vector<Entry> entries_;  // ascending, disjoint
};

}  // namespace vmm

#endif  // DEVICES_BUS_H_
