#include "vmm/kvm/cpuid.h"

#include <algorithm>
#include <bit>
#include <string>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

// Leaves and fields: Intel SDM vol. 2, CPUID; AMD APM vol. 3, appendix E.
constexpr uint32_t kVendorLeaf = 0;
constexpr uint32_t kFeatureLeaf = 1;
constexpr uint32_t kIntelCacheLeaf = 4;
constexpr uint32_t kPerfmonLeaf = 0xa;
constexpr uint32_t kTopologyLeaf = 0xb;
constexpr uint32_t kTopologyV2Leaf = 0x1f;
constexpr uint32_t kAmdFeatureLeaf = 0x80000001;
constexpr uint32_t kAmdSizeLeaf = 0x80000008;
constexpr uint32_t kSvmLeaf = 0x8000000a;
constexpr uint32_t kAmdCacheLeaf = 0x8000001d;
constexpr uint32_t kAmdTopologyLeaf = 0x8000001e;
constexpr uint32_t kAmdTopologyV2Leaf = 0x80000026;

constexpr uint32_t kHypervisor = 1u << 31;            // leaf 1 ECX
constexpr uint32_t kPdcm = 1u << 15;                  // leaf 1 ECX: MSR_IA32_PERF_CAPABILITIES
constexpr uint32_t kHtt = 1u << 28;                   // leaf 1 EDX: more than one logical processor
constexpr uint32_t kCmpLegacy = 1u << 1;              // leaf 0x80000001 ECX: these are cores, not threads
constexpr uint32_t kSvm = 1u << 2;                    // leaf 0x80000001 ECX
constexpr uint32_t kAmdAliases = 0x0183f3ff;          // leaf 0x80000001 EDX: repeats leaf 1 EDX on AMD
constexpr uint32_t kLevelThread = 1, kLevelCore = 2;  // leaf 0xb ECX[15:8]

constexpr uint32_t WithField(uint32_t value, int high, int low, uint32_t field) {
  const uint32_t mask = (~0u >> (31 - high)) & (~0u << low);
  return (value & ~mask) | ((field << low) & mask);
}

uint32_t& Register(CpuidEntry& entry, CpuidRegister reg) {
  switch (reg) {
    case CpuidRegister::kEax: return entry.eax;
    case CpuidRegister::kEbx: return entry.ebx;
    case CpuidRegister::kEcx: return entry.ecx;
    case CpuidRegister::kEdx: break;
  }
  return entry.edx;
}

CpuidEntry* Find(CpuidTable& table, uint32_t function, uint32_t index = 0) {
  for (CpuidEntry& entry : table) {
    if (entry.function == function && (entry.flags == 0 || entry.index == index)) return &entry;
  }
  return nullptr;
}

bool IsAmd(const CpuidTable& table) {
  const CpuidEntry* vendor = FindCpuid(table, kVendorLeaf);
  if (vendor == nullptr) return false;
  return vendor->ebx == 0x68747541 /* "Auth"enticAMD */ || vendor->ebx == 0x6f677948 /* "Hygo"nGenuine */;
}

struct Topology {
  uint32_t cpus;
  uint32_t id;
  uint32_t id_bits;  // bits of an APIC id below the package number
};

// Leaf 4 and its AMD twin: L1 and L2 belong to a core, the caches after them to the package.
void ShareCaches(CpuidTable& table, uint32_t leaf, const Topology& topology) {
  const uint32_t package_ids = (1u << topology.id_bits) - 1;
  for (CpuidEntry& entry : table) {
    const bool is_cache = entry.function == leaf && (entry.eax & 0x1f) != 0;
    if (!is_cache) continue;
    const uint32_t level = (entry.eax >> 5) & 7;
    entry.eax = WithField(entry.eax, 25, 14, level >= 3 ? package_ids : 0);
    if (leaf == kIntelCacheLeaf) entry.eax = WithField(entry.eax, 31, 26, std::min(package_ids, 63u));
  }
}

// Leaves 0xb and 0x1f: thread, core, and the level 0 that ends the list.
void AddTopologyLeaf(CpuidTable& table, uint32_t leaf, const Topology& topology) {
  const uint32_t id = topology.id;
  table.push_back({leaf, 0, kCpuidIndexMatters, 0, 1, kLevelThread << 8 | 0, id});
  table.push_back({leaf, 1, kCpuidIndexMatters, topology.id_bits, topology.cpus, kLevelCore << 8 | 1, id});
  table.push_back({leaf, 2, kCpuidIndexMatters, 0, 0, 2, id});
}

void SetAmdTopology(CpuidTable& table, const Topology& topology) {
  if (CpuidEntry* entry = Find(table, kAmdFeatureLeaf)) {
    entry->ecx = topology.cpus > 1 ? entry->ecx | kCmpLegacy : entry->ecx & ~kCmpLegacy;
  }
  if (CpuidEntry* entry = Find(table, kAmdSizeLeaf)) {
    entry->ecx = WithField(entry->ecx, 15, 12, topology.id_bits);
    entry->ecx = WithField(entry->ecx, 7, 0, topology.cpus - 1);
  }
  if (CpuidEntry* entry = Find(table, kAmdTopologyLeaf)) {
    entry->eax = topology.id;
    entry->ebx = topology.id;  // core id; threads per core - 1 = 0 in bits 15:8
    entry->ecx = 0;            // node 0 of one
  }
  ShareCaches(table, kAmdCacheLeaf, topology);
}

