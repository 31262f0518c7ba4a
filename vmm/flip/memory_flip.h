// Freezes guest RAM for a while without a copy: the flip.
//
// Open() maps the RAM privately, in place. The memfd then keeps the bytes of that moment, and whoever writes to RAM, a
// vCPU or a device of this process, gets private copies of the pages. Close() writes the private pages back to the
// memfd and maps it shared again. KVM follows by its MMU notifier, because the host addresses of its slots stay.
//
// It does not hold against writers that do not use our mapping: a back end in another process (vhost-user), and a page
// that the host's kernel has pinned, as KVM does while it runs a nested guest. The caller refuses those.
#ifndef VMM_FLIP_MEMORY_FLIP_H_
#define VMM_FLIP_MEMORY_FLIP_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/guest_memory.h"
#include "base/physical_memory.h"
#include "base/unique_fd.h"

namespace vmm {

// Used by one thread, that of the run.
class MemoryFlip {
 public:
  // Opens this process's page map, which a sandbox later forbids. `memory` must outlive the object.
  static absl::StatusOr<std::unique_ptr<MemoryFlip>> Create(GuestMemory& memory);

  // REQUIRES, for both: nobody uses the RAM meanwhile. An error of Open() leaves the RAM shared, and one of Close()
  // leaves it private: no byte is lost, and Close() may be called again. Close() returns the number of bytes that it
  // wrote back.
  absl::Status Open();
  absl::StatusOr<uint64_t> Close();
  bool is_open() const { return open_; }

 private:
  MemoryFlip(GuestMemory& memory, UniqueFd pagemap) : memory_(memory), pagemap_(std::move(pagemap)) {}

  absl::Status Map(int sharing);
  absl::Status TryToMapPrivate() const;
  absl::StatusOr<uint64_t> MergeRegion(const GuestMemory::Region& region);

  GuestMemory& memory_;
  const UniqueFd pagemap_;
  bool open_ = false;
};

// The RAM of an open flip, as it was when the flip was opened. For one reader at a time, on any thread, until Close().
class FrozenMemory final : public PhysicalMemory {
 public:
  // Looks up the extents once: the memfd grows while the flip is open, by pages of zeros.
  static absl::StatusOr<std::unique_ptr<FrozenMemory>> Create(const GuestMemory& memory);

  // From now on every read is Cancelled. Any thread may call it.
  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }

  // PhysicalMemory
  std::vector<GuestRange> Ranges() const override { return memory_.Ranges(); }
  absl::StatusOr<std::vector<GuestRange>> DataExtents() const override { return extents_; }
  absl::Status Read(GuestAddr addr, std::span<uint8_t> out) const override;

 private:
  FrozenMemory(const GuestMemory& memory, std::vector<GuestRange> extents)
      : memory_(memory), extents_(std::move(extents)) {}

  const GuestMemory& memory_;
  const std::vector<GuestRange> extents_;
  std::atomic<bool> cancelled_ = false;
};

// The RAM of an open flip as the guest sees it, where GuestMemory::Read() gives the frozen bytes. For any thread, until
// Close().
class RunningMemory final : public PhysicalMemory {
 public:
  explicit RunningMemory(const GuestMemory& memory) : memory_(memory) {}

  // PhysicalMemory
  std::vector<GuestRange> Ranges() const override { return memory_.Ranges(); }
  absl::StatusOr<std::vector<GuestRange>> DataExtents() const override { return memory_.DataExtents(); }
  absl::Status Read(GuestAddr addr, std::span<uint8_t> out) const override;
  std::span<const uint8_t> Lend(GuestRange range) const override { return memory_.Lend(range); }

 private:
  const GuestMemory& memory_;
};

}  // namespace vmm

#endif  // VMM_FLIP_MEMORY_FLIP_H_
