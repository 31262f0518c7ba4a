#include "dump/kernel/find_kernel.h"

#include <span>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "dump/kernel/kernel_stack.h"
#include "dump/kernel/vmcoreinfo_note.h"
#include "dump/kernel/vmcoreinfo_scan.h"
#include "dump/nested/l1_state.h"

namespace vmm {
namespace {

void Add(std::string& reasons, std::string_view reason) {
  if (!reasons.empty()) reasons += "; ";
  reasons += reason;
}

void AddUnlessOk(std::string& reasons, const absl::Status& status) {
  if (!status.ok()) Add(reasons, std::string(status.message()));
}

// Keeps `info` as the result if it passes its checks.
absl::Status Try(KernelMapper& mapper, VmcoreInfo info, VmcoreInfoSource source, FoundKernel& found) {
  ASSIGN_OR_RETURN(found.map, mapper.ByVmcoreInfo(info));
  found.kernel_offset = info.KernelOffset();
  found.vmcoreinfo = std::move(info);
  found.source = source;
  return absl::OkStatus();
}

// The guest chose the address, so it is not trusted more than any other.
absl::StatusOr<VmcoreInfo> ReadNote(const PhysicalMemory& memory, GuestRange note) {
  if (note.size > kVmcoreInfoTextOffset + kMaxVmcoreInfo) {
    return absl::InvalidArgumentError(absl::StrFormat("a VMCOREINFO note of %d bytes is too large", note.size));
  }
  std::vector<uint8_t> bytes(note.size);
  RETURN_IF_ERROR(memory.Read(note.start, bytes));
  return ParseVmcoreInfoNoteOrText(bytes);
}

absl::Status TryNote(const VmSnapshot& snapshot, KernelMapper& mapper, FoundKernel& found) {
  ASSIGN_OR_RETURN(VmcoreInfo info, ReadNote(*snapshot.memory, *snapshot.vmcoreinfo_note_at));
  return Try(mapper, std::move(info), VmcoreInfoSource::kGuest, found);
}

void FindByName(const VmSnapshot& snapshot, KernelMapper& mapper, FoundKernel& found) {
  if (snapshot.given_vmcoreinfo.has_value()) {
    const absl::Status given = Try(mapper, *snapshot.given_vmcoreinfo, VmcoreInfoSource::kGiven, found);
    if (given.ok()) return;
    Add(found.passed_over, absl::StrFormat("the given one: %s", std::string(given.message())));
  }
  if (snapshot.vmcoreinfo_note_at.has_value()) {
    const absl::Status guest = TryNote(snapshot, mapper, found);
    if (guest.ok()) return;
    Add(found.passed_over, absl::StrFormat("the one that the guest says is at %#x: %s",
                                           snapshot.vmcoreinfo_note_at->start.value, std::string(guest.message())));
  }
}

// Offers each VMCOREINFO in RAM to Try(): first those at the start of a page, and then, if the vCPUs run a kernel,
// those anywhere in its image.
class RamSearch {
 public:
  RamSearch(const VmSnapshot& snapshot, KernelMapper& mapper, FoundKernel& found)
      : snapshot_(snapshot), mapper_(mapper), found_(found) {}

  void Pages() {
    Keep(ScanForVmcoreInfo(*snapshot_.memory,
                           [&](GuestAddr at, VmcoreInfo info) { return Offer(at, std::move(info)); }));
  }

  void Image(GuestRange image) {
    Keep(ScanImageForVmcoreInfo(*snapshot_.memory, image,
                                [&](GuestAddr at, VmcoreInfo info) { return Offer(at, std::move(info)); }));
  }

  // Records why there is none.
  void TellWhyNot() {
    if (!status_.ok()) {
      Add(found_.why_not, absl::StrFormat("the search for VMCOREINFO failed: %s", std::string(status_.message())));
    } else if (rejected_ == 0) {
      Add(found_.why_not, "no VMCOREINFO in guest RAM (the kernel writes it about a second into its boot)");
    } else {
      Add(found_.why_not,
          absl::StrFormat("%d VMCOREINFO found, none stands up to its checks: %s", rejected_, last_reason_));
    }
  }

 private:
  bool Offer(GuestAddr at, VmcoreInfo info) {
    const absl::Status status = Try(mapper_, std::move(info), VmcoreInfoSource::kScan, found_);
    if (status.ok()) return true;
    ++rejected_;
    last_reason_ = absl::StrFormat("at %#x: %s", at.value, std::string(status.message()));
    return false;
  }

  void Keep(const absl::StatusOr<bool>& done) {
    if (!done.ok()) status_ = done.status();
  }

  const VmSnapshot& snapshot_;
  KernelMapper& mapper_;
  FoundKernel& found_;
  absl::Status status_;
  int rejected_ = 0;
  std::string last_reason_;
};

absl::Status FindByVcpus(KernelMapper& mapper, FoundKernel& found) {
  ASSIGN_OR_RETURN(found.map, mapper.ByCr3());
  return absl::OkStatus();
}

void Search(const VmSnapshot& snapshot, KernelMapper& mapper, FoundKernel& found) {
  RamSearch search(snapshot, mapper, found);
  search.Pages();
  if (found.vmcoreinfo.has_value()) return;
  const absl::Status by_vcpus = FindByVcpus(mapper, found);
  if (found.map.has_value()) search.Image(GuestRange(found.map->image.range));
  if (found.vmcoreinfo.has_value()) return;
  search.TellWhyNot();
  AddUnlessOk(found.why_not, by_vcpus);
}

// Fills in the fields that follow from the map.
void Complete(const VmSnapshot& snapshot, std::span<const CpuState> cpus, FoundKernel& found) {
  if (!found.map.has_value()) return;
  if (!found.kernel_offset.has_value()) found.kernel_offset = found.map->image.vaddr - kDefaultImageStart;
  found.stacks = FindKernelStacks(*snapshot.memory, *found.map, cpus);
  if (!found.map->page_offset.has_value()) Add(found.why_not, "the page tables have no direct map of RAM");
}

}  // namespace

std::string_view VmcoreInfoSourceName(VmcoreInfoSource source) {
  switch (source) {
    case VmcoreInfoSource::kGiven: return "given";
    case VmcoreInfoSource::kGuest: return "guest";
    case VmcoreInfoSource::kScan: return "scan";
  }
  return "?";
}

FoundKernel FindKernel(const VmSnapshot& snapshot) {
  FoundKernel found;
  const std::vector<CpuState> cpus = InL1(snapshot.cpus);
  KernelMapper mapper(*snapshot.memory, cpus);
  FindByName(snapshot, mapper, found);
  if (!found.vmcoreinfo.has_value()) Search(snapshot, mapper, found);
  Complete(snapshot, cpus, found);
  return found;
}

FoundKernel FindKernelWithoutSearch(const VmSnapshot& snapshot) {
  FoundKernel found;
  const std::vector<CpuState> cpus = InL1(snapshot.cpus);
  KernelMapper mapper(*snapshot.memory, cpus);
  FindByName(snapshot, mapper, found);
  if (!found.vmcoreinfo.has_value()) {
    Add(found.why_not, "no VMCOREINFO");
    AddUnlessOk(found.why_not, FindByVcpus(mapper, found));
  }
  Complete(snapshot, cpus, found);
  return found;
}

}  // namespace vmm
