// The device that kvm-unit-tests needs of its machine, as QEMU's pc-testdev has it: a register that gives back what was
// written, interrupt lines that a guest sets itself, memory that is not RAM, and a page that KVM must map again.
// docs/abi/test-device.md describes it byte by byte.
#ifndef DEVICES_PC_TESTDEV_H_
#define DEVICES_PC_TESTDEV_H_

#include <array>
#include <functional>
#include <mutex>
#include <vector>

#include "base/guest_memory.h"
#include "devices/device.h"
#include "devices/irq_line.h"

namespace vmm {

// A register of 32 bits at two places on the bus. Any thread may call.
class TestRegister final : public Device {
 public:
  static constexpr uint64_t kSize = 4;

  std::string_view name() const override { return "test register"; }

  // Any bytes of the register.
  void Read(uint64_t offset, std::span<uint8_t> data) override;
  void Write(uint64_t offset, std::span<const uint8_t> data) override;

 private:
  std::mutex mutex_;
  std::array<uint8_t, kSize> bytes_{};  // guarded by mutex_
};

// Unmaps a page of RAM from the host's page tables, so that KVM has to map it anew. Its bytes stay. Any thread may
// call.
class TestFlush final : public Device {
 public:
  static constexpr uint64_t kSize = 4;

  explicit TestFlush(GuestMemory& memory) : memory_(memory) {}

  std::string_view name() const override { return "test flush"; }
  void Read(uint64_t offset, std::span<uint8_t> data) override;

  // A write of 4 bytes is a guest-physical address. An address that is not RAM is ignored.
  void Write(uint64_t offset, std::span<const uint8_t> data) override;

 private:
  GuestMemory& memory_;
};

// Interrupt lines, one for each port. Any thread may call.
class TestIrqLines final : public Device {
 public:
  static constexpr uint64_t kSize = 24;

  // Returns the line with a number from 0 to 23.
  using LineOf = std::function<IrqLine&(int)>;
  explicit TestIrqLines(LineOf line) : line_(std::move(line)) {}

  std::string_view name() const override { return "test interrupt lines"; }
  void Read(uint64_t offset, std::span<uint8_t> data) override;

  // A write of 1 byte raises the line with that number, or lowers it if the byte is 0.
  void Write(uint64_t offset, std::span<const uint8_t> data) override;

 private:
  const LineOf line_;
};

// Memory that is reached by exits only. Any thread may call.
class TestMemory final : public Device {
 public:
  static constexpr uint64_t kSize = 0x10000;

  std::string_view name() const override { return "test memory"; }
  void Read(uint64_t offset, std::span<uint8_t> data) override;
  void Write(uint64_t offset, std::span<const uint8_t> data) override;

 private:
  std::mutex mutex_;
  std::vector<uint8_t> bytes_ = std::vector<uint8_t>(kSize);  // guarded by mutex_
};

// All of it.
struct PcTestdev {
  PcTestdev(GuestMemory& memory, TestIrqLines::LineOf line) : flush(memory), irq_lines(std::move(line)) {}

  TestRegister echo;
  TestFlush flush;
  TestIrqLines irq_lines;
  TestMemory memory;
};

}  // namespace vmm

#endif  // DEVICES_PC_TESTDEV_H_
