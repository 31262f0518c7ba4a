// An opened kdump-compressed file: the RAM in it, its notes and the facts in its headers. The file is from
// makedumpfile, QEMU or ourselves, flattened or not. Nothing in it is trusted: each size is checked against the file
// and against a limit before it is used.
#ifndef DUMP_KDUMP_KDUMP_FILE_H_
#define DUMP_KDUMP_KDUMP_FILE_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/physical_memory.h"
#include "dump/file/byte_source.h"
#include "dump/kdump/page_bitmap.h"
#include "dump/kdump/page_codec.h"

namespace vmm {

// Facts from the headers. Strings end at their first NUL and may hold any other byte.
struct KdumpFacts {
  int header_version = 0;
  std::string sysname, nodename, release, version, machine, domainname;
  uint32_t status = 0;  // kDh...
  int dump_level = 0;
  uint64_t phys_base = 0;
  int nr_cpus = 0;  // QEMU: the count of vCPUs; makedumpfile: often 0 or 1
  uint32_t current_cpu = 0;
  uint64_t max_pfn = 0;  // one past the highest
  bool flattened = false;
};

class KdumpFile final : public PhysicalMemory {
 public:
  // Limits for the bitmaps and for everything kept in memory: 2 TiB of physical addresses, and more blocks of RAM than
  // any machine has.
  static constexpr uint64_t kMaxPages = 1ull << 29;
  static constexpr size_t kMaxRanges = 65536;
  static constexpr size_t kMaxExtents = 1 << 20;
  static constexpr uint64_t kMaxNotes = 16 << 20;

  // True iff `source` looks like a kdump file. If not, Open() is not worth trying.
  static bool IsKdump(const ByteSource& source);

  // InvalidArgument if it is no kdump file. Unimplemented if it is of a kind that is not read: another page size,
  // another machine, one part of a split dump. DataLoss if it is damaged. CutShortError() if it ends before its headers
  // do. A file that ends later, or is marked as incomplete, is read as far as it goes. To detect this, Open() reads
  // only the last page_descs of a whole file, but all page_descs of an incomplete one.
  static absl::StatusOr<std::unique_ptr<KdumpFile>> Open(std::shared_ptr<const ByteSource> source);

  const std::optional<CutShort>& cut_short() const { return cut_short_; }

  // RAM that is missing because the file is cut short. In each block of RAM this is everything from the first missing
  // page to the last. Ascending, disjoint, not in Ranges(). Reading it is DataLoss.
  const std::vector<GuestRange>& Missing() const { return missing_; }

  const KdumpFacts& facts() const { return facts_; }

  // The ELF notes as they are in the file, in the form of a PT_NOTE; empty: none.
  const std::string& notes() const { return notes_; }

  // VMCOREINFO's text; empty: none.
  const std::string& vmcoreinfo() const { return vmcoreinfo_; }

  uint64_t stored_pages() const { return stored_.Count(); }

  // True for RAM that was filtered out. It reads as zeros, but its true content is unknown.
  bool IsExcluded(GuestAddr addr) const {
    return ram_.Test(addr.value / kPageSize) && !stored_.Test(addr.value / kPageSize);
  }
  uint64_t excluded_pages() const;

  // ram_pages() is the first bitmap: all RAM. pages() is the second: the RAM that is stored.
  const PageBitmap& ram_pages() const { return ram_; }
  const PageBitmap& pages() const { return stored_; }

  // PhysicalMemory. DataExtents() reads all page_descs and leaves out pages that are zero or filtered out.
  std::vector<GuestRange> Ranges() const override { return ranges_; }
  absl::StatusOr<std::vector<GuestRange>> DataExtents() const override;
  absl::Status Read(GuestAddr addr, std::span<uint8_t> out) const override;

 private:
  struct Desc {
    uint64_t offset = 0;
    uint32_t size = 0;
    uint32_t flags = 0;
  };

  KdumpFile(std::shared_ptr<const ByteSource> source, KdumpFacts facts) : source_(std::move(source)), facts_(facts) {}

  absl::Status ReadBitmaps(uint64_t offset, uint64_t size);
  absl::Status ReadRanges();
  absl::Status FindCut();
  absl::StatusOr<uint64_t> EndOfLastPage(uint64_t descs) const;
  absl::StatusOr<uint64_t> FindMissing();
  bool IsMissing(const Desc& desc) const;
  void CutAt(std::string_view part, uint64_t wanted);
  absl::StatusOr<std::string> ReadBlob(std::string_view name, uint64_t offset, uint64_t size, uint64_t limit,
                                       uint64_t headers_end);
  absl::Status ReadPages(uint64_t pfn, std::span<uint8_t> pages, PageDecompressor& decompressor) const;
  absl::Status ReadStored(uint64_t first, std::span<uint8_t> pages, PageDecompressor& decompressor) const;
  absl::Status ReadPart(GuestAddr addr, std::span<uint8_t> out) const;
  absl::StatusOr<std::vector<Desc>> ReadDescs(uint64_t index, uint64_t count) const;
  bool IsZero(const Desc& desc) const { return desc.flags == 0 && zero_offset_ != 0 && desc.offset == zero_offset_; }

  const std::shared_ptr<const ByteSource> source_;
  KdumpFacts facts_;
  std::optional<CutShort> cut_short_;
  std::string notes_;
  std::string vmcoreinfo_;
  PageBitmap ram_;
  PageBitmap stored_;
  std::unique_ptr<PageRank> rank_;
  std::vector<GuestRange> ranges_;
  std::vector<GuestRange> missing_;
  uint64_t desc_offset_ = 0;
  uint64_t zero_offset_ = 0;  // of the block that all zero pages share; 0: none

  // A page that was read in part. Page tables and structures are read this way, again and again.
  struct CachedPage {
    uint64_t pfn = ~0ull;
    std::vector<uint8_t> bytes;
  };
  static constexpr size_t kCachedPages = 64;
  mutable std::mutex mutex_;  // guards everything below
  mutable std::vector<CachedPage> cache_ = std::vector<CachedPage>(kCachedPages);
  mutable PageDecompressor decompressor_;
};

}  // namespace vmm

#endif  // DUMP_KDUMP_KDUMP_FILE_H_
