// VMware's backdoor: a guest reads a port with a magic number in EAX and gets the answer in registers. Names and
// numbers are from open-vm-tools: lib/include/backdoor_def.h (ports, commands), lib/include/guest_msg_def.h (messages),
// lib/include/rpcout.h and rpcin.h (protocols). docs/abi/vmport.md describes the whole protocol.
#ifndef DEVICES_VMPORT_ABI_VMPORT_ABI_H_
#define DEVICES_VMPORT_ABI_VMPORT_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

inline constexpr uint16_t kBackdoorPort = 0x5658;    // BDOOR_PORT: the register protocol
inline constexpr uint16_t kBackdoorHbPort = 0x5659;  // BDOORHB_PORT: bulk transfer, not offered
// A 32-bit IN spans four ports. All four belong to the device.
inline constexpr uint16_t kBackdoorPorts = 4;

inline constexpr uint32_t kBackdoorMagic = 0x564d5868;    // BDOOR_MAGIC
inline constexpr uint32_t kBackdoorRefused = 0xffffffff;  // EAX: no such command
static_assert(kBackdoorMagic == ('V' << 24 | 'M' << 16 | 'X' << 8 | 'h'));
static_assert(kBackdoorPort == ('V' << 8 | 'X'));

// ECX, bits 0-15: BDOOR_CMD_*. These commands are answered; all others are refused.
inline constexpr uint16_t kCmdGetMhz = 1;
inline constexpr uint16_t kCmdGetVersion = 10;
inline constexpr uint16_t kCmdGetHwVersion = 17;
inline constexpr uint16_t kCmdGetUuid = 19;
inline constexpr uint16_t kCmdGetMemSize = 20;
inline constexpr uint16_t kCmdGetTime = 23;
inline constexpr uint16_t kCmdMessage = 30;
inline constexpr uint16_t kCmdGetHz = 45;
inline constexpr uint16_t kCmdGetTimeFull = 46;
inline constexpr uint16_t kCmdGetTimeFullWithLag = 55;
inline constexpr uint16_t kCmdGetVcpuInfo = 68;

inline constexpr uint32_t kBackdoorVersion = 6;                 // VERSION_MAGIC: the tools accept no other
inline constexpr uint32_t kProductEsx = 2;                      // VMX_TYPE_SCALABLE_SERVER
inline constexpr uint32_t kVcpuInfoLegacyX2apic = 1 << 3;       // VCPU_LEGACY_X2APIC_OK
inline constexpr uint32_t kBackdoorMaxTimeLagUsec = 1'000'000;  // ECX of the time commands

// kCmdMessage: ECX, bits 16-31 on entry. MESSAGE_TYPE_*
inline constexpr uint16_t kMessageOpen = 0;
inline constexpr uint16_t kMessageSendSize = 1;
inline constexpr uint16_t kMessageSendPayload = 2;
inline constexpr uint16_t kMessageRecvSize = 3;
inline constexpr uint16_t kMessageRecvPayload = 4;
inline constexpr uint16_t kMessageRecvStatus = 5;
inline constexpr uint16_t kMessageClose = 6;

// The same bits on return. MESSAGE_STATUS_*. All clear means failure.
inline constexpr uint16_t kStatusFail = 0x0000;
inline constexpr uint16_t kStatusSuccess = 0x0001;
inline constexpr uint16_t kStatusDoRecv = 0x0002;  // a message is waiting
inline constexpr uint16_t kStatusCpt = 0x0010;     // restored from a checkpoint: begin this message again

inline constexpr uint32_t kMessageFlagCookie = 0x80000000;  // GUESTMSG_FLAG_COOKIE, in EBX of OPEN
inline constexpr uint32_t kProtocolRpci = 0x49435052;       // guest asks, host answers
inline constexpr uint32_t kProtocolTclo = 0x4f4c4354;       // host asks, guest answers when it polls
static_assert(kProtocolRpci == ('I' << 24 | 'C' << 16 | 'P' << 8 | 'R'));
static_assert(kProtocolTclo == ('O' << 24 | 'L' << 16 | 'C' << 8 | 'T'));
static_assert((kProtocolRpci & kMessageFlagCookie) == 0 && (kProtocolTclo & kMessageFlagCookie) == 0);

inline constexpr uint32_t kMaxGuestMessage = 65536;  // GUESTMSG_MAX_IN_SIZE
inline constexpr uint16_t kMaxChannels = 128;        // GUESTMSG_MAX_CHANNEL

// The registers of one access, low halves: only 32 bits of each have a meaning. EDX holds the port in bits 0-15 and,
// for messages, the channel above it.
struct BackdoorRegisters {
  uint32_t eax;  // on entry: the magic
  uint32_t ebx;  // argument
  uint32_t ecx;  // command; above it its subcommand or status
  uint32_t edx;
  uint32_t esi;  // cookie, high half
  uint32_t edi;  // cookie, low half
  uint32_t ebp;  // bulk transfer only

  bool operator==(const BackdoorRegisters&) const = default;
};
static_assert(sizeof(BackdoorRegisters) == 28);
static_assert(offsetof(BackdoorRegisters, ebp) == 24);

}  // namespace vmm

#endif  // DEVICES_VMPORT_ABI_VMPORT_ABI_H_
