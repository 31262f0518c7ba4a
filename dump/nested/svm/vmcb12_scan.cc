#include "dump/nested/svm/vmcb12_scan.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

constexpr uint32_t kInterceptVmrun = 1;  // of word 4
constexpr uint64_t kEferKnown = 0x36fd01;
constexpr uint64_t kEferSvme = 1 << 12, kEferLma = 1 << 10, kEferLme = 1 << 8;
constexpr uint64_t kCr0Known = 0xe005003f;
constexpr uint64_t kCr0Pe = 1, kCr0Nw = 1 << 29, kCr0Cd = 1 << 30, kCr0Pg = 1u << 31;
constexpr uint64_t kCr4Known = 0x18f77fff;
constexpr uint64_t kRflagsOne = 2, kRflagsKnown = 0x3f7fd7;
constexpr uint64_t kNestedPaging = 1;
constexpr uint64_t kMaxPhysical = uint64_t{1} << 52;
constexpr uint32_t kMaxAsid = 1 << 16;

bool AllZero(std::span<const uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; });
}

// Checks only those reserved bytes to which no processor and no kernel has given a meaning so far.
bool ReservedBytesAreZero(const Vmcb12& vmcb) {
  const VmcbControl& control = vmcb.control;
  return AllZero(control.reserved018) && AllZero(control.reserved05d) && AllZero(control.reserved06c) &&
         AllZero(std::span(control.reserved110).subspan(0x160 - 0x110)) && AllZero(vmcb.save.reserved0a0) &&
         AllZero(vmcb.save.reserved0cc);
}

bool IsCanonical(uint64_t vaddr) {
  const int64_t top = static_cast<int64_t>(vaddr) >> 56;  // 57 bits, with 5 levels
  return top == 0 || top == -1;
}

}  // namespace

std::string DoubtOfVmcb12(const Vmcb12& vmcb) {
  const VmcbControl& control = vmcb.control;
  const VmcbSave& save = vmcb.save;
  if ((control.intercepts[4] & kInterceptVmrun) == 0) return "VMRUN is not intercepted";
  if (control.asid == 0 || control.asid >= kMaxAsid) return absl::StrFormat("asid 0x%x", control.asid);
  if ((save.efer & kEferSvme) == 0 || (save.efer & ~kEferKnown) != 0) return absl::StrFormat("efer 0x%x", save.efer);
  if ((save.cr0 & ~kCr0Known) != 0 || (save.cr0 & (kCr0Nw | kCr0Cd)) == kCr0Nw ||
      (save.cr0 & (kCr0Pg | kCr0Pe)) == kCr0Pg) {
    return absl::StrFormat("cr0 0x%x", save.cr0);
  }
  if ((save.cr4 & ~kCr4Known) != 0) return absl::StrFormat("cr4 0x%x", save.cr4);
  const bool long_mode = (save.efer & kEferLme) != 0 && (save.cr0 & kCr0Pg) != 0;
  if (((save.efer & kEferLma) != 0) != long_mode) return absl::StrFormat("efer 0x%x, cr0 0x%x", save.efer, save.cr0);
  if (save.cr3 >= kMaxPhysical) return absl::StrFormat("cr3 0x%x", save.cr3);
  if ((save.rflags & kRflagsOne) == 0 || (save.rflags & ~kRflagsKnown) != 0) {
    return absl::StrFormat("rflags 0x%x", save.rflags);
  }
  if (!IsCanonical(save.rip)) return absl::StrFormat("rip 0x%x", save.rip);
  if (save.cpl > 3) return absl::StrFormat("cpl %d", save.cpl);
  for (const VmcbSegment* segment :
       {&save.es, &save.cs, &save.ss, &save.ds, &save.fs, &save.gs, &save.ldtr, &save.tr}) {
    if (segment->attrib > 0xfff) return absl::StrFormat("segment attributes 0x%x", segment->attrib);
  }
  if (save.gdtr.limit > 0xffff || save.idtr.limit > 0xffff) return "a descriptor table's limit";
  if ((control.nested_ctl & kNestedPaging) != 0 &&
      (control.nested_cr3 == 0 || control.nested_cr3 >= kMaxPhysical || control.nested_cr3 % kPageSize != 0)) {
    return absl::StrFormat("nested_cr3 0x%x", control.nested_cr3);
  }
  return ReservedBytesAreZero(vmcb) ? "" : "reserved bytes are not zero";
}

absl::Status ScanForVmcb12(const PhysicalMemory& memory, const std::function<bool(const FoundVmcb&)>& visit) {
  ASSIGN_OR_RETURN(const std::vector<GuestRange> extents, memory.DataExtents());
  FoundVmcb found;
  for (const GuestRange& extent : extents) {
    for (uint64_t offset = 0; offset < extent.size; offset += kPageSize) {
      found.at = GuestAddr{extent.start.value + offset};
      RETURN_IF_ERROR(memory.Read(found.at, {reinterpret_cast<uint8_t*>(&found.vmcb), sizeof(found.vmcb)}));
      if (DoubtOfVmcb12(found.vmcb).empty() && !visit(found)) return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

}  // namespace vmm
