#include "dump/read/cpus_of_notes.h"

#include <elf.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "dump/abi/elf_core_abi.h"
#include "dump/elf/prstatus.h"
#include "dump/elf/qemu_note.h"
#include "dump/nested/abi/nested_state_abi.h"
#include "dump/nested/nested_state_note.h"
#include "dump/xen/abi/xen_note_abi.h"

namespace vmm {
namespace {

// Older QEMUs have no kernel_gs_base.
constexpr size_t kShortQemuState = offsetof(QemuCpuState, kernel_gs_base);

template <typename T>
T ObjectOf(const VmcoreNote& note) {
  T object = {};
  std::memcpy(&object, note.desc.data(), std::min(note.desc.size(), sizeof(object)));
  return object;
}

CpuState CpuOfPrstatus(const VmcoreNote& note) {
  if (note.desc.size() >= sizeof(ElfPrstatus)) return CpuOf(ObjectOf<ElfPrstatus>(note));
  CpuState cpu;
  cpu.started = false;
  return cpu;
}

}  // namespace

std::vector<CpuState> CpusOfNotes(std::span<const VmcoreNote> notes) {
  std::vector<CpuState> cpus;
  for (const VmcoreNote& note : notes) {
    if (note.name == "CORE" && note.type == NT_PRSTATUS) cpus.push_back(CpuOfPrstatus(note));
  }
  size_t i = 0;
  for (const VmcoreNote& note : notes) {
    if ((note.name != "QEMU" && note.name != kXenCpuNoteName) || note.type != 0) continue;
    if (i == cpus.size()) cpus.emplace_back().started = false;
    if (note.desc.size() >= kShortQemuState) cpus[i] = CpuOf(ObjectOf<QemuCpuState>(note));
    ++i;
  }
  for (const VmcoreNote& note : notes) {
    if (note.name != kNestedStateNoteName || note.type != 0) continue;
    const absl::StatusOr<NestedStateNote> nested = NestedStateNote::Parse(note.desc);
    if (!nested.ok() || nested->vcpu >= cpus.size() || nested->state.size() > kNestedTwoPages) continue;
    cpus[nested->vcpu].nested = {.bytes = {nested->state.begin(), nested->state.end()}, .max_size = nested->max_size};
  }
  return cpus;
}

}  // namespace vmm
