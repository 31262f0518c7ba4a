// One bit for each page of physical memory, as in a kdump file: a PFN's bit is bit PFN % 8 of byte PFN / 8.
#ifndef DUMP_KDUMP_PAGE_BITMAP_H_
#define DUMP_KDUMP_PAGE_BITMAP_H_

#include <cstdint>
#include <span>
#include <vector>

namespace vmm {

// One thread may change it, or any number may read it.
class PageBitmap {
 public:
  PageBitmap() = default;
  explicit PageBitmap(uint64_t pages) : pages_(pages), bytes_((pages + 63) / 64 * 8) {}

  // Takes its bits from `bytes`. Missing bits are clear; bits past `pages` are dropped.
  PageBitmap(uint64_t pages, std::span<const uint8_t> bytes);

  uint64_t pages() const { return pages_; }

  // Whole 64-bit words; the bits past pages() are clear.
  std::span<const uint8_t> bytes() const { return bytes_; }

  // False past the end.
  bool Test(uint64_t pfn) const { return pfn < pages_ && (bytes_[pfn / 8] >> (pfn % 8) & 1) != 0; }

  // Both take [first, end), cut off at pages().
  void SetRange(uint64_t first, uint64_t end);
  void ClearRange(uint64_t first, uint64_t end);

  // Clears all bits that are set in `other`.
  void Subtract(const PageBitmap& other);

  // Number of set bits in [first, end), cut off at pages().
  uint64_t Count(uint64_t first, uint64_t end) const;
  uint64_t Count() const { return Count(0, pages_); }

  // The first PFN from `pfn` on whose bit is `value`; pages() if there is none.
  uint64_t Find(uint64_t pfn, bool value) const;

 private:
  uint64_t Word(uint64_t index) const;
  template <typename Change>
  void ForWords(uint64_t first, uint64_t end, Change change);

  uint64_t pages_ = 0;
  std::vector<uint8_t> bytes_;
};

// Counts the set bits before a given one, in constant time. The bitmap must no longer change.
class PageRank {
 public:
  explicit PageRank(const PageBitmap& bitmap);  // `bitmap` must outlive this object

  // REQUIRES: pfn <= pages().
  uint64_t Before(uint64_t pfn) const;

 private:
  static constexpr uint64_t kStep = 4096;

  const PageBitmap& bitmap_;
  std::vector<uint64_t> at_step_;
};

}  // namespace vmm

#endif  // DUMP_KDUMP_PAGE_BITMAP_H_
