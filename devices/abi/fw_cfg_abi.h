// fw_cfg, QEMU's way to hand files to its guest, and the one file that matters here, etc/vmcoreinfo.
// docs/abi/fw-cfg.md; QEMU docs/specs/fw_cfg and docs/specs/vmcoreinfo; Linux include/uapi/linux/qemu_fw_cfg.h and
// drivers/firmware/qemu_fw_cfg.c.
#ifndef DEVICES_ABI_FW_CFG_ABI_H_
#define DEVICES_ABI_FW_CFG_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

// Registers, as offsets from the first port (fw_cfg, "Hardware Interface").
inline constexpr uint64_t kFwCfgSelector = 0;  // 16 bits, little endian, write only
inline constexpr uint64_t kFwCfgData = 1;      // 8 bits
inline constexpr uint64_t kFwCfgDmaHigh = 4;   // 32 bits, big endian: high half of a FwCfgDmaAccess's address
inline constexpr uint64_t kFwCfgDmaLow = 8;    // 32 bits, big endian: low half; writing it starts the transfer
inline constexpr uint64_t kFwCfgPorts = 12;    // number of ports
inline constexpr uint32_t kFwCfgDmaMagic[2] = {0x51454d55, 0x20434647};  // "QEMU CFG", read big endian

// Keys.
inline constexpr uint16_t kFwCfgSignature = 0x0000;  // "QEMU"
inline constexpr uint16_t kFwCfgId = 0x0001;         // 32 bits, little endian: FwCfgVersion bits
inline constexpr uint16_t kFwCfgRamSize = 0x0003;    // 64 bits, little endian: bytes of RAM
inline constexpr uint16_t kFwCfgNbCpus = 0x0005;     // 16 bits, little endian: CPUs at the start
inline constexpr uint16_t kFwCfgMaxCpus = 0x000f;    // 16 bits, little endian: APIC ids are below this
inline constexpr uint16_t kFwCfgFileDir = 0x0019;    // 32 bits, big endian: number of files; then one FwCfgFile each
inline constexpr uint16_t kFwCfgFileFirst = 0x0020;

inline constexpr uint32_t kFwCfgVersion = 1u << 0;     // selector and data
inline constexpr uint32_t kFwCfgVersionDma = 1u << 1;  // DMA as well

// struct fw_cfg_file. Numbers are big endian.
struct FwCfgFile {
  uint32_t size;
  uint16_t select;  // the file's key
  uint16_t reserved;
  char name[56];
};
static_assert(sizeof(FwCfgFile) == 64 && offsetof(FwCfgFile, select) == 4 && offsetof(FwCfgFile, name) == 8);

// struct fw_cfg_dma_access, in guest memory. Numbers are big endian.
struct FwCfgDmaAccess {
  uint32_t control;  // kFwCfgDma bits, and a key in the high half; the device writes back 0 or the error bit
  uint32_t length;
  uint64_t address;
};
static_assert(sizeof(FwCfgDmaAccess) == 16 && offsetof(FwCfgDmaAccess, address) == 8);

inline constexpr uint32_t kFwCfgDmaError = 1u << 0;
inline constexpr uint32_t kFwCfgDmaRead = 1u << 1;
inline constexpr uint32_t kFwCfgDmaSkip = 1u << 2;
inline constexpr uint32_t kFwCfgDmaSelect = 1u << 3;
inline constexpr uint32_t kFwCfgDmaWrite = 1u << 4;

// struct fw_cfg_vmcoreinfo, the contents of etc/vmcoreinfo. Numbers are little endian.
struct FwCfgVmcoreInfo {
  uint16_t host_format;   // the format that the host accepts
  uint16_t guest_format;  // the format that the guest wrote; 0: nothing yet
  uint32_t size;          // bytes: the note and the rest of its pages
  uint64_t paddr;         // of the note
};
static_assert(sizeof(FwCfgVmcoreInfo) == 16 && offsetof(FwCfgVmcoreInfo, paddr) == 8);

inline constexpr uint16_t kFwCfgVmcoreInfoElf = 1;

}  // namespace vmm

#endif  // DEVICES_ABI_FW_CFG_ABI_H_
