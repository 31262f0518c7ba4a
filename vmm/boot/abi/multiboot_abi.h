// Layouts of the Multiboot Specification, version 0.6.96 ("multiboot 1"): the header inside an image, and the
// information that a loader hands to it. Field names and section numbers are the specification's.
// docs/abi/multiboot.md says which fields we read, what we refuse and what we write.
#ifndef VMM_BOOT_ABI_MULTIBOOT_ABI_H_
#define VMM_BOOT_ABI_MULTIBOOT_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

// Section 3.1.1. The header lies within this many bytes of the image's beginning, at a multiple of 4.
inline constexpr uint64_t kMultibootSearch = 8192;
inline constexpr uint64_t kMultibootHeaderAlign = 4;
inline constexpr uint32_t kMultibootHeaderMagic = 0x1badb002;

// Section 3.1.2, the header's flags. A loader must refuse an image if it cannot do what a bit from 0 to 15 asks for.
inline constexpr uint32_t kMultibootPageAlign = 1u << 0;   // modules begin at page boundaries
inline constexpr uint32_t kMultibootMemoryInfo = 1u << 1;  // mem_lower and mem_upper are wanted
inline constexpr uint32_t kMultibootVideoMode = 1u << 2;   // a video mode is wanted
inline constexpr uint32_t kMultibootAddresses = 1u << 16;  // the address fields are valid, and count more than ELF's
inline constexpr uint32_t kMultibootRequirements = 0xffff;

// Section 3.1. `flags`, `magic` and `checksum` add up to 0.
struct MultibootHeader {
  uint32_t magic;
  uint32_t flags;
  uint32_t checksum;
};
static_assert(sizeof(MultibootHeader) == 12 && offsetof(MultibootHeader, checksum) == 8);

// Section 3.1.3, after the header if kMultibootAddresses is set ("a.out kludge").
struct MultibootHeaderAddresses {
  uint32_t header_addr;
  uint32_t load_addr;
  uint32_t load_end_addr;  // 0: to the end of the file
  uint32_t bss_end_addr;   // 0: there is no bss
  uint32_t entry_addr;
};
static_assert(sizeof(MultibootHeaderAddresses) == 20 && offsetof(MultibootHeaderAddresses, entry_addr) == 16);

// Section 3.2, machine state: EAX at the entry.
inline constexpr uint32_t kMultibootBootloaderMagic = 0x2badb002;

// Section 3.3, flags of the information: which of its fields are valid.
inline constexpr uint32_t kMultibootInfoMemory = 1u << 0;      // mem_lower, mem_upper
inline constexpr uint32_t kMultibootInfoCmdline = 1u << 2;     // cmdline
inline constexpr uint32_t kMultibootInfoMods = 1u << 3;        // mods_count, mods_addr
inline constexpr uint32_t kMultibootInfoMemMap = 1u << 6;      // mmap_length, mmap_addr
inline constexpr uint32_t kMultibootInfoLoaderName = 1u << 9;  // boot_loader_name

// Section 3.3. Addresses are physical. mem_lower and mem_upper are in KiB.
struct MultibootInfo {
  uint32_t flags;
  uint32_t mem_lower;  // from 0
  uint32_t mem_upper;  // from 1 MiB to the first hole
  uint32_t boot_device;
  uint32_t cmdline;
  uint32_t mods_count;
  uint32_t mods_addr;
  uint32_t syms[4];
  uint32_t mmap_length;  // in bytes
  uint32_t mmap_addr;
  uint32_t drives_length;
  uint32_t drives_addr;
  uint32_t config_table;
  uint32_t boot_loader_name;
  uint32_t apm_table;
  uint32_t vbe_control_info;
  uint32_t vbe_mode_info;
  uint16_t vbe_mode;
  uint16_t vbe_interface_seg;
  uint16_t vbe_interface_off;
  uint16_t vbe_interface_len;
};
static_assert(sizeof(MultibootInfo) == 88);
static_assert(offsetof(MultibootInfo, cmdline) == 16 && offsetof(MultibootInfo, mmap_length) == 44);
static_assert(offsetof(MultibootInfo, boot_loader_name) == 64 && offsetof(MultibootInfo, vbe_control_info) == 72);

// Section 3.3, `mods_addr` points to mods_count of these. The last byte of a module is at mod_end - 1.
struct MultibootModule {
  uint32_t mod_start;
  uint32_t mod_end;
  uint32_t string;
  uint32_t reserved;
};
static_assert(sizeof(MultibootModule) == 16);

// Section 3.3, `mmap_addr` points to these. `size` does not count itself.
struct __attribute__((packed)) MultibootMmapEntry {
  uint32_t size;
  uint64_t base_addr;
  uint64_t length;
  uint32_t type;  // as in e820: 1 is RAM
};
static_assert(sizeof(MultibootMmapEntry) == 24 && offsetof(MultibootMmapEntry, base_addr) == 4);

// The BIOS data area, which has no place in the specification. Xen finds the end of low memory there.
inline constexpr uint64_t kBdaEbdaSegment = 0x40e;  // 16 bits: address >> 4 of the EBDA
inline constexpr uint64_t kBdaBaseMemory = 0x413;   // 16 bits: KiB of memory below the EBDA

}  // namespace vmm

#endif  // VMM_BOOT_ABI_MULTIBOOT_ABI_H_
