#include "dump/nested/nested_notes.h"

#include <charconv>
#include <cstring>
#include <utility>

#include "dump/nested/abi/nested_state_abi.h"
#include "dump/nested/nested_state_note.h"
#include "dump/nested/vmx/vmcsinfo_note.h"

namespace vmm {
namespace {

constexpr uint64_t kEferSvme = 1 << 12;
constexpr std::pair<int, int> kFirstWithCet = {6, 18};

bool IsHypervisor(const KvmNestedHeader& header, const CpuState& cpu) {
  if (header.flags != 0 && header.flags != kNestedGifSet) return true;
  if (header.format == kNestedFormatVmx) return header.vmx.vmxon_pa != kNestedNoAddress;
  return (cpu.efer & kEferSvme) != 0;
}

}  // namespace

Vmcs12Layout Vmcs12LayoutOf(std::string_view release) {
  std::pair<int, int> version = {0, 0};
  const char* const end = release.data() + release.size();
  const auto [dot, error] = std::from_chars(release.data(), end, version.first);
  if (error == std::errc() && dot != end && *dot == '.') std::from_chars(dot + 1, end, version.second);
  return version >= kFirstWithCet ? Vmcs12Layout::kCet : Vmcs12Layout::kFrozen;
}

std::vector<CoreNote> MakeNestedNotes(std::span<const CpuState> cpus, Vmcs12Layout layout) {
  std::vector<CoreNote> notes;
  bool vmx = false;
  for (size_t i = 0; i < cpus.size(); ++i) {
    const NestedCpuState& nested = cpus[i].nested;
    KvmNestedHeader header;
    if (nested.bytes.size() < sizeof(header)) continue;
    std::memcpy(&header, nested.bytes.data(), sizeof(header));
    if (!IsHypervisor(header, cpus[i])) continue;
    vmx |= header.format == kNestedFormatVmx;
    const NestedStateNote note = {.vcpu = static_cast<uint32_t>(i),
                                  .level = (header.flags & kNestedGuestMode) != 0 ? 2u : 1u,
                                  .layout = layout,
                                  .max_size = nested.max_size,
                                  .state = nested.bytes};
    notes.push_back({std::string(kNestedStateNoteName), 0, note.Serialise()});
  }
  if (vmx) notes.push_back({std::string(kVmcsInfoNoteName), 0, MakeVmcsInfoNote(layout)});
  return notes;
}

}  // namespace vmm