void SetTopology(CpuidTable& table, const Topology& topology) {
  std::erase_if(table, [](const CpuidEntry& entry) {
    return entry.function == kTopologyLeaf || entry.function == kTopologyV2Leaf || entry.function == kAmdTopologyV2Leaf;
  });
  if (CpuidEntry* entry = Find(table, kFeatureLeaf)) {
    entry->ebx = WithField(entry->ebx, 31, 24, topology.id);
    entry->ebx = WithField(entry->ebx, 23, 16, std::min(1u << topology.id_bits, 255u));
    entry->edx = topology.cpus > 1 ? entry->edx | kHtt : entry->edx & ~kHtt;
  }
  ShareCaches(table, kIntelCacheLeaf, topology);
  if (IsAmd(table)) SetAmdTopology(table, topology);
  if (CpuidEntry* vendor = Find(table, kVendorLeaf)) {
    vendor->eax = std::max(vendor->eax, kTopologyLeaf);
    if (vendor->eax >= kTopologyV2Leaf) AddTopologyLeaf(table, kTopologyV2Leaf, topology);
  }
  AddTopologyLeaf(table, kTopologyLeaf, topology);
}

// Only guests whose user asks get performance counters: a guest's perf takes counters from the host, and the guest's
// NMI watchdog runs on them all the time.
absl::Status SetPerfmon(CpuidTable& table, bool wanted) {
  CpuidEntry* perfmon = Find(table, kPerfmonLeaf);
  if (wanted) {
    if (perfmon != nullptr && (perfmon->eax & 0xff) != 0) return absl::OkStatus();
    return absl::InvalidArgumentError("+arch_perfmon: this host's KVM has no performance counters for guests");
  }
  if (perfmon != nullptr) perfmon->eax = perfmon->ebx = perfmon->ecx = perfmon->edx = 0;
  if (CpuidEntry* entry = Find(table, kFeatureLeaf)) entry->ecx &= ~kPdcm;
  return absl::OkStatus();
}

absl::Status Apply(CpuidTable& table, const CpuidTable& host_supported, const CpuFeatureChange& change) {
  bool found = false;
  for (const CpuidBit& bit : change.bits) {
    const bool possible = HasCpuidBit(host_supported, bit) || HasCpuidBit(table, bit);
    if (change.wanted && !possible) continue;
    SetCpuidBit(table, bit, change.wanted);
    found = true;
  }
  if (change.wanted && !found) {
    return absl::InvalidArgumentError(
        absl::StrFormat("+%s: this host's processor or KVM does not have it", change.name));
  }
  return absl::OkStatus();
}

}  // namespace

const CpuidEntry* FindCpuid(const CpuidTable& table, uint32_t function, uint32_t index) {
  return Find(const_cast<CpuidTable&>(table), function, index);
}

bool HasCpuidBit(const CpuidTable& table, const CpuidBit& bit) {
  const CpuidEntry* entry = FindCpuid(table, bit.function, bit.index);
  return entry != nullptr && (Register(const_cast<CpuidEntry&>(*entry), bit.reg) >> bit.bit & 1) != 0;
}

bool SetCpuidBit(CpuidTable& table, const CpuidBit& bit, bool value) {
  CpuidEntry* entry = Find(table, bit.function, bit.index);
  if (entry == nullptr) return false;
  uint32_t& reg = Register(*entry, bit.reg);
  const uint32_t mask = 1u << bit.bit;
  reg = value ? reg | mask : reg & ~mask;
  return true;
}

absl::StatusOr<CpuidTable> BuildGuestCpuid(const CpuidTable& host_supported, int cpus, int vcpu_id,
                                           const CpuFeatures& features) {
  CpuidTable table = host_supported;
  const uint32_t count = static_cast<uint32_t>(cpus);
  SetTopology(table, {count, static_cast<uint32_t>(vcpu_id), static_cast<uint32_t>(std::bit_width(count - 1))});
  if (CpuidEntry* entry = Find(table, kFeatureLeaf)) entry->ecx |= kHypervisor;
  RETURN_IF_ERROR(SetPerfmon(table, features.perfmon));
  // Last, so that the user's choice overrides the rest.
  for (const CpuFeatureChange& change : features.changes) RETURN_IF_ERROR(Apply(table, host_supported, change));
  if (IsAmd(table)) {
    CpuidEntry* amd = Find(table, kAmdFeatureLeaf);
    const CpuidEntry* basic = Find(table, kFeatureLeaf);
    if (amd != nullptr && basic != nullptr) amd->edx = (amd->edx & ~kAmdAliases) | (basic->edx & kAmdAliases);
  }
  // Without SVM its features mean nothing, but Linux would list them all the same.
  const CpuidEntry* amd = Find(table, kAmdFeatureLeaf);
  if (amd == nullptr || (amd->ecx & kSvm) == 0) {
    std::erase_if(table, [](const CpuidEntry& entry) { return entry.function == kSvmLeaf; });
  }
  // A missing leaf reads as zeros, so leaves of zeros are dropped. That keeps the table below the 80 entries that older
  // kernels take.
  std::erase_if(table, [](const CpuidEntry& entry) {
    return entry.function != kVendorLeaf && (entry.eax | entry.ebx | entry.ecx | entry.edx) == 0;
  });
  return table;
}

}  // namespace vmm
