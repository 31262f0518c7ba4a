// Where everything lies in guest-physical space. One page, so that what must not overlap
// can be seen not to.
//
//   0x00000000  RAM        real-mode area: free for the kernel's trampolines
//   0x00001000    boot GDT, then boot_params (zero page), command line, page tables
//   0x0009fc00    end of what e820 calls usable below 1 MiB
//   0x000c0000    the channel to a program in the guest (vmm/harness/channel.h), up to 0xe0000; e820 does not list it
//   0x000e0000    ACPI tables (RSDP first; e820: reserved, up to 1 MiB)
//   0x000f0000    SMBIOS tables, where --vmware-dmi asks for them; a multiboot kernel's BIOS stub at 0xfff00
//   0x00100000    usable RAM: kernel, initrd at the top of what lies below the hole
//   0xc0000000  hole       3 GiB to 4 GiB: IOAPIC 0xfec00000, LAPIC 0xfee00000, KVM's own pages
//   0xd0000000    virtio devices, a page each
//   0x1_00000000  RAM      the rest, where there is more than 3 GiB
#ifndef VMM_PLATFORM_MEMORY_MAP_H_
#define VMM_PLATFORM_MEMORY_MAP_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/guest_addr.h"

namespace vmm {

inline constexpr uint64_t kMinMemory = 64ull << 20;

// Boot structures below 640 KiB, written by vmm/boot/.
inline constexpr GuestAddr kBootGdt{0x1000};
inline constexpr GuestAddr kBootParams{0x2000};       // one page
inline constexpr GuestAddr kCommandLine{0x10000};     // up to 64 KiB
inline constexpr uint64_t kCommandLineMax = 0x10000;  // terminating NUL included
inline constexpr GuestAddr kSetupData{0x20000};       // setup_data list (RNG seed), one page
inline constexpr GuestAddr kBootPageTables{0x30000};  // identity map, up to 64 pages
inline constexpr uint64_t kBootPageTablesSize = 0x40000;
inline constexpr GuestAddr kEbda{0x9fc00};  // usable low RAM ends here

// The BIOS area, where a kernel also looks for the RSDP by itself.
inline constexpr GuestAddr kAcpiTables{0xe0000};
inline constexpr uint64_t kAcpiTablesSize = 0x10000;

// The part of it where a kernel looks for SMBIOS.
inline constexpr GuestAddr kSmbiosTables{0xf0000};
inline constexpr uint64_t kSmbiosTablesSize = 0xff00;

// A handler of real-mode interrupts, for multiboot kernels only.
inline constexpr GuestAddr kBiosStub{0xfff00};

inline constexpr GuestAddr kHighMemory{0x100000};

// RAM is split around this hole.
inline constexpr GuestRange kHole{GuestAddr{0xc0000000}, 0x40000000};
inline constexpr uint64_t kIoapicBase = 0xfec00000;
inline constexpr uint64_t kLapicBase = 0xfee00000;
inline constexpr uint64_t kIdentityMapPage = 0xfeffc000;  // KVM_SET_IDENTITY_MAP_ADDR
inline constexpr uint64_t kTssPages = 0xfeffd000;         // KVM_SET_TSS_ADDR, three pages

// Ports and interrupts of the machine's devices; the DSDT and FADT say the same.
inline constexpr uint16_t kSerialPort = 0x3f8;
inline constexpr int kSerialIrq = 4;
inline constexpr uint16_t kCmosPort = 0x70;
inline constexpr int kRtcIrq = 8;
inline constexpr uint16_t kI8042Port = 0x64;  // the data port 0x60 is open bus; 0x61 is KVM's PIT
// Not with --test-device.
inline constexpr uint16_t kDebugConsolePort = 0xe9;
inline constexpr uint16_t kDebugExitPort = 0xf4;
// With --test-device.
inline constexpr uint16_t kTestRegisterPort = 0xe0;
inline constexpr uint16_t kTestFlushPort = 0xe4;
inline constexpr uint16_t kTestRegisterBytePort = 0xe8;  // the same register
inline constexpr uint16_t kTestIrqPort = 0x2000;         // 24 ports, one for each interrupt line
inline constexpr uint64_t kTestMemory = 0xff000000;      // 64 KiB in the hole, after KVM's own pages

inline constexpr uint16_t kIb700Port = 0x441;  // with --watchdog=ib700
inline constexpr uint16_t kPvpanicPort = 0x505;
inline constexpr uint16_t kFwCfgPort = 0x510;
inline constexpr uint16_t kAcpiPm1EventPort = 0x600;    // 4 bytes: status, enable
inline constexpr uint16_t kAcpiPm1ControlPort = 0x604;  // 2 bytes
inline constexpr uint16_t kAcpiPmTimerPort = 0x608;     // 4 bytes
inline constexpr uint16_t kResetPort = 0xcf9;
inline constexpr int kAcpiSci = 9;

// Virtio devices: device n has the page at kVirtioBase + n * kVirtioStride, and GSI kVirtioGsis[n] to itself, as an
// edge. The GSIs are those that no other device of the machine has.
inline constexpr GuestAddr kVirtioBase{0xd0000000};
inline constexpr uint64_t kVirtioStride = kPageSize;
inline constexpr uint64_t kVirtioRegisters = 0x200;  // VirtioMmio::kSize
inline constexpr int kVirtioGsis[] = {5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23};
inline constexpr size_t kMaxVirtioDevices = sizeof(kVirtioGsis) / sizeof(kVirtioGsis[0]);

// RAM blocks for `size` bytes of memory, a multiple of the page size: below the hole, and
// what is left above it.
inline std::vector<GuestRange> RamRanges(uint64_t size) {
  if (size <= kHole.start.value) return {{GuestAddr{0}, size}};
  return {{GuestAddr{0}, kHole.start.value}, {kHole.end(), size - kHole.start.value}};
}

}  // namespace vmm

#endif  // VMM_PLATFORM_MEMORY_MAP_H_
