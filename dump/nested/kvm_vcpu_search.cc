#include "dump/nested/kvm_vcpu_search.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "dump/nested/svm/after_vmrun.h"
#include "dump/paging/page_tables.h"

namespace vmm {
namespace {

// Indices into struct kvm_vcpu_arch, in 8-byte words from regs[0].
constexpr size_t kRax = 0, kRsp = 4, kRip = 16, kAvailAndDirty = 17, kCr0 = 18, kCr2 = 20, kCr4 = 22;
constexpr size_t kArchWords = 23;

// The pointer to the VMCB or VMCS follows regs[] within this many bytes. 6 to 8 KiB were seen.
constexpr uint64_t kMaxDistance = 32 << 10;

// Limit on pointers to one VMCB that lie next to its physical address: KVM has one. A larger number is forged, or too
// much to look at.
constexpr size_t kMaxCandidates = 16;

constexpr uint64_t kMaxInstruction = 15;
constexpr uint64_t kCr0Compared = 1u << 31 | 1 << 16 | 1;  // PG, WP, PE: KVM changes other bits on its own
constexpr uint64_t kCr0Reserved = ~uint64_t{0xe005003f};
constexpr uint64_t kCr4La57 = 1 << 12;
// PSE, PAE, LA57, PCIDE, SMEP, SMAP. KVM leaves the other bits to the guest, and reads them only when it needs them.
constexpr uint64_t kCr4Compared = 1 << 4 | 1 << 5 | kCr4La57 | 1 << 17 | 1 << 20 | 1 << 21;

constexpr size_t kLoadedVmcs = 256;     // bytes; more than struct loaded_vmcs has
constexpr size_t kGsBaseDistance = 64;  // bytes before vcpu_vmx's vmcs01; 24 in Linux 6.1
constexpr uint64_t kDirectMapStep = 1 << 30;

// True if `pointer` can be a direct-map address of `to`: it is in the kernel's half, and the direct map begins at a
// multiple of 1 GiB, because KASLR moves it by PUDs.
bool IsDirectMapPointer(uint64_t pointer, GuestAddr to) {
  return pointer >> 63 != 0 && pointer > to.value && (pointer - to.value) % kDirectMapStep == 0;
}

uint64_t Word(std::span<const uint8_t> bytes, size_t offset) {
  uint64_t word;
  std::memcpy(&word, bytes.data() + offset, sizeof(word));
  return word;
}

KvmRegisters RegistersAt(GuestAddr at, std::span<const uint8_t> arch) {
  KvmRegisters registers = {.at = at, .rip = Word(arch, 8 * kRip), .cr2 = Word(arch, 8 * kCr2)};
  for (size_t i = 0; i < registers.general.size(); ++i) registers.general[i] = Word(arch, 8 * i);
  return registers;
}

// Finds regs[] in the memory before `end`, where a pointer to the VMCB or VMCS lies. `right` gets the words from a
// candidate on, and returns true if they are regs[]. nullopt if that is true of no candidate, or of more than one.
template <typename Right>
std::optional<KvmRegisters> RegistersBefore(const PhysicalMemory& l1, GuestAddr end, Right right) {
  const uint64_t size = std::min(kMaxDistance, end.value);
  std::vector<uint8_t> bytes(size);
  const GuestAddr start{end.value - size};
  if (!l1.Read(start, bytes).ok()) return std::nullopt;
  std::optional<KvmRegisters> found;
  for (size_t offset = 0; offset + 8 * kArchWords <= bytes.size(); offset += 8) {
    const auto arch = std::span<const uint8_t>(bytes).subspan(offset, 8 * kArchWords);
    if (!right(arch)) continue;
    if (found.has_value()) return std::nullopt;
    found = RegistersAt(GuestAddr{start.value + offset}, arch);
  }
  return found;
}

// Calls `visit(at, page)` for each page of `l1` that holds data.
template <typename Visit>
absl::Status ForEachPage(const PhysicalMemory& l1, Visit visit) {
  ASSIGN_OR_RETURN(const std::vector<GuestRange> extents, l1.DataExtents());
  std::array<uint8_t, kPageSize> page;
  for (const GuestRange& extent : extents) {
    for (uint64_t at = extent.start.value; at < extent.end().value; at += kPageSize) {
      RETURN_IF_ERROR(l1.Read(GuestAddr{at}, page));
      visit(GuestAddr{at}, std::span<const uint8_t>(page));
    }
  }
  return absl::OkStatus();
}

bool AreOf(const VmcbSave& save, std::span<const uint8_t> arch) {
  return Word(arch, 8 * kRsp) == save.rsp && Word(arch, 8 * kRip) - save.rip <= kMaxInstruction &&
         ((Word(arch, 8 * kCr0) ^ save.cr0) & kCr0Compared) == 0 && Word(arch, 8 * kCr2) == save.cr2;
}

// On Intel, KVM reads RSP and RIP from the VMCS only when it needs them. `avail` says which of them it has.
bool AreOf(const Vmcs12& vmcs12, std::span<const uint8_t> arch) {
  const uint64_t avail = Word(arch, 8 * kAvailAndDirty) & 0xffffffff, dirty = Word(arch, 8 * kAvailAndDirty) >> 32;
  const uint64_t cr0 = Word(arch, 8 * kCr0), cr4 = Word(arch, 8 * kCr4);
  const bool rsp_is_right = (avail >> kRsp & 1) == 0 || Word(arch, 8 * kRsp) == vmcs12.guest_rsp;
  return (dirty & ~avail) == 0 && rsp_is_right && (cr0 & kCr0Reserved) == 0 && cr4 >> 32 == 0 &&
         ((cr0 ^ vmcs12.guest_cr0) & kCr0Compared) == 0 && ((cr4 ^ vmcs12.guest_cr4) & kCr4Compared) == 0;
}

// The registers of each of `saves` that a CPU of L1 has just left without storing any of them yet.
std::map<GuestAddr, KvmRegisters> StillInCpus(const PhysicalMemory& l1, std::span<const CpuState> l1_cpus,
                                              const std::map<GuestAddr, const VmcbSave*>& saves) {
  std::map<GuestAddr, KvmRegisters> found;
  for (size_t i = 0; i < l1_cpus.size(); ++i) {
    const CpuState& cpu = l1_cpus[i];
    const auto save = saves.find(GuestAddr{cpu.rax});
    if (save == saves.end() || WhereAfterVmrun(l1, cpu) != AfterVmrun::kNothingStored) continue;
    const VmcbSave& vmcb = *save->second;
    found[save->first] = {.l1_vcpu = i,
                          .general = {vmcb.rax, cpu.rcx, cpu.rdx, cpu.rbx, vmcb.rsp, cpu.rbp, cpu.rsi, cpu.rdi,  //
                                      cpu.r8, cpu.r9, cpu.r10, cpu.r11, cpu.r12, cpu.r13, cpu.r14, cpu.r15},
                          .rip = vmcb.rip,
                          .cr2 = vmcb.cr2};
  }
  return found;
}

// Reads regs[] at `distance` bytes before `pointer`, as in other structs of the same kernel. `save` gives the registers
// that are not there yet.
std::optional<KvmRegisters> RegistersAfterRecentExit(const PhysicalMemory& l1, GuestAddr pointer, uint64_t distance,
                                                     const VmcbSave& save) {
  std::array<uint8_t, 8 * kArchWords> arch;
  if (pointer.value < distance || !l1.Read(GuestAddr{pointer.value - distance}, arch).ok()) return std::nullopt;
  if (((Word(arch, 8 * kCr0) ^ save.cr0) & kCr0Compared) != 0) return std::nullopt;
  KvmRegisters registers = RegistersAt(GuestAddr{pointer.value - distance}, arch);
  registers.general[kRax] = save.rax;
  registers.rip = save.rip;
  registers.cr2 = save.cr2;
  return registers;
}

// True if a struct loaded_vmcs begins at `at`, with the direct map at `direct_map`: vcpu_vmx's pointer to the struct
// follows soon after it.
bool IsLoadedVmcs(const PhysicalMemory& l1, GuestAddr at, uint64_t direct_map) {
  std::array<uint8_t, kLoadedVmcs> bytes;
  if (!l1.Read(at, bytes).ok()) return false;
  for (size_t behind = 8; behind < kLoadedVmcs; behind += 8) {
    if (Word(bytes, behind) == direct_map + at.value) return true;
  }
  return false;
}

// L2's MSR_KERNEL_GS_BASE among the words before `vmcs01` in a struct vcpu_vmx, or 0. L1's own value lies next to it,
// but it is a process's, and so in the lower half.
uint64_t KernelGsBaseBefore(std::span<const uint8_t> vcpu, size_t vmcs01) {
  uint64_t found = 0;
  for (size_t offset = vmcs01 - kGsBaseDistance; offset < vmcs01; offset += 8) {
    if (!IsPerCpuArea(Word(vcpu, offset))) continue;
    if (found != 0) return 0;
    found = Word(vcpu, offset);
  }
  return found;
}

}  // namespace

void SetGeneralRegisters(const KvmRegisters& registers, CpuState* cpu) {
  const auto& general = registers.general;
  cpu->rax = general[0], cpu->rcx = general[1], cpu->rdx = general[2], cpu->rbx = general[3];
  cpu->rbp = general[5], cpu->rsi = general[6], cpu->rdi = general[7];
  cpu->r8 = general[8], cpu->r9 = general[9], cpu->r10 = general[10], cpu->r11 = general[11];
  cpu->r12 = general[12], cpu->r13 = general[13], cpu->r14 = general[14], cpu->r15 = general[15];
  cpu->cr2 = registers.cr2;
  if (registers.kernel_gs_base != 0) cpu->kernel_gs_base = registers.kernel_gs_base;
}

absl::StatusOr<std::map<GuestAddr, KvmRegisters>> FindSvmVcpus(const PhysicalMemory& l1,
                                                               std::span<const FoundVmcb> vmcbs,
                                                               std::span<const CpuState> l1_cpus) {
  std::map<GuestAddr, const VmcbSave*> saves;
  for (const FoundVmcb& vmcb : vmcbs) saves[vmcb.at] = &vmcb.vmcb.save;
  if (saves.empty()) return std::map<GuestAddr, KvmRegisters>();

  std::map<GuestAddr, std::vector<GuestAddr>> pointers;  // to each VMCB, from what may be a struct vcpu_svm
  RETURN_IF_ERROR(ForEachPage(l1, [&](GuestAddr at, std::span<const uint8_t> page) {
    for (size_t offset = 8; offset < page.size(); offset += 8) {
      const GuestAddr address{Word(page, offset)};
      if (address.value % kPageSize != 0 || !IsDirectMapPointer(Word(page, offset - 8), address)) continue;
      if (!saves.contains(address)) continue;
      std::vector<GuestAddr>& here = pointers[address];
      if (here.size() <= kMaxCandidates) here.push_back(GuestAddr{at.value + offset - 8});
    }
  }));
  std::erase_if(pointers, [](const auto& each) { return each.second.size() > kMaxCandidates; });

  std::map<GuestAddr, KvmRegisters> found = StillInCpus(l1, l1_cpus, saves);
  std::set<uint64_t> distances;
  for (const auto& [vmcb, here] : pointers) {
    if (found.contains(vmcb)) continue;
    std::map<GuestAddr, std::pair<GuestAddr, KvmRegisters>> matches;  // by the address of regs[]
    const VmcbSave& save = *saves[vmcb];
    for (const GuestAddr pointer : here) {
      const auto registers =
          RegistersBefore(l1, pointer, [&save](std::span<const uint8_t> arch) { return AreOf(save, arch); });
      if (registers.has_value()) matches[registers->at] = {pointer, *registers};
    }
    if (matches.size() != 1) continue;
    const auto& [pointer, registers] = matches.begin()->second;
    found[vmcb] = registers;
    distances.insert(pointer.value - registers.at.value);
  }

  // A CPU that has just left L2 has not yet put RAX, RSP, RIP and CR2 into its struct; the VMCB has them. Its regs[]
  // are at the same distance as those of L2's other vCPUs.
  const bool one_is_storing = std::any_of(l1_cpus.begin(), l1_cpus.end(), [&](const CpuState& cpu) {
    return WhereAfterVmrun(l1, cpu) == AfterVmrun::kStoring;
  });
  if (distances.size() != 1 || one_is_storing) return found;
  for (const auto& [vmcb, here] : pointers) {
    if (found.contains(vmcb) || here.size() != 1) continue;
    const auto registers = RegistersAfterRecentExit(l1, here.front(), *distances.begin(), *saves[vmcb]);
    if (registers.has_value()) found[vmcb] = *registers;
  }
  return found;
}

absl::StatusOr<KvmRegisters> FindVmxVcpu(const PhysicalMemory& l1, GuestAddr vmcs, const Vmcs12& vmcs12) {
  const PageTables host = PageTables::Of(l1, vmcs12.host_cr3, vmcs12.host_cr4);
  // The pointer to regs[] is on top of the frame. On kernels before 6.0 it follows a return address.
  for (const uint64_t slot : {0, 8}) {
    const auto frame = host.Translate(vmcs12.host_rsp + slot);
    if (!frame.ok()) continue;
    const auto pointer = l1.ReadObject<uint64_t>(*frame);
    if (!pointer.ok() || *pointer % 8 != 0) continue;
    const auto at = host.Translate(*pointer);
    if (!at.ok() || !IsDirectMapPointer(*pointer, *at)) continue;
    std::vector<uint8_t> bytes(kMaxDistance);
    if (!l1.Read(*at, bytes).ok() || ((Word(bytes, 8 * kCr0) ^ vmcs12.guest_cr0) & kCr0Compared) != 0) continue;

    // regs[] belong to this VMCS only if a struct loaded_vmcs with the VMCS's address follows, and soon after that
    // vcpu_vmx's pointer to this struct.
    const uint64_t direct_map = *pointer - at->value;
    for (size_t offset = 8 * kArchWords; offset + kLoadedVmcs <= bytes.size(); offset += 8) {
      if (Word(bytes, offset) != direct_map + vmcs.value) continue;
      if (!IsLoadedVmcs(l1, GuestAddr{at->value + offset}, direct_map)) continue;
      KvmRegisters registers = RegistersAt(*at, bytes);
      registers.rip = vmcs12.guest_rip;
      registers.kernel_gs_base = KernelGsBaseBefore(bytes, offset);
      return registers;
    }
  }
  return absl::NotFoundError(
      absl::StrFormat("host_rsp 0x%x does not lead to the registers of this VMCS", vmcs12.host_rsp));
}

absl::StatusOr<std::map<GuestAddr, KvmRegisters>> FindVmxVcpus(const PhysicalMemory& l1,
                                                               std::span<const IdleVmcs> vmcss) {
  std::map<GuestAddr, KvmRegisters> found;
  // By the low bits of a pointer to the VMCS, because they do not depend on the start of the direct map.
  std::multimap<uint64_t, const IdleVmcs*> wanted;
  for (const IdleVmcs& vmcs : vmcss) {
    const absl::StatusOr<KvmRegisters> by_frame = FindVmxVcpu(l1, vmcs.at, vmcs.vmcs12);
    if (by_frame.ok()) {
      found[vmcs.at] = *by_frame;
    } else {
      wanted.emplace(vmcs.at.value % kDirectMapStep, &vmcs);
    }
  }
  if (wanted.empty()) return found;

  std::map<GuestAddr, size_t> pointers, matches;
  const auto look = [&](GuestAddr at, uint64_t pointer, const IdleVmcs& vmcs) {
    if (!IsDirectMapPointer(pointer, vmcs.at) || ++pointers[vmcs.at] > kMaxCandidates) return;
    if (!IsLoadedVmcs(l1, at, pointer - vmcs.at.value)) return;
    auto registers = RegistersBefore(l1, at, [&](std::span<const uint8_t> arch) { return AreOf(vmcs.vmcs12, arch); });
    if (!registers.has_value()) return;
    ++matches[vmcs.at];
    registers->rip = vmcs.vmcs12.guest_rip;
    std::array<uint8_t, kGsBaseDistance> before;
    const bool readable = at.value >= before.size() && l1.Read(GuestAddr{at.value - before.size()}, before).ok();
    registers->kernel_gs_base = readable ? KernelGsBaseBefore(before, before.size()) : 0;
    found[vmcs.at] = *registers;
  };
  RETURN_IF_ERROR(ForEachPage(l1, [&](GuestAddr at, std::span<const uint8_t> page) {
    for (size_t offset = 0; offset < page.size(); offset += 8) {
      const uint64_t pointer = Word(page, offset);
      if (pointer >> 63 == 0 || pointer % kPageSize != 0) continue;
      const auto [first, last] = wanted.equal_range(pointer % kDirectMapStep);
      for (auto it = first; it != last; ++it) look(GuestAddr{at.value + offset}, pointer, *it->second);
    }
  }));
  for (const auto& [vmcs, count] : matches) {
    if (count != 1 || pointers[vmcs] > kMaxCandidates) found.erase(vmcs);
  }
  return found;
}

}  // namespace vmm
