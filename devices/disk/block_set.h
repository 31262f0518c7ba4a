// A set of block numbers, of which neighbours mostly come together: the blocks that an overlay holds.
#ifndef DEVICES_DISK_BLOCK_SET_H_
#define DEVICES_DISK_BLOCK_SET_H_

#include <array>
#include <cstdint>
#include <unordered_map>

namespace vmm {

// A bit for each block, in parts of 512 bytes that exist only where a block was inserted. Used by one thread at a time.
class BlockSet {
 public:
  static constexpr uint64_t kPartBlocks = 4096;
  using Part = std::array<uint64_t, kPartBlocks / 64>;

  bool Contains(uint64_t block) const {
    const auto it = parts_.find(block / kPartBlocks);
    return it != parts_.end() && (it->second[block % kPartBlocks / 64] >> (block % 64) & 1) != 0;
  }

  void Insert(uint64_t block) { parts_[block / kPartBlocks][block % kPartBlocks / 64] |= uint64_t{1} << (block % 64); }

  // Part n has blocks n * kPartBlocks to (n + 1) * kPartBlocks - 1.
  const std::unordered_map<uint64_t, Part>& parts() const { return parts_; }
  void SetPart(uint64_t number, const Part& part) { parts_[number] = part; }

 private:
  std::unordered_map<uint64_t, Part> parts_;
};

}  // namespace vmm

#endif  // DEVICES_DISK_BLOCK_SET_H_
