#include "vmm/boot/relocations.h"

#include <cstring>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/boot/abi/bzimage_abi.h"

namespace vmm {
namespace {

constexpr size_t kWordSize = sizeof(uint32_t);

absl::Status Bad(std::string message) { return absl::InvalidArgumentError(message); }

uint32_t Word(std::span<const uint8_t> table, size_t index) {
  uint32_t word = 0;
  std::memcpy(&word, table.data() + index * kWordSize, kWordSize);
  return word;
}

// One list: words [begin, end) of the table.
struct List {
  size_t begin = 0;
  size_t end = 0;
};

// Returns the lists in reading order: from the end of the table backwards.
absl::StatusOr<std::vector<List>> SplitLists(std::span<const uint8_t> table) {
  constexpr size_t kListsMax = 3;
  const size_t words = table.size() / kWordSize;
  if (table.size() % kWordSize != 0) {
    return Bad(
        absl::StrFormat("relocations: %d bytes behind the ELF file are not a multiple of %d", table.size(), kWordSize));
  }
  std::vector<List> lists;
  size_t end = words;
  for (size_t i = words; i-- > 0;) {
    if (Word(table, i) != 0) continue;
    if (lists.size() == kListsMax) {
      return Bad(
          absl::StrFormat("relocations: more than %d lists in the %d words behind the ELF file", kListsMax, words));
    }
    lists.push_back({i + 1, end});
    end = i;
  }
  if (end != 0)
    return Bad(absl::StrFormat("relocations: no 0 ends the first list, %d of %d words are left over", end, words));
  if (lists.size() < 2)
    return Bad(absl::StrFormat("relocations: %d list in %d words, there should be 2 or 3", lists.size(), words));
  return lists;
}

// Patches places in the file's bytes. Places mostly ascend, so it tries the segment of the previous place first.
class Patcher {
 public:
  Patcher(std::span<uint8_t> file, const ElfKernel& kernel)
      : file_(file), segments_(kernel.segments), last_(&segments_.front()) {}

  template <typename T>
  absl::Status AddAt(uint32_t place, T shift) {
    const uint64_t va = static_cast<uint64_t>(int64_t{static_cast<int32_t>(place)});
    uint8_t* const at = Find(va - kStartKernelMap, sizeof(T));
    if (va < kStartKernelMap || at == nullptr) {
      return Bad(absl::StrFormat("relocations: place %#x (virtual %#x) is not in the image", place, va));
    }
    T value;
    std::memcpy(&value, at, sizeof(T));
    value += shift;
    std::memcpy(at, &value, sizeof(T));
    return absl::OkStatus();
  }

 private:
  static bool Holds(const ElfSegment& segment, uint64_t paddr, size_t size) {
    return paddr >= segment.paddr && segment.filesz >= size && paddr - segment.paddr <= segment.filesz - size;
  }

  uint8_t* Find(uint64_t paddr, size_t size) {
    if (!Holds(*last_, paddr, size)) {
      last_ = nullptr;
      for (const ElfSegment& segment : segments_) {
        if (Holds(segment, paddr, size)) last_ = &segment;
      }
      if (last_ == nullptr) {
        last_ = &segments_.front();
        return nullptr;
      }
    }
    return file_.data() + last_->offset + (paddr - last_->paddr);
  }

  std::span<uint8_t> file_;
  std::span<const ElfSegment> segments_;
  const ElfSegment* last_;
};

template <typename T>
absl::Status AddToAll(Patcher& patcher, std::span<const uint8_t> table, List list, T shift) {
  for (size_t i = list.begin; i < list.end; ++i) RETURN_IF_ERROR(patcher.AddAt<T>(Word(table, i), shift));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RelocationCounts> ApplyRelocations(std::span<uint8_t> file, const ElfKernel& kernel, uint64_t shift) {
  const std::span<const uint8_t> table = file.subspan(kernel.end);
  ASSIGN_OR_RETURN(const std::vector<List> lists, SplitLists(table));
  const List abs32 = lists.front();
  const List abs64 = lists.back();
  const List inverse32 = lists.size() == 3 ? lists[1] : List{};

  Patcher patcher(file, kernel);
  const uint32_t shift32 = static_cast<uint32_t>(shift);
  RETURN_IF_ERROR(AddToAll<uint32_t>(patcher, table, abs32, shift32));
  RETURN_IF_ERROR(AddToAll<uint32_t>(patcher, table, inverse32, 0 - shift32));
  RETURN_IF_ERROR(AddToAll<uint64_t>(patcher, table, abs64, shift));
  return RelocationCounts{abs32.end - abs32.begin, inverse32.end - inverse32.begin, abs64.end - abs64.begin};
}

}  // namespace vmm
