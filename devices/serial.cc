#include "devices/serial.h"

#include <algorithm>

namespace vmm {

Serial::Serial(IrqLine& irq, Output output) : output_(std::move(output)), irq_(irq) {}

size_t Serial::Receive(std::span<const uint8_t> data) {
  std::lock_guard lock(mutex_);
  const size_t room = loopback() ? 0 : capacity() - received_.size();
  const size_t taken = std::min(room, data.size());
  received_.insert(received_.end(), data.begin(), data.begin() + taken);
  if (taken < data.size()) refused_ = true;
  UpdateIrq();
  return taken;
}

bool Serial::IsRequestToSend() const {
  std::lock_guard lock(mutex_);
  return (mcr_ & kMcrRts) != 0;
}

// A wide access is split into bytes, as on the ISA bus.
void Serial::Read(uint64_t offset, std::span<uint8_t> data) {
  bool room;
  {
    std::lock_guard lock(mutex_);
    for (size_t i = 0; i < data.size(); ++i) data[i] = ReadRegister(offset + i);
    // Only when the queue is empty: waking the caller for each byte would be slower.
    room = refused_ && received_.empty() && !loopback();
    if (room) refused_ = false;
  }
  if (room && on_room_) on_room_();
}

void Serial::Write(uint64_t offset, std::span<const uint8_t> data) {
  bool room;
  std::array<uint8_t, 8> sent;
  size_t sent_count;
  {
    std::lock_guard lock(mutex_);
    const uint8_t old_mcr = mcr_;
    sent_count_ = 0;
    for (size_t i = 0; i < data.size(); ++i) WriteRegister(offset + i, data[i]);
    sent = sent_;
    sent_count = sent_count_;
    const bool rts_raised = (mcr_ & ~old_mcr & kMcrRts) != 0;
    room = rts_raised || (refused_ && received_.empty() && !loopback());
    if (room) refused_ = false;
  }
  if (sent_count > 0) output_(std::span<const uint8_t>(sent).first(sent_count));
  if (room && on_room_) on_room_();
}

uint8_t Serial::ReadRegister(uint64_t offset) {
  const bool dlab = (lcr_ & kLcrDlab) != 0;
  switch (offset) {
    case kUartRbr: return dlab ? divisor_[0] : TakeReceived();
    case kUartIer: return dlab ? divisor_[1] : ier_;
    case kUartIir: {
      const uint8_t pending = PendingInterrupt();
      if (pending == kIirThrEmpty) thr_empty_pending_ = false;
      UpdateIrq();
      return pending | (fifos_on() ? kIirFifosOn : 0);
    }
    case kUartLcr: return lcr_;
    case kUartMcr: return mcr_;
    case kUartLsr: {
      const uint8_t lsr = kLsrThre | kLsrTemt | overrun_ | (received_.empty() ? 0 : kLsrDr);
      overrun_ = 0;
      UpdateIrq();
      return lsr;
    }
    case kUartMsr: {
      const uint8_t msr = ModemLines() | modem_deltas_;
      modem_deltas_ = 0;
      UpdateIrq();
      return msr;
    }
    case kUartScr: return scr_;
  }
  return 0xff;
}

void Serial::WriteRegister(uint64_t offset, uint8_t value) {
  const bool dlab = (lcr_ & kLcrDlab) != 0;
  switch (offset) {
    case kUartThr:
      if (dlab) {
        divisor_[0] = value;
      } else {
        Transmit(value);
      }
      break;
    case kUartIer:
      if (dlab) {
        divisor_[1] = value;
        break;
      }
      // Enabling the interrupt reports an empty transmitter, even if the guest has already read that. Without this,
      // Linux marks the chip UART_BUG_THRE and falls back to a timer.
      if ((value & ~ier_ & kIerEtbei) != 0) thr_empty_pending_ = true;
      ier_ = value & (kIerErbi | kIerEtbei | kIerElsi | kIerEdssi);
      break;
    case kUartFcr: SetFifoControl(value); break;
    case kUartLcr: lcr_ = value; break;
    case kUartMcr: SetModemControl(value); break;
    case kUartScr: scr_ = value; break;
  }
  UpdateIrq();
}

uint8_t Serial::TakeReceived() {
  if (received_.empty()) return 0;
  const uint8_t byte = received_.front();
  received_.pop_front();
  // Taking a byte ends one character timeout and begins the next. The line must show an edge for a guest that takes one
  // byte per interrupt.
  if (fifos_on() && received_.size() < trigger_level()) LowerIrq();
  UpdateIrq();
  return byte;
}

void Serial::Transmit(uint8_t byte) {
  // The register is full for a moment, so the interrupt line must show an edge.
  thr_empty_pending_ = false;
  UpdateIrq();
  if (!loopback()) {
    sent_[sent_count_++] = byte;
  } else if (received_.size() < capacity()) {
    received_.push_back(byte);
  } else {
    overrun_ = kLsrOe;
    if (!fifos_on()) received_.back() = byte;  // with FIFOs on, the new byte is lost
  }
  thr_empty_pending_ = true;
}

void Serial::SetFifoControl(uint8_t value) {
  const bool switched = ((value ^ fcr_) & kFcrEnable) != 0;
  if (switched || (value & kFcrResetReceiver) != 0) received_.clear();
  fcr_ = value;
}

void Serial::SetModemControl(uint8_t value) {
  const uint8_t before = ModemLines();
  mcr_ = value & kMcrAll;
  const uint8_t after = ModemLines();
  const uint8_t changed = before ^ after;
  if ((changed & kMsrCts) != 0) modem_deltas_ |= kMsrDcts;
  if ((changed & kMsrDsr) != 0) modem_deltas_ |= kMsrDdsr;
  if ((before & ~after & kMsrRi) != 0) modem_deltas_ |= kMsrTeri;
  if ((changed & kMsrDcd) != 0) modem_deltas_ |= kMsrDdcd;
}

size_t Serial::trigger_level() const {
  constexpr std::array<size_t, 4> kLevels = {1, 4, 8, 14};
  return kLevels[fcr_ >> kFcrTriggerShift];
}

uint8_t Serial::PendingInterrupt() const {
  if ((ier_ & kIerElsi) != 0 && overrun_ != 0) return kIirLineStatus;
  if ((ier_ & kIerErbi) != 0 && !received_.empty()) {
    return fifos_on() && received_.size() < trigger_level() ? kIirCharacterTimeout : kIirDataAvailable;
  }
  if ((ier_ & kIerEtbei) != 0 && thr_empty_pending_) return kIirThrEmpty;
  if ((ier_ & kIerEdssi) != 0 && modem_deltas_ != 0) return kIirModemStatus;
  return kIirNone;
}

uint8_t Serial::ModemLines() const {
  if (!loopback()) return kMsrCts | kMsrDsr | kMsrDcd;  // the host is present and ready
  uint8_t lines = 0;
  if ((mcr_ & kMcrRts) != 0) lines |= kMsrCts;
  if ((mcr_ & kMcrDtr) != 0) lines |= kMsrDsr;
  if ((mcr_ & kMcrOut1) != 0) lines |= kMsrRi;
  if ((mcr_ & kMcrOut2) != 0) lines |= kMsrDcd;
  return lines;
}

void Serial::UpdateIrq() {
  // OUT2 drives the gate outside the chip. Loopback disconnects it from the pin.
  const bool gate_open = (mcr_ & kMcrOut2) != 0 && !loopback();
  const bool level = gate_open && PendingInterrupt() != kIirNone;
  if (level == irq_level_) return;
  irq_level_ = level;
  irq_.Set(level);
}

void Serial::LowerIrq() {
  if (!irq_level_) return;
  irq_level_ = false;
  irq_.Set(false);
}

}  // namespace vmm
