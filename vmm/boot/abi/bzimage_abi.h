// Layouts of the x86 boot protocol: the setup header inside a bzImage, the boot_params page ("zero page") that the
// loader hands to the kernel, e820 entries and setup_data. Source: Linux Documentation/arch/x86/boot.rst and
// zero-page.rst. Field names are theirs. docs/abi/bzimage.md says which fields we read and what we refuse.
#ifndef VMM_BOOT_ABI_BZIMAGE_ABI_H_
#define VMM_BOOT_ABI_BZIMAGE_ABI_H_

#include <cstddef>
#include <cstdint>

#include "dump/abi/linux_layout_abi.h"

namespace vmm {

inline constexpr uint64_t kSetupHeaderOffset = 0x1f1;   // the same in the image and in boot_params
inline constexpr uint64_t kHeaderLengthOffset = 0x201;  // the header ends at 0x202 + this byte
inline constexpr uint64_t kHeaderLengthBase = 0x202;
inline constexpr uint32_t kSetupHeaderMagic = 0x53726448;  // "HdrS"
inline constexpr uint16_t kBootFlag = 0xaa55;
inline constexpr uint64_t kSetupSectorSize = 512;
inline constexpr uint8_t kDefaultSetupSects = 4;   // setup_sects 0 means 4
inline constexpr uint64_t kEntry64Offset = 0x200;  // the 64-bit entry, in the protected-mode part
inline constexpr uint8_t kLoaderTypeUndefined = 0xff;
inline constexpr uint64_t kSyssizeUnit = 16;

// loadflags
inline constexpr uint8_t kLoadflagLoadedHigh = 1 << 0;
inline constexpr uint8_t kLoadflagKaslr = 1 << 1;  // KASLR_FLAG: the image was moved; kaslr_enabled() reads it

// xloadflags (protocol 2.12)
inline constexpr uint16_t kXlfKernel64 = 1 << 0;  // a 64-bit entry at +0x200
inline constexpr uint16_t kXlfCanBeLoadedAbove4G = 1 << 1;
inline constexpr uint16_t kXlf5Level = 1 << 5;
inline constexpr uint16_t kXlf5LevelEnabled = 1 << 6;

// struct setup_header, at 0x1f1 of the image and of boot_params. It is packed, so its fields are misaligned, and
// binding a reference to one (as an argument of StrFormat does) is undefined behavior. Pass a copy:
// uint32_t{header.init_size}.
struct __attribute__((packed)) SetupHeader {
  uint8_t setup_sects = 0;
  uint16_t root_flags = 0;
  uint32_t syssize = 0;
  uint16_t ram_size = 0;
  uint16_t vid_mode = 0;
  uint16_t root_dev = 0;
  uint16_t boot_flag = 0;
  uint16_t jump = 0;
  uint32_t header = 0;
  uint16_t version = 0;
  uint32_t realmode_swtch = 0;
  uint16_t start_sys_seg = 0;
  uint16_t kernel_version = 0;
  uint8_t type_of_loader = 0;
  uint8_t loadflags = 0;
  uint16_t setup_move_size = 0;
  uint32_t code32_start = 0;
  uint32_t ramdisk_image = 0;
  uint32_t ramdisk_size = 0;
  uint32_t bootsect_kludge = 0;
  uint16_t heap_end_ptr = 0;
  uint8_t ext_loader_ver = 0;
  uint8_t ext_loader_type = 0;
  uint32_t cmd_line_ptr = 0;
  uint32_t initrd_addr_max = 0;
  uint32_t kernel_alignment = 0;
  uint8_t relocatable_kernel = 0;
  uint8_t min_alignment = 0;
  uint16_t xloadflags = 0;
  uint32_t cmdline_size = 0;
  uint32_t hardware_subarch = 0;
  uint64_t hardware_subarch_data = 0;
  uint32_t payload_offset = 0;
  uint32_t payload_length = 0;
  uint64_t setup_data = 0;
  uint64_t pref_address = 0;
  uint32_t init_size = 0;
  uint32_t handover_offset = 0;
  uint32_t kernel_info_offset = 0;
};
static_assert(sizeof(SetupHeader) == 0x26c - kSetupHeaderOffset);
static_assert(kSetupHeaderOffset + offsetof(SetupHeader, boot_flag) == 0x1fe);
static_assert(kSetupHeaderOffset + offsetof(SetupHeader, header) == 0x202);
static_assert(kSetupHeaderOffset + offsetof(SetupHeader, version) == 0x206);
static_assert(kSetupHeaderOffset + offsetof(SetupHeader, kernel_version) == 0x20e);
static_assert(kSetupHeaderOffset + offsetof(SetupHeader, loadflags) == 0x211);
static_assert(kSetupHeaderOffset + offsetof(SetupHeader, cmd_line_ptr) == 0x228);
static_assert(kSetupHeaderOffset + offsetof(SetupHeader, kernel_alignment) == 0x230);
static_assert(kSetupHeaderOffset + offsetof(SetupHeader, xloadflags) == 0x236);
static_assert(kSetupHeaderOffset + offsetof(SetupHeader, cmdline_size) == 0x238);
static_assert(kSetupHeaderOffset + offsetof(SetupHeader, payload_offset) == 0x248);
static_assert(kSetupHeaderOffset + offsetof(SetupHeader, setup_data) == 0x250);
static_assert(kSetupHeaderOffset + offsetof(SetupHeader, pref_address) == 0x258);
static_assert(kSetupHeaderOffset + offsetof(SetupHeader, init_size) == 0x260);
static_assert(kSetupHeaderOffset + offsetof(SetupHeader, kernel_info_offset) == 0x268);

// One entry of boot_params' e820_table.
struct __attribute__((packed)) E820Entry {
  uint64_t addr = 0;
  uint64_t size = 0;
  uint32_t type = 0;
};
static_assert(sizeof(E820Entry) == 20);

inline constexpr uint32_t kE820Ram = 1;
inline constexpr uint32_t kE820Reserved = 2;

// struct boot_params: offsets of the fields that we set outside the setup header (zero-page.rst).
inline constexpr uint64_t kBootParamsSize = 4096;
inline constexpr uint64_t kBootParamsAcpiRsdpAddr = 0x070;     // u64
inline constexpr uint64_t kBootParamsExtRamdiskImage = 0x0c0;  // u32, the upper half
inline constexpr uint64_t kBootParamsExtRamdiskSize = 0x0c4;
inline constexpr uint64_t kBootParamsExtCmdLinePtr = 0x0c8;
inline constexpr uint64_t kBootParamsE820Entries = 0x1e8;  // u8
inline constexpr uint64_t kBootParamsSentinel = 0x1ef;     // u8, 0: the page was cleared before use
inline constexpr uint64_t kBootParamsE820Table = 0x2d0;
inline constexpr uint64_t kE820MaxEntries = 128;

// struct setup_data: a linked list. `next` is 0 in the last entry. `len` bytes of data follow each head.
struct __attribute__((packed)) SetupDataHead {
  uint64_t next = 0;
  uint32_t type = 0;
  uint32_t len = 0;
};
static_assert(sizeof(SetupDataHead) == 16);

inline constexpr uint32_t kSetupRngSeed = 9;  // since Linux 6.0; earlier kernels skip it

inline constexpr uint64_t kPmdSize = 2ull << 20;  // the image is mapped by 2 MiB pages

}  // namespace vmm

#endif  // VMM_BOOT_ABI_BZIMAGE_ABI_H_
