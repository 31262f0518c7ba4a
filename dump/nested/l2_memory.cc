#include "dump/nested/l2_memory.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_format.h"
#include "dump/nested/vmx/ept_walk.h"
#include "dump/paging/page_tables.h"

namespace vmm {
namespace {

constexpr uint64_t kGiB = 1 << 30;
constexpr uint64_t kDevicesStart = 3 * kGiB, kDevicesEnd = 4 * kGiB;

// True if the unmapped addresses from `start` to `end` are taken for RAM that was never touched.
bool IsUntouchedRam(uint64_t start, uint64_t end) {
  const bool in_devices = start < kDevicesEnd && end > kDevicesStart;
  return !in_devices && end - start <= 64 * kGiB;
}

}  // namespace

L2Memory::L2Memory(const PhysicalMemory& l1) : l1_(&l1), l1_ranges_(l1.Ranges()) {
  for (const GuestRange& range : l1_ranges_) l1_size_ += range.size;
}

absl::StatusOr<std::unique_ptr<L2Memory>> L2Memory::ThroughEpt(const PhysicalMemory& l1, uint64_t ept_pointer,
                                                               bool mode_based_execute) {
  ASSIGN_OR_RETURN(const Ept ept, Ept::Create(l1, ept_pointer, {.mode_based_execute = mode_based_execute}));
  std::unique_ptr<L2Memory> memory(new L2Memory(l1));
  const EptWalkReport report =
      ept.ForEachMapping([&](const EptMapping& page) { return memory->Add(page.l2, page.l1, page.size); });
  memory->walk_.not_ram += report.mmio + report.outside;
  memory->walk_.misconfigured = report.misconfigured;
  memory->walk_.repeated = report.repeated;
  RETURN_IF_ERROR(memory->Finish(report.cut_short));
  return memory;
}

absl::StatusOr<std::unique_ptr<L2Memory>> L2Memory::ThroughNestedPaging(const PhysicalMemory& l1, GuestAddr root,
                                                                        int levels) {
  std::unique_ptr<L2Memory> memory(new L2Memory(l1));
  const PageTables tables(l1, root, levels);
  // The lower half of the tables' reach: 128 TiB with 4 levels.
  const uint64_t last = (uint64_t{1} << (11 + 9 * levels)) - 1;
  bool enough = false;
  const bool complete = tables.ForEachMapping(0, last, [&](const PageMapping& page) {
    enough = !memory->Add(GuestAddr{page.vaddr}, page.phys, page.size);
    return !enough;
  });
  RETURN_IF_ERROR(memory->Finish(enough || !complete));
  return memory;
}

bool L2Memory::Add(GuestAddr l2, GuestAddr l1, uint64_t size) {
  const bool is_ram = std::any_of(l1_ranges_.begin(), l1_ranges_.end(), [&](const GuestRange& range) {
    return range.Contains(GuestRange{l1, size});
  });
  if (!is_ram) {
    ++walk_.not_ram;
    return true;
  }
  ++walk_.pages;
  walk_.bytes += size;  // at most 2^9 pages of 1 GiB in each of 2^18 tables
  if (!runs_.empty() && runs_.back().l2.end() == l2 && runs_.back().l1.value + runs_.back().l2.size == l1.value) {
    runs_.back().l2.size += size;
  } else {
    runs_.push_back({{l2, size}, l1});
  }
  return walk_.bytes / kMaxTimesMapped <= l1_size_;
}

absl::Status L2Memory::Finish(bool cut_short) {
  if (cut_short) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("L1's tables map more than can be: %d pages, %d bytes, out of %d bytes of RAM", walk_.pages,
                        walk_.bytes, l1_size_));
  }
  if (runs_.empty()) return absl::NotFoundError("L1's tables map no page of its RAM");
  for (const Run& run : runs_) {
    const uint64_t end = ranges_.empty() ? 0 : ranges_.back().end().value;
    const uint64_t gap = run.l2.start.value >= kDevicesEnd ? std::max(end, kDevicesEnd) : end;
    if (!IsUntouchedRam(gap, run.l2.start.value)) {
      ranges_.push_back(run.l2);
    } else if (!ranges_.empty() && gap == end) {
      ranges_.back().size = run.l2.end().value - ranges_.back().start.value;
    } else {
      ranges_.push_back({GuestAddr{gap}, run.l2.end().value - gap});
    }
  }
  return absl::OkStatus();
}

std::vector<L2Memory::Run>::const_iterator L2Memory::RunAt(GuestAddr addr) const {
  return std::partition_point(runs_.begin(), runs_.end(), [&](const Run& run) { return run.l2.end() <= addr; });
}

absl::StatusOr<std::vector<GuestRange>> L2Memory::DataExtents() const {
  ASSIGN_OR_RETURN(const std::vector<GuestRange> extents, l1_->DataExtents());
  std::vector<GuestRange> data;
  for (const Run& run : runs_) {
    const uint64_t run_end = run.l1.value + run.l2.size;
    auto extent = std::partition_point(extents.begin(), extents.end(),
                                       [&](const GuestRange& each) { return each.end() <= run.l1; });
    for (; extent != extents.end() && extent->start.value < run_end; ++extent) {
      const uint64_t start = std::max(run.l1.value, extent->start.value);
      const uint64_t end = std::min(run_end, extent->end().value);
      const GuestAddr l2{run.l2.start.value + (start - run.l1.value)};
      if (!data.empty() && data.back().end() == l2) {
        data.back().size += end - start;
      } else {
        data.push_back({l2, end - start});
      }
    }
  }
  return data;
}

absl::Status L2Memory::Read(GuestAddr addr, std::span<uint8_t> out) const {
  const GuestRange wanted{addr, out.size()};
  const bool is_ram = wanted.IsValid() && std::any_of(ranges_.begin(), ranges_.end(),
                                                      [&](const GuestRange& range) { return range.Contains(wanted); });
  if (!is_ram) {
    return absl::OutOfRangeError(absl::StrFormat("L2 has no RAM at [0x%x, +0x%x)", addr.value, out.size()));
  }
  for (auto run = RunAt(addr); !out.empty(); ++run) {
    const uint64_t start = run == runs_.end() ? std::numeric_limits<uint64_t>::max() : run->l2.start.value;
    if (start > addr.value) {  // never touched
      const size_t gap = static_cast<size_t>(std::min<uint64_t>(out.size(), start - addr.value));
      std::fill_n(out.begin(), gap, uint8_t{0});
      addr.value += gap;
      out = out.subspan(gap);
      if (out.empty()) break;
    }
    const uint64_t offset = addr.value - start;
    const size_t size = static_cast<size_t>(std::min<uint64_t>(out.size(), run->l2.size - offset));
    RETURN_IF_ERROR(l1_->Read(GuestAddr{run->l1.value + offset}, out.first(size)));
    addr.value += size;
    out = out.subspan(size);
  }
  return absl::OkStatus();
}

std::span<const uint8_t> L2Memory::Lend(GuestRange range) const {
  const auto run = RunAt(range.start);
  if (run == runs_.end() || !run->l2.Contains(range)) return {};
  return l1_->Lend({GuestAddr{run->l1.value + (range.start.value - run->l2.start.value)}, range.size});
}

}  // namespace vmm
