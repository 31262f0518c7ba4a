#include "dump/kdump/kdump_file.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status.h"
#include "base/zero_page.h"
#include "dump/abi/kdump_abi.h"
#include "dump/snapshot/vmcoreinfo.h"

namespace vmm {
namespace {

constexpr uint64_t kDescsAtATime = 1024;
constexpr uint64_t kMaxFileSize = 1ull << 56;  // an offset beyond it is damaged

absl::Status Damaged(const std::string& what) { return absl::DataLossError(absl::StrFormat("kdump file: %s", what)); }
absl::Status NotRead(const std::string& what) {
  return absl::UnimplementedError(absl::StrFormat("kdump file: %s", what));
}

template <size_t n>
std::string Text(const char (&field)[n]) {
  return std::string(field, strnlen(field, n));
}

absl::Status ReadHeader(const ByteSource& source, std::string_view part, uint64_t offset, std::span<uint8_t> out) {
  if (source.Available(offset, out.size()) == out.size()) return source.ReadAt(offset, out);
  if (source.cut_short().has_value()) return CutShortError(*source.cut_short());
  return CutShortError(EndsEarly(part, offset + out.size(), source.size(), /*at_least=*/true));
}

absl::Status CheckHeader(const DiskDumpHeader& header) {
  if (header.header_version < 1 || header.header_version > kKdumpHeaderVersion) {
    return NotRead(absl::StrFormat("header version %d; 1 to %d are read", header.header_version, kKdumpHeaderVersion));
  }
  if (header.block_size != static_cast<int32_t>(kPageSize)) {
    return NotRead(absl::StrFormat("pages of %d bytes; only x86_64's %d are read", header.block_size, kPageSize));
  }
  const std::string machine = Text(header.utsname.machine);
  if (!machine.empty() && machine != "x86_64") return NotRead("of another machine than x86_64");
  constexpr int32_t kMaxSubHeader = static_cast<int32_t>(2 * KdumpFile::kMaxNotes / kPageSize);
  if (header.sub_hdr_size < 1 || header.sub_hdr_size > kMaxSubHeader) {
    return Damaged(absl::StrFormat("its sub header has %d blocks", header.sub_hdr_size));
  }
  return absl::OkStatus();
}

// Clears the fields that are newer than the header's version: they may hold anything.
void DropYoungerFields(int version, KdumpSubHeader& sub) {
  if (version < 2) sub.split = 0;
  if (version < 3) sub.offset_vmcoreinfo = sub.size_vmcoreinfo = 0;
  if (version < 4) sub.offset_note = sub.size_note = 0;
  if (version < 6) sub.max_mapnr_64 = 0;
}

}  // namespace

bool KdumpFile::IsKdump(const ByteSource& source) {
  if (IsFlattened(source)) return true;
  char signature[8] = {};
  return source.ReadAt(0, WritableBytesOf(signature)).ok() && std::memcmp(signature, kKdumpSignature, 8) == 0;
}

absl::StatusOr<std::unique_ptr<KdumpFile>> KdumpFile::Open(std::shared_ptr<const ByteSource> source) {
  if (!source->flattened() && IsFlattened(*source)) {
    ASSIGN_OR_RETURN(source, Unflatten(std::move(source)));
  }
  KdumpFacts facts;
  facts.flattened = source->flattened();
  DiskDumpHeader header;
  KdumpSubHeader sub;
  if (!source->ReadAt(0, WritableBytesOf(header.signature)).ok() ||
      std::memcmp(header.signature, kKdumpSignature, 8) != 0) {
    if (source->cut_short().has_value()) return CutShortError(*source->cut_short());
    return absl::InvalidArgumentError("not a kdump-compressed file");
  }
  RETURN_IF_ERROR(ReadHeader(*source, "header", 0, WritableBytesOf(header)));
  RETURN_IF_ERROR(CheckHeader(header));
  RETURN_IF_ERROR(ReadHeader(*source, "sub header", kPageSize, WritableBytesOf(sub)));
  DropYoungerFields(header.header_version, sub);
  if (sub.split != 0) return NotRead("one part of a split dump; makedumpfile --reassemble makes it whole");

  facts.header_version = header.header_version;
  facts.sysname = Text(header.utsname.sysname);
  facts.nodename = Text(header.utsname.nodename);
  facts.release = Text(header.utsname.release);
  facts.version = Text(header.utsname.version);
  facts.machine = Text(header.utsname.machine);
  facts.domainname = Text(header.utsname.domainname);
  facts.status = header.status;
  facts.dump_level = sub.dump_level;
  facts.phys_base = sub.phys_base;
  facts.nr_cpus = header.nr_cpus;
  facts.current_cpu = header.current_cpu;
  facts.max_pfn = header.header_version >= 6 ? sub.max_mapnr_64 : header.max_mapnr;

  std::unique_ptr<KdumpFile> file(new KdumpFile(std::move(source), facts));
  const uint64_t headers_end = (1 + static_cast<uint64_t>(header.sub_hdr_size)) * kPageSize;
  ASSIGN_OR_RETURN(file->notes_, file->ReadBlob("notes", sub.offset_note, sub.size_note, kMaxNotes, headers_end));
  ASSIGN_OR_RETURN(file->vmcoreinfo_, file->ReadBlob("VMCOREINFO's lines", sub.offset_vmcoreinfo, sub.size_vmcoreinfo,
                                                     kMaxVmcoreInfo, headers_end));
  RETURN_IF_ERROR(file->ReadBitmaps(headers_end, header.bitmap_blocks * kPageSize));
  return file;
}

void KdumpFile::CutAt(std::string_view part, uint64_t wanted) {
  if (cut_short_.has_value()) return;
  cut_short_ = source_->cut_short();
  if (!cut_short_.has_value()) cut_short_ = EndsEarly(part, wanted, source_->size(), /*at_least=*/true);
}

// Returns the part of the blob that is there. Every writer puts a blob before `headers_end`, where the bitmaps begin.
// If one lies elsewhere and past the file's end, the file is damaged and not cut.
absl::StatusOr<std::string> KdumpFile::ReadBlob(std::string_view name, uint64_t offset, uint64_t size, uint64_t limit,
                                                uint64_t headers_end) {
  if (offset == 0 || size == 0) return std::string();
  if (size > limit) {
    return Damaged(absl::StrFormat("its %s have %d bytes, more than the limit of %d", name, size, limit));
  }
  const uint64_t available = source_->Available(offset, size);
  if (available < size) {
    if (offset > headers_end || size > headers_end - offset) {
      return Damaged(absl::StrFormat("its %s, %d bytes at offset %d, pass the file's end", name, size, offset));
    }
    CutAt(name, offset + size);
  }
  std::string blob(available, '\0');
  if (available != 0) {
    RETURN_IF_ERROR(source_->ReadAt(offset, {reinterpret_cast<uint8_t*>(blob.data()), blob.size()}));
  }
  return blob;
}

absl::Status KdumpFile::ReadBitmaps(uint64_t offset, uint64_t size) {
  const uint64_t pages = facts_.max_pfn;
  if (pages > kMaxPages) {
    return NotRead(absl::StrFormat("RAM up to page %#x, beyond the limit of %#x", pages, kMaxPages));
  }
  const uint64_t half = size / 2, needed = (pages + 7) / 8;
  if (half < needed) {
    return Damaged(absl::StrFormat("bitmaps of %d bytes each are too small for %d pages", half, pages));
  }
  const bool first_is_there = source_->Available(offset, needed) == needed;
  const bool second_is_there = source_->Available(offset + half, needed) == needed;
  if (!first_is_there || !second_is_there) {
    if (half > AlignUp(needed, kPageSize) + kPageSize) return Damaged("its bitmaps pass the file's end");
    CutAt("bitmaps", offset + size);
  }
  std::vector<uint8_t> bytes(needed);
  if (first_is_there) RETURN_IF_ERROR(source_->ReadAt(offset, bytes));
  ram_ = PageBitmap(pages, bytes);
  std::ranges::fill(bytes, 0);
  if (second_is_there) RETURN_IF_ERROR(source_->ReadAt(offset + half, bytes));
  stored_ = PageBitmap(pages, bytes);
  rank_ = std::make_unique<PageRank>(stored_);
  RETURN_IF_ERROR(ReadRanges());
  desc_offset_ = offset + size;
  if (!second_is_there) {  // nobody knows which pages there would be
    missing_ = std::move(ranges_);
    ranges_.clear();
    return absl::OkStatus();
  }
  return FindCut();
}

absl::Status KdumpFile::ReadRanges() {
  const uint64_t pages = ram_.pages();
  for (uint64_t at = ram_.Find(0, true); at < pages;) {
    const uint64_t end = ram_.Find(at, false);
    if (ranges_.size() == kMaxRanges) return Damaged("its first bitmap has more blocks of RAM than any machine");
    ranges_.push_back({GuestAddr{at * kPageSize}, (end - at) * kPageSize});
    at = ram_.Find(end, true);
  }
  return absl::OkStatus();
}

absl::Status KdumpFile::FindCut() {
  const uint64_t stored = stored_.Count();
  // makedumpfile, QEMU and our writer put the block of the zero pages first.
  const uint64_t data_offset = desc_offset_ + stored * sizeof(PageDesc);
  std::vector<uint8_t> page(kPageSize);
  if (source_->Available(data_offset, kPageSize) == kPageSize && source_->ReadAt(data_offset, page).ok() &&
      IsZeroPage(page.data())) {
    zero_offset_ = data_offset;
  }

  bool page_data_is_cut = false;
  if (source_->Available(desc_offset_, stored * sizeof(PageDesc)) < stored * sizeof(PageDesc)) {
    CutAt("page descriptors", data_offset);
  } else {
    ASSIGN_OR_RETURN(const uint64_t end, EndOfLastPage(stored));
    page_data_is_cut = end > source_->size();
    if (page_data_is_cut) CutAt("page data", end);
  }
  if (source_->cut_short().has_value()) CutAt("", 0);
  const bool marked = (facts_.status & kDhCompressedIncomplete) != 0;
  if (!cut_short_.has_value() && !marked) return absl::OkStatus();
  ASSIGN_OR_RETURN(const uint64_t end, FindMissing());
  if (page_data_is_cut && !facts_.flattened && end > source_->size())
    cut_short_ = EndsEarly("page data", end, source_->size());
  return absl::OkStatus();
}

// Returns 0 if no page has bytes of its own. Writers put pages in the order of their descriptors, so the last page that
// does not share the block of zeros ends furthest. A page with an impossible size or offset does not count.
absl::StatusOr<uint64_t> KdumpFile::EndOfLastPage(uint64_t descs) const {
  for (uint64_t end = descs; end > 0;) {
    const uint64_t count = std::min(end, kDescsAtATime);
    end -= count;
    ASSIGN_OR_RETURN(const std::vector<Desc> found, ReadDescs(end, count));
    for (uint64_t i = count; i > 0; --i) {
      const Desc& desc = found[i - 1];
      if (desc.size == 0 || desc.size > kPageSize || desc.offset > kMaxFileSize || IsZero(desc)) continue;
      return desc.offset + desc.size;
    }
  }
  return 0;
}

// makedumpfile leaves a descriptor empty if it had no space for the page.
bool KdumpFile::IsMissing(const Desc& desc) const {
  if (desc.offset == 0 && desc.size == 0) return true;
  if (desc.size > kPageSize || desc.offset > kMaxFileSize) return false;  // damaged
  return source_->Available(desc.offset, desc.size) < desc.size;
}

// Removes missing RAM from ranges_. Returns the end of the page that reaches furthest in the file.
absl::StatusOr<uint64_t> KdumpFile::FindMissing() {
  std::vector<GuestRange> there;
  uint64_t file_end = source_->size();
  uint64_t missing_pages = 0;
  for (const GuestRange& range : ranges_) {
    const uint64_t begin = range.start.value / kPageSize, end = range.end().value / kPageSize;
    uint64_t first = end, last = begin;  // [first, last) of it is missing
    for (uint64_t at = stored_.Find(begin, true); at < end;) {
      const uint64_t run = std::min({stored_.Find(at, false), end, at + kDescsAtATime}) - at;
      const uint64_t index = rank_->Before(at);
      const uint64_t readable =
          source_->Available(desc_offset_ + index * sizeof(PageDesc), run * sizeof(PageDesc)) / sizeof(PageDesc);
      ASSIGN_OR_RETURN(const std::vector<Desc> descs, ReadDescs(index, readable));
      for (uint64_t i = 0; i < run; ++i) {
        if (i < readable && !IsMissing(descs[i])) continue;
        if (i < readable) file_end = std::max(file_end, descs[i].offset + descs[i].size);
        ++missing_pages;
        first = std::min(first, at + i);
        last = at + i + 1;
      }
      at = stored_.Find(at + run, true);
    }
    const auto add = [](std::vector<GuestRange>& to, uint64_t from, uint64_t until) {
      if (from < until) to.push_back({GuestAddr{from * kPageSize}, (until - from) * kPageSize});
    };
    add(there, begin, std::min(first, end));
    if (first < last) {
      add(missing_, first, last);
      add(there, last, end);
    }
  }
  ranges_ = std::move(there);
  const uint64_t stored = stored_.Count();
  if (!cut_short_.has_value()) {
    cut_short_ = CutShort{"its header marks it as incomplete: whoever wrote it ran out of space or of input", {}};
  }
  if (!cut_short_->missing.has_value() && stored != 0) {
    cut_short_->what += absl::StrFormat("; %d of %d stored pages are missing", missing_pages, stored);
  }
  return file_end;
}

uint64_t KdumpFile::excluded_pages() const {
  uint64_t excluded = 0;
  for (const GuestRange& range : ranges_) {
    const uint64_t first = range.start.value / kPageSize, count = range.size / kPageSize;
    excluded += count - stored_.Count(first, first + count);
  }
  return excluded;
}

absl::StatusOr<std::vector<KdumpFile::Desc>> KdumpFile::ReadDescs(uint64_t index, uint64_t count) const {
  if (count == 0) return std::vector<Desc>{};
  std::vector<PageDesc> found(count);
  RETURN_IF_ERROR(source_->ReadAt(desc_offset_ + index * sizeof(PageDesc),
                                  {reinterpret_cast<uint8_t*>(found.data()), count * sizeof(PageDesc)}));
  std::vector<Desc> descs;
  descs.reserve(count);
  for (const PageDesc& desc : found) descs.push_back({desc.offset, desc.size, desc.flags});
  return descs;
}

// A run ends at the first page without data, and at the end of its block of RAM. After kMaxExtents runs, the further
// runs of one block become one.
absl::StatusOr<std::vector<GuestRange>> KdumpFile::DataExtents() const {
  std::vector<GuestRange> extents;
  for (const GuestRange& range : ranges_) {
    const size_t first_of_range = extents.size();
    const uint64_t end = range.end().value / kPageSize;
    for (uint64_t at = stored_.Find(range.start.value / kPageSize, true); at < end;) {
      const uint64_t run = std::min({stored_.Find(at, false), end, at + kDescsAtATime}) - at;
      ASSIGN_OR_RETURN(const std::vector<Desc> descs, ReadDescs(rank_->Before(at), run));
      for (uint64_t i = 0; i < run; ++i) {
        if (IsZero(descs[i])) continue;
        const GuestAddr page{(at + i) * kPageSize};
        GuestRange* const last = extents.size() > first_of_range ? &extents.back() : nullptr;
        if (last != nullptr && (last->end() == page || extents.size() >= kMaxExtents)) {
          last->size = page.value + kPageSize - last->start.value;
        } else {
          extents.push_back({page, kPageSize});
        }
      }
      at = stored_.Find(at + run, true);
    }
  }
  return extents;
}

absl::Status KdumpFile::Read(GuestAddr addr, std::span<uint8_t> out) const {
  const GuestRange wanted{addr, out.size()};
  const auto behind = std::upper_bound(ranges_.begin(), ranges_.end(), addr,
                                       [](GuestAddr at, const GuestRange& range) { return at < range.start; });
  if (behind == ranges_.begin() || !std::prev(behind)->Contains(wanted)) {
    if (std::ranges::any_of(missing_, [&](const GuestRange& range) { return range.Overlaps(wanted); })) {
      return absl::DataLossError(
          absl::StrFormat("guest-physical %#x..+%#x is missing: the kdump file is cut short", addr.value, out.size()));
    }
    return absl::OutOfRangeError(absl::StrFormat("guest-physical %#x..+%#x is not RAM", addr.value, out.size()));
  }
  const uint64_t head = std::min<uint64_t>(out.size(), (kPageSize - addr.value % kPageSize) % kPageSize);
  if (head != 0) RETURN_IF_ERROR(ReadPart(addr, out.first(head)));
  const uint64_t whole = AlignDown(out.size() - head, kPageSize);
  if (whole != 0) {
    PageDecompressor decompressor;
    RETURN_IF_ERROR(ReadPages((addr.value + head) / kPageSize, out.subspan(head, whole), decompressor));
  }
  const std::span<uint8_t> tail = out.subspan(head + whole);
  return tail.empty() ? absl::OkStatus() : ReadPart(GuestAddr{addr.value + head + whole}, tail);
}

// `out` lies within one page.
absl::Status KdumpFile::ReadPart(GuestAddr addr, std::span<uint8_t> out) const {
  const uint64_t pfn = addr.value / kPageSize;
  const std::lock_guard lock(mutex_);
  CachedPage& cached = cache_[pfn % kCachedPages];
  if (cached.pfn != pfn) {
    cached.pfn = ~0ull;
    cached.bytes.resize(kPageSize);
    RETURN_IF_ERROR(ReadPages(pfn, cached.bytes, decompressor_));
    cached.pfn = pfn;
  }
  std::memcpy(out.data(), cached.bytes.data() + addr.value % kPageSize, out.size());
  return absl::OkStatus();
}

absl::Status KdumpFile::ReadPages(uint64_t pfn, std::span<uint8_t> pages, PageDecompressor& decompressor) const {
  const uint64_t end = pfn + pages.size() / kPageSize;
  for (uint64_t at = pfn; at < end;) {
    const bool is_stored = stored_.Test(at);
    const uint64_t run = std::min({stored_.Find(at, !is_stored), end, at + kDescsAtATime}) - at;
    const std::span<uint8_t> part = pages.subspan((at - pfn) * kPageSize, run * kPageSize);
    if (is_stored) {
      RETURN_IF_ERROR(ReadStored(at, part, decompressor));
    } else {
      std::fill(part.begin(), part.end(), 0);
    }
    at += run;
  }
  return absl::OkStatus();
}

absl::Status KdumpFile::ReadStored(uint64_t first, std::span<uint8_t> pages, PageDecompressor& decompressor) const {
  const uint64_t count = pages.size() / kPageSize;
  ASSIGN_OR_RETURN(const std::vector<Desc> descs, ReadDescs(rank_->Before(first), count));
  std::vector<uint8_t> compressed(kPageSize);
  for (uint64_t i = 0; i < count; ++i) {
    const std::span<uint8_t> page = pages.subspan(i * kPageSize, kPageSize);
    if (IsZero(descs[i])) {
      std::fill(page.begin(), page.end(), 0);
      continue;
    }
    if (descs[i].size == 0 || descs[i].size > kPageSize) {
      return Damaged(absl::StrFormat("page %#x: %d bytes in its page_desc", first + i, descs[i].size));
    }
    const std::span<uint8_t> bytes = std::span(compressed).first(descs[i].size);
    absl::Status status = source_->ReadAt(descs[i].offset, bytes);
    if (status.ok()) status = decompressor.Decompress(descs[i].flags, bytes, page);
    if (!status.ok()) return Annotate(status, absl::StrFormat("kdump file: page %#x", first + i));
  }
  return absl::OkStatus();
}

}  // namespace vmm
