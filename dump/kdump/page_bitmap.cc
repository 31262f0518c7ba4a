#include "dump/kdump/page_bitmap.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace vmm {
namespace {

// A mask of the bits [first, end) in the word that holds `first`.
uint64_t Mask(uint64_t first, uint64_t end) {
  const uint64_t from = first % 64;
  const uint64_t count = std::min(end - first, 64 - from);
  return (count == 64 ? ~0ull : (1ull << count) - 1) << from;
}

}  // namespace

PageBitmap::PageBitmap(uint64_t pages, std::span<const uint8_t> bytes) : PageBitmap(pages) {
  std::copy_n(bytes.begin(), std::min(bytes.size(), bytes_.size()), bytes_.begin());
  const uint64_t tail = pages_ % 64;
  if (tail == 0) return;
  const uint64_t word = Word(pages_ / 64) & ((1ull << tail) - 1);
  std::memcpy(bytes_.data() + bytes_.size() - 8, &word, sizeof(word));
}

uint64_t PageBitmap::Word(uint64_t index) const {
  uint64_t word = 0;
  std::memcpy(&word, bytes_.data() + 8 * index, sizeof(word));
  return word;
}

template <typename Change>
void PageBitmap::ForWords(uint64_t first, uint64_t end, Change change) {
  end = std::min(end, pages_);
  for (uint64_t at = first; at < end; at = at / 64 * 64 + 64) {
    const uint64_t word = change(Word(at / 64), Mask(at, end));
    std::memcpy(bytes_.data() + at / 64 * 8, &word, sizeof(word));
  }
}

void PageBitmap::SetRange(uint64_t first, uint64_t end) {
  ForWords(first, end, [](uint64_t word, uint64_t mask) { return word | mask; });
}

void PageBitmap::ClearRange(uint64_t first, uint64_t end) {
  ForWords(first, end, [](uint64_t word, uint64_t mask) { return word & ~mask; });
}

void PageBitmap::Subtract(const PageBitmap& other) {
  const size_t common = std::min(bytes_.size(), other.bytes_.size());
  for (size_t i = 0; i < common; ++i) bytes_[i] = static_cast<uint8_t>(bytes_[i] & ~other.bytes_[i]);
}

uint64_t PageBitmap::Count(uint64_t first, uint64_t end) const {
  end = std::min(end, pages_);
  uint64_t count = 0;
  for (uint64_t at = first; at < end; at = at / 64 * 64 + 64) {
    count += static_cast<uint64_t>(std::popcount(Word(at / 64) & Mask(at, end)));
  }
  return count;
}

uint64_t PageBitmap::Find(uint64_t pfn, bool value) const {
  for (uint64_t at = pfn; at < pages_; at = at / 64 * 64 + 64) {
    const uint64_t word = (value ? Word(at / 64) : ~Word(at / 64)) & (~0ull << (at % 64));
    if (word != 0) return std::min(at / 64 * 64 + static_cast<uint64_t>(std::countr_zero(word)), pages_);
  }
  return pages_;
}

PageRank::PageRank(const PageBitmap& bitmap) : bitmap_(bitmap) {
  uint64_t count = 0;
  for (uint64_t at = 0; at <= bitmap.pages(); at += kStep) {
    at_step_.push_back(count);
    count += bitmap.Count(at, at + kStep);
  }
}

uint64_t PageRank::Before(uint64_t pfn) const {
  return at_step_[pfn / kStep] + bitmap_.Count(pfn / kStep * kStep, pfn);
}

}  // namespace vmm
