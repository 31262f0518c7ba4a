#include "dump/nested/svm/behind_vmrun.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <optional>

#include "base/guest_addr.h"
#include "dump/paging/page_tables.h"

namespace vmm {
namespace {

constexpr uint8_t kVmrun[] = {0x0f, 0x01, 0xd8};
constexpr uint8_t kCli = 0xfa;                 // may follow VMRUN
constexpr uint8_t kStoreR15[] = {0x4c, 0x89};  // then one of these: [RAX + disp8], [RAX + disp32]
constexpr uint8_t kDisp8 = 0x78, kDisp32 = 0xb8;
constexpr size_t kNear = 256;  // bytes; at least as much code as __svm_vcpu_run has after VMRUN

using Code = std::array<uint8_t, kNear>;

std::optional<Code> CodeBefore(const PhysicalMemory& l1, const CpuState& cpu) {
  const PageTables tables = PageTables::Of(l1, cpu.cr3, cpu.cr4);
  Code code;
  for (size_t i = 0; i < code.size(); ++i) {
    const auto at = tables.Translate(cpu.rip - code.size() + i);
    if (!at.ok() || !l1.Read(*at, std::span(code).subspan(i, 1)).ok()) return std::nullopt;
  }
  return code;
}

bool StoresR15(Code::const_iterator from, Code::const_iterator end) {
  for (auto at = from;; ++at) {
    at = std::search(at, end, std::begin(kStoreR15), std::end(kStoreR15));
    if (end - at <= 2) return false;
    if (at[2] == kDisp8 || at[2] == kDisp32) return true;
  }
}

}  // namespace

BehindVmrun WhereBehindVmrun(const PhysicalMemory& l1, const CpuState& l1_cpu) {
  if (!l1_cpu.started || l1_cpu.rip >> 63 == 0) return BehindVmrun::kFar;
  const std::optional<Code> code = CodeBefore(l1, l1_cpu);
  if (!code.has_value()) return BehindVmrun::kStoring;
  const auto vmrun = std::find_end(code->begin(), code->end(), std::begin(kVmrun), std::end(kVmrun));
  if (vmrun == code->end()) return BehindVmrun::kFar;
  const auto behind = vmrun + std::size(kVmrun);
  if (behind == code->end() || (behind + 1 == code->end() && *behind == kCli)) return BehindVmrun::kNothingStored;
  return StoresR15(behind, code->end()) ? BehindVmrun::kStored : BehindVmrun::kStoring;
}

}  // namespace vmm
