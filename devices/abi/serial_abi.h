// The registers of a 16550A. Texas Instruments TL16C550C data sheet (SLLS177), section "Principles of operation". The
// names are from there.
#ifndef DEVICES_ABI_SERIAL_ABI_H_
#define DEVICES_ABI_SERIAL_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

// Offsets. Three offsets hold two registers each; the direction or LCR's DLAB bit selects one.
inline constexpr uint64_t kUartRbr = 0;  // read: receiver buffer
inline constexpr uint64_t kUartThr = 0;  // write: transmitter holding
inline constexpr uint64_t kUartDll = 0;  // DLAB: divisor latch, low byte
inline constexpr uint64_t kUartIer = 1;  // interrupt enable
inline constexpr uint64_t kUartDlm = 1;  // DLAB: divisor latch, high byte
inline constexpr uint64_t kUartIir = 2;  // read: interrupt identification
inline constexpr uint64_t kUartFcr = 2;  // write: FIFO control
inline constexpr uint64_t kUartLcr = 3;  // line control
inline constexpr uint64_t kUartMcr = 4;  // modem control
inline constexpr uint64_t kUartLsr = 5;  // line status
inline constexpr uint64_t kUartMsr = 6;  // modem status
inline constexpr uint64_t kUartScr = 7;  // scratch
inline constexpr uint64_t kUartRegisters = 8;

inline constexpr size_t kUartFifoDepth = 16;

inline constexpr uint8_t kIerErbi = 0x01;   // received data available
inline constexpr uint8_t kIerEtbei = 0x02;  // transmitter holding register empty
inline constexpr uint8_t kIerElsi = 0x04;   // receiver line status
inline constexpr uint8_t kIerEdssi = 0x08;  // modem status

// IIR, highest priority first. Bits 6 and 7 are both set when the FIFOs are on.
inline constexpr uint8_t kIirLineStatus = 0x06;
inline constexpr uint8_t kIirDataAvailable = 0x04;     // FIFO at its trigger level
inline constexpr uint8_t kIirCharacterTimeout = 0x0c;  // FIFO below it, and the line idle
inline constexpr uint8_t kIirThrEmpty = 0x02;
inline constexpr uint8_t kIirModemStatus = 0x00;
inline constexpr uint8_t kIirNone = 0x01;
inline constexpr uint8_t kIirFifosOn = 0xc0;

inline constexpr uint8_t kFcrEnable = 0x01;
inline constexpr uint8_t kFcrResetReceiver = 0x02;
inline constexpr uint8_t kFcrResetTransmitter = 0x04;
inline constexpr int kFcrTriggerShift = 6;  // bits 6 and 7: 1, 4, 8 or 14 bytes

inline constexpr uint8_t kLcrDlab = 0x80;

inline constexpr uint8_t kMcrDtr = 0x01;
inline constexpr uint8_t kMcrRts = 0x02;
inline constexpr uint8_t kMcrOut1 = 0x04;
inline constexpr uint8_t kMcrOut2 = 0x08;  // on a PC: lets the interrupt out of the chip
inline constexpr uint8_t kMcrLoop = 0x10;
inline constexpr uint8_t kMcrAll = 0x1f;

inline constexpr uint8_t kLsrDr = 0x01;    // data ready
inline constexpr uint8_t kLsrOe = 0x02;    // overrun
inline constexpr uint8_t kLsrThre = 0x20;  // transmitter holding register empty
inline constexpr uint8_t kLsrTemt = 0x40;  // transmitter empty

inline constexpr uint8_t kMsrDcts = 0x01;  // CTS changed
inline constexpr uint8_t kMsrDdsr = 0x02;  // DSR changed
inline constexpr uint8_t kMsrTeri = 0x04;  // RI went off
inline constexpr uint8_t kMsrDdcd = 0x08;  // DCD changed
inline constexpr uint8_t kMsrCts = 0x10;
inline constexpr uint8_t kMsrDsr = 0x20;
inline constexpr uint8_t kMsrRi = 0x40;
inline constexpr uint8_t kMsrDcd = 0x80;

}  // namespace vmm

#endif  // DEVICES_ABI_SERIAL_ABI_H_
