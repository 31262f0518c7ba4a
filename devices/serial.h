// A 16550A UART whose other end is the host. Bytes from the guest go out at once. Bytes from the host wait until the
// FIFO has room.
//
// There is no baud rate and no time. The transmitter is always empty, and a character timeout has passed as soon as it
// could begin. Breaks and line errors do not happen, except the overrun that a guest causes itself in loopback.
#ifndef DEVICES_SERIAL_H_
#define DEVICES_SERIAL_H_

#include <array>
#include <deque>
#include <functional>
#include <mutex>

#include "devices/abi/serial_abi.h"
#include "devices/device.h"
#include "devices/irq_line.h"

namespace vmm {

// Any thread may call. The IrqLine is not owned.
class Serial final : public Device {
 public:
  static constexpr uint64_t kSize = kUartRegisters;

  using Output = std::function<void(std::span<const uint8_t>)>;

  // `output` gets the bytes that the guest sends. It runs on the vCPU thread that sends them and outside the lock:
  // while it blocks, that vCPU waits, but no other user of this object does.
  Serial(IrqLine& irq, Output output);

  // `room` is called whenever the FIFO could take bytes that Receive() refused before, and when the guest raises RTS.
  // It runs on a vCPU thread, outside the lock, and may call Receive(). REQUIRES: called once, before the machine runs.
  void set_on_room(std::function<void()> room) { on_room_ = std::move(room); }

  // Gives bytes to the guest, as many as the FIFO takes: 16, or 1 while the guest has the FIFO off, or none in
  // loopback. Returns the number taken; the caller may offer the rest again.
  size_t Receive(std::span<const uint8_t> data);

  // True while the guest holds RTS, which means that it has opened the port. Linux empties the FIFO when it opens the
  // port, so it is best to hold input that must not be lost (a script on stdin) until then.
  bool IsRequestToSend() const;

  std::string_view name() const override { return "serial"; }
  void Read(uint64_t offset, std::span<uint8_t> data) override;
  void Write(uint64_t offset, std::span<const uint8_t> data) override;

 private:
  // Call these with mutex_ held.
  uint8_t ReadRegister(uint64_t offset);
  void WriteRegister(uint64_t offset, uint8_t value);

  uint8_t TakeReceived();
  void Transmit(uint8_t byte);
  void SetFifoControl(uint8_t value);
  void SetModemControl(uint8_t value);

  bool fifos_on() const { return (fcr_ & kFcrEnable) != 0; }
  bool loopback() const { return (mcr_ & kMcrLoop) != 0; }
  size_t capacity() const { return fifos_on() ? kUartFifoDepth : 1; }
  size_t trigger_level() const;

  // The pending interrupt with the highest priority, as an IIR value without the FIFO bits.
  uint8_t PendingInterrupt() const;

  // The modem lines, as the guest sees them in MSR bits 4 to 7.
  uint8_t ModemLines() const;

  void UpdateIrq();
  void LowerIrq();

  std::function<void()> on_room_;  // constant while the machine runs

  const Output output_;

  mutable std::mutex mutex_;  // guards all members below, and the order of calls to irq_
  IrqLine& irq_;

  std::deque<uint8_t> received_;  // at most kUartFifoDepth
  bool refused_ = false;          // Receive() has refused bytes
  std::array<uint8_t, 8> sent_;   // by the current Write(), for output_ after it unlocks
  size_t sent_count_ = 0;
  bool irq_level_ = false;
  bool thr_empty_pending_ = false;  // cleared by reading it from IIR, or by sending
  uint8_t ier_ = 0;
  uint8_t fcr_ = 0;
  uint8_t lcr_ = 0;
  uint8_t mcr_ = 0;
  uint8_t overrun_ = 0;       // kLsrOe until LSR is read
  uint8_t modem_deltas_ = 0;  // MSR bits 0 to 3 until MSR is read
  uint8_t scr_ = 0;
  std::array<uint8_t, 2> divisor_ = {12, 0};  // 9600 baud; not 0 because a guest divides by it
};

}  // namespace vmm

#endif  // DEVICES_SERIAL_H_
