// The kdump-compressed format ("KDUMP   ") as makedumpfile writes it, header version 6. Sources: makedumpfile's
// diskdump_mod.h, and the crash utility's include/linux/crash (diskdump.h). docs/abi/kdump.md shows the place of each
// part.
#ifndef DUMP_ABI_KDUMP_ABI_H_
#define DUMP_ABI_KDUMP_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

inline constexpr char kKdumpSignature[9] = "KDUMP   ";
inline constexpr int32_t kKdumpHeaderVersion = 6;

// struct new_utsname (Linux include/uapi/linux/utsname.h).
struct NewUtsname {
  char sysname[65];
  char nodename[65];
  char release[65];
  char version[65];
  char machine[65];
  char domainname[65];
};
static_assert(sizeof(NewUtsname) == 390);

// Values of disk_dump_header.status. page_desc.flags uses the compression bits, too.
inline constexpr uint32_t kDhCompressedZlib = 0x1;
inline constexpr uint32_t kDhCompressedLzo = 0x2;
inline constexpr uint32_t kDhCompressedSnappy = 0x4;
inline constexpr uint32_t kDhCompressedIncomplete = 0x8;
inline constexpr uint32_t kDhExcludedVmemmap = 0x10;
inline constexpr uint32_t kDhCompressedZstd = 0x20;

// Block 0.
struct DiskDumpHeader {
  char signature[8];
  int32_t header_version;
  NewUtsname utsname;
  uint8_t pad0[6];
  int64_t timestamp_sec, timestamp_usec;
  uint32_t status;
  int32_t block_size;      // in bytes
  int32_t sub_hdr_size;    // in blocks
  uint32_t bitmap_blocks;  // both bitmaps
  uint32_t max_mapnr;      // the highest PFN + 1, truncated to 32 bits; see max_mapnr_64
  uint32_t total_ram_blocks;
  uint32_t device_blocks;
  uint32_t written_blocks;
  uint32_t current_cpu;
  int32_t nr_cpus;
};
static_assert(sizeof(DiskDumpHeader) == 464);
static_assert(offsetof(DiskDumpHeader, header_version) == 8);
static_assert(offsetof(DiskDumpHeader, utsname) == 12);
static_assert(offsetof(DiskDumpHeader, timestamp_sec) == 408);
static_assert(offsetof(DiskDumpHeader, status) == 424);
static_assert(offsetof(DiskDumpHeader, block_size) == 428);
static_assert(offsetof(DiskDumpHeader, sub_hdr_size) == 432);
static_assert(offsetof(DiskDumpHeader, bitmap_blocks) == 436);
static_assert(offsetof(DiskDumpHeader, max_mapnr) == 440);
static_assert(offsetof(DiskDumpHeader, current_cpu) == 456);
static_assert(offsetof(DiskDumpHeader, nr_cpus) == 460);

// Block 1. The number after each field is the header version that introduced it.
struct KdumpSubHeader {
  uint64_t phys_base;
  int32_t dump_level;          // 1
  int32_t split;               // 2
  uint64_t start_pfn;          // 2
  uint64_t end_pfn;            // 2
  uint64_t offset_vmcoreinfo;  // 3; of the text itself, without a note around it
  uint64_t size_vmcoreinfo;    // 3
  uint64_t offset_note;        // 4; of all ELF notes, as in a PT_NOTE
  uint64_t size_note;          // 4
  uint64_t offset_eraseinfo;   // 5
  uint64_t size_eraseinfo;     // 5
  uint64_t start_pfn_64;       // 6
  uint64_t end_pfn_64;         // 6
  uint64_t max_mapnr_64;       // 6
};
static_assert(sizeof(KdumpSubHeader) == 104);
static_assert(offsetof(KdumpSubHeader, dump_level) == 8);
static_assert(offsetof(KdumpSubHeader, start_pfn) == 16);
static_assert(offsetof(KdumpSubHeader, offset_vmcoreinfo) == 32);
static_assert(offsetof(KdumpSubHeader, offset_note) == 48);
static_assert(offsetof(KdumpSubHeader, offset_eraseinfo) == 64);
static_assert(offsetof(KdumpSubHeader, start_pfn_64) == 80);
static_assert(offsetof(KdumpSubHeader, max_mapnr_64) == 96);

// One per stored page, in PFN order.
struct PageDesc {
  uint64_t offset;  // in the file
  uint32_t size;    // in the file; block_size if flags is 0
  uint32_t flags;   // the compression, or 0
  uint64_t page_flags;
};
static_assert(sizeof(PageDesc) == 24);
static_assert(offsetof(PageDesc, page_flags) == 16);

// The flattened form, for outputs that cannot seek. It begins with a header of kFlatHeaderSize bytes. Records follow:
// {offset, size} in big-endian, then the bytes themselves. An offset of -1 marks the end.
inline constexpr char kFlatSignature[16] = "makedumpfile\0\0\0";
inline constexpr uint64_t kFlatHeaderSize = 4096;

struct FlatRecord {
  uint64_t offset;  // big-endian
  uint64_t size;    // big-endian
};
static_assert(sizeof(FlatRecord) == 16);

}  // namespace vmm

#endif  // DUMP_ABI_KDUMP_ABI_H_
