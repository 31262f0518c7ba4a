// The guest's RAM: one memfd, mapped shared, visible to KVM and to us.
//
// It is a memfd for three reasons. Its holes show which pages the guest never touched (SEEK_DATA). The descriptor
// outlives a mapping. Reading a hole through read(2) leaves it a hole. Reading a hole through the mapping would
// allocate it; Read() never does that.
#ifndef BASE_GUEST_MEMORY_H_
#define BASE_GUEST_MEMORY_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "base/physical_memory.h"
#include "base/unique_fd.h"

namespace vmm {

// Any thread may call any method. Running vCPUs share the bytes, so two reads of the same bytes may differ.
class GuestMemory final : public PhysicalMemory {
 public:
  // One block of RAM. The blocks lie in the memfd one after the other.
  struct Region {
    GuestRange range;
    uint8_t* host = nullptr;   // owned by GuestMemory
    uint64_t file_offset = 0;  // of range.start in fd(), in bytes
  };

  // Makes RAM for `ranges`, which must be ascending, disjoint, page-aligned and not empty (else InvalidArgument).
  // Nothing is allocated until it is touched.
  static absl::StatusOr<std::unique_ptr<GuestMemory>> Create(std::span<const GuestRange> ranges);

  GuestMemory(const GuestMemory&) = delete;
  GuestMemory& operator=(const GuestMemory&) = delete;
  ~GuestMemory() override;

  std::span<const Region> regions() const { return regions_; }
  int fd() const { return fd_.get(); }
  uint64_t size() const;  // bytes of RAM in total

  // The host bytes of `range`, valid as long as this object. OutOfRange unless one region contains all of it: a bad
  // guest address is a Status, never an abort.
  absl::StatusOr<std::span<uint8_t>> Span(GuestRange range);

  // Copies `data` to `addr`. OutOfRange, and nothing is written, unless all of it lies in one region.
  absl::Status Write(GuestAddr addr, std::span<const uint8_t> data);

  template <typename T>
  absl::Status WriteObject(GuestAddr addr, const T& object) {
    return Write(addr, std::span<const uint8_t>(reinterpret_cast<const uint8_t*>(&object), sizeof(T)));
  }

  // PhysicalMemory
  std::vector<GuestRange> Ranges() const override;
  absl::StatusOr<std::vector<GuestRange>> DataExtents() const override;
  absl::Status Read(GuestAddr addr, std::span<uint8_t> out) const override;
  std::span<const uint8_t> Lend(GuestRange range) const override;

 private:
  GuestMemory(UniqueFd fd, std::vector<Region> regions) : fd_(std::move(fd)), regions_(std::move(regions)) {}

  const Region* Find(GuestRange range) const;

  UniqueFd fd_;
  std::vector<Region> regions_;
};

}  // namespace vmm

#endif  // BASE_GUEST_MEMORY_H_
