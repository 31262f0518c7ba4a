#include "dump/nested/svm/after_vmrun.h"

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

AfterVmrun WhereAfterVmrun(const PhysicalMemory& l1, const CpuState& l1_cpu) {
  if (!l1_cpu.started || l1_cpu.rip >> 63 == 0) return AfterVmrun::kFar;
  const std::optional<Code> code = CodeBefore(l1, l1_cpu);
  if (!code.has_value()) return AfterVmrun::kStoring;
  const auto vmrun = std::find_end(code->begin(), code->end(), std::begin(kVmrun), std::end(kVmrun));
  if (vmrun == code->end()) return AfterVmrun::kFar;
  const auto after = vmrun + std::size(kVmrun);
  if (after == code->end() || (after + 1 == code->end() && *after == kCli)) return AfterVmrun::kNothingStored;
  return StoresR15(after, code->end()) ? AfterVmrun::kStored : AfterVmrun::kStoring;
}

}  // namespace vmm
