#include "dump/xen/p2m.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <span>
#include <string>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "dump/xen/abi/xen_abi.h"

namespace vmm {
namespace {

using Table = std::array<uint64_t, kXenP2mEntriesPerPage>;

constexpr uint64_t PagesFor(uint64_t entries) { return (entries + kXenP2mEntriesPerPage - 1) / kXenP2mEntriesPerPage; }

// Reads one p2m, and takes back what it has put into the set of frames unless it ends well.
class Reader {
 public:
  Reader(const PhysicalMemory& machine, FrameSet& frames, Meter& meter)
      : machine_(machine), frames_(frames), meter_(meter) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() {
    if (done_) return;
    for (const P2m::Run& run : runs_) {
      for (uint64_t i = 0; i < run.count; ++i) frames_.Remove(run.mfn + i);
    }
  }

  absl::Status Read(uint64_t list_list, uint64_t max_pfn) {
    if (max_pfn < kMinP2mPages || max_pfn > kXenMaxP2mPfns) {
      return absl::FailedPreconditionError(
          absl::StrFormat("max_pfn %d is not in %d to %d", max_pfn, kMinP2mPages, kXenMaxP2mPfns));
    }
    const uint64_t leaves = PagesFor(max_pfn);
    ASSIGN_OR_RETURN(const Table lists, ReadTable(list_list));
    for (uint64_t i = 0; i < PagesFor(leaves); ++i) {
      ASSIGN_OR_RETURN(const Table list, ReadTable(lists[i]));
      for (uint64_t j = 0; j < kXenP2mEntriesPerPage && i * kXenP2mEntriesPerPage + j < leaves; ++j) {
        const uint64_t first = (i * kXenP2mEntriesPerPage + j) * kXenP2mEntriesPerPage;
        ASSIGN_OR_RETURN(const Table leaf, ReadTable(list[j]));
        RETURN_IF_ERROR(Take(first, std::span(leaf).first(std::min(kXenP2mEntriesPerPage, max_pfn - first))));
      }
    }
    return CheckTables();
  }

  std::vector<P2m::Run> Finish() {
    done_ = true;
    return runs_;
  }

 private:
  absl::StatusOr<Table> ReadTable(uint64_t mfn) {
    if (!meter_.Step()) return meter_.status();
    if (!frames_.IsRam(mfn)) return absl::FailedPreconditionError(absl::StrFormat("a table at MFN %#x, no RAM", mfn));
    if (tables_.empty() || tables_.back() != mfn) tables_.push_back(mfn);  // the page of missing entries comes in rows
    return machine_.ReadObject<Table>(GuestAddr{mfn * kPageSize});
  }

  absl::Status Take(uint64_t pfn, std::span<const uint64_t> entries) {
    for (const uint64_t mfn : entries) {
      const uint64_t here = pfn++;
      if ((mfn & kXenP2mNotOwn) != 0) continue;
      if (!frames_.Add(mfn)) {
        RETURN_IF_ERROR(meter_.status());
        return absl::FailedPreconditionError(absl::StrFormat("PFN %#x has MFN %#x, which is %s", here, mfn,
                                                             frames_.IsRam(mfn) ? "another's too" : "no RAM"));
      }
      P2m::Run* last = runs_.empty() ? nullptr : &runs_.back();
      if (last != nullptr && last->pfn + last->count == here && last->mfn + last->count == mfn) {
        ++last->count;
        continue;
      }
      runs_.push_back({here, mfn, 1});
      if (!meter_.Bytes(sizeof(P2m::Run) + sizeof(uint32_t))) return meter_.status();
    }
    return absl::OkStatus();
  }

  absl::Status CheckTables() {
    const uint64_t pages = std::accumulate(runs_.begin(), runs_.end(), uint64_t{0},
                                           [](uint64_t sum, const P2m::Run& run) { return sum + run.count; });
    if (pages < kMinP2mPages) return absl::FailedPreconditionError(absl::StrFormat("only %d pages", pages));
    for (const uint64_t mfn : tables_) {
      if (!frames_.Has(mfn)) {
        return absl::FailedPreconditionError(absl::StrFormat("its table at MFN %#x is not its own memory", mfn));
      }
    }
    return absl::OkStatus();
  }

  const PhysicalMemory& machine_;
  FrameSet& frames_;
  Meter& meter_;
  std::vector<P2m::Run> runs_;
  std::vector<uint64_t> tables_;
  bool done_ = false;
};

}  // namespace

absl::StatusOr<P2m> P2m::Read(const PhysicalMemory& machine, uint64_t list_list, uint64_t max_pfn, FrameSet& frames,
                              Meter& meter) {
  Reader reader(machine, frames, meter);
  RETURN_IF_ERROR(reader.Read(list_list, max_pfn));
  P2m p2m;
  p2m.runs_ = reader.Finish();
  p2m.by_mfn_.resize(p2m.runs_.size());
  std::iota(p2m.by_mfn_.begin(), p2m.by_mfn_.end(), 0);
  std::sort(p2m.by_mfn_.begin(), p2m.by_mfn_.end(),
            [&](uint32_t a, uint32_t b) { return p2m.runs_[a].mfn < p2m.runs_[b].mfn; });
  for (const Run& run : p2m.runs_) p2m.pages_ += run.count;
  return p2m;
}

std::optional<uint64_t> P2m::MfnOf(uint64_t pfn) const {
  const auto after = std::partition_point(runs_.begin(), runs_.end(), [pfn](const Run& run) { return run.pfn <= pfn; });
  if (after == runs_.begin()) return std::nullopt;
  const Run& run = *std::prev(after);
  if (pfn - run.pfn >= run.count) return std::nullopt;
  return run.mfn + (pfn - run.pfn);
}

std::optional<uint64_t> P2m::PfnOf(uint64_t mfn) const {
  const auto after =
      std::partition_point(by_mfn_.begin(), by_mfn_.end(), [&](uint32_t index) { return runs_[index].mfn <= mfn; });
  if (after == by_mfn_.begin()) return std::nullopt;
  const Run& run = runs_[*std::prev(after)];
  if (mfn - run.mfn >= run.count) return std::nullopt;
  return run.pfn + (mfn - run.mfn);
}

}  // namespace vmm
