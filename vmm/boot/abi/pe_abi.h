// The PE/COFF headers of an EFI program, as far as a unified kernel image (UKI) needs them. Source: Microsoft's PE
// Format, sections "COFF File Header" and "Section Table". The UKI's section names are from UAPI.5 (Unified Kernel
// Image). Field names are theirs. All numbers are little endian.
#ifndef VMM_BOOT_ABI_PE_ABI_H_
#define VMM_BOOT_ABI_PE_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

inline constexpr uint64_t kDosLfanewOffset = 0x3c;       // u32: where the PE signature is
inline constexpr uint32_t kPeSignature = 0x00004550;     // "PE\0\0"; the COFF header follows it
inline constexpr uint16_t kPeMachineAmd64 = 0x8664;      // IMAGE_FILE_MACHINE_AMD64
inline constexpr uint16_t kPeMaxSections = 96;           // the limit of Windows' loader
inline constexpr uint32_t kLinuxPeMagic = 0x818223cd;    // LINUX_PE_MAGIC at 0x38: arm64, riscv, loongarch kernels
inline constexpr uint32_t kZbootMagic = 0x676d697a;      // "zimg" at 4: struct linux_efi_zboot_header
inline constexpr uint64_t kZbootPayloadOffset = 8;       // u32: payload_offset, then u32 payload_size
inline constexpr uint64_t kZbootCompressionOffset = 24;  // comp_type: a name, at most 32 bytes including its NUL
inline constexpr uint64_t kZbootCompressionMax = 32;

struct CoffHeader {
  uint16_t Machine = 0;
  uint16_t NumberOfSections = 0;
  uint32_t TimeDateStamp = 0;
  uint32_t PointerToSymbolTable = 0;
  uint32_t NumberOfSymbols = 0;
  uint16_t SizeOfOptionalHeader = 0;  // the section table follows that header
  uint16_t Characteristics = 0;
};
static_assert(sizeof(CoffHeader) == 20);
static_assert(offsetof(CoffHeader, SizeOfOptionalHeader) == 16);

struct PeSectionHeader {
  char Name[8] = {};  // padded with NULs; a name of 8 characters has no NUL
  uint32_t VirtualSize = 0;
  uint32_t VirtualAddress = 0;
  uint32_t SizeOfRawData = 0;  // rounded up to FileAlignment
  uint32_t PointerToRawData = 0;
  uint32_t PointerToRelocations = 0;
  uint32_t PointerToLinenumbers = 0;
  uint16_t NumberOfRelocations = 0;
  uint16_t NumberOfLinenumbers = 0;
  uint32_t Characteristics = 0;
};
static_assert(sizeof(PeSectionHeader) == 40);
static_assert(offsetof(PeSectionHeader, PointerToRawData) == 20);

}  // namespace vmm

#endif  // VMM_BOOT_ABI_PE_ABI_H_
