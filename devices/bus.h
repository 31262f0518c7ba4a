// Finds the device for an address. A machine has two: one for ports, one for memory that is
// not RAM.
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

// Built by one thread, then immutable: once the last Add() has returned, any thread may call
// Read() and Write(), and no lock is taken. Devices are not owned and must outlive the bus.
//
// The first byte of an access picks the device. What passes the device's end is open bus and
// never reaches a neighbour; what begins outside every device is open bus as a whole. So a
// 32-bit write to the PCI address port 0xcf8 is not taken for a write to the reset port 0xcf9.
class Bus {
 public:
  // `size` bytes from `start` belong to `device`, which sees offsets from `start`.
  // InvalidArgument where size is 0 or the range passes 2^64; AlreadyExists where another
  // device has a byte of it. The bus is unchanged then.
  absl::Status Add(uint64_t start, uint64_t size, Device* device);

  // Fills `data`, with all ones where there is no device. A device is asked for 1, 2, 4 or 8
  // bytes: other lengths are cut into such, lowest address first.
  void Read(uint64_t addr, std::span<uint8_t> data) const;

  // The same for writing: what meets no device is dropped.
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
