#include "dump/kernel/other_kernel.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "dump/kernel/vmcoreinfo_scan.h"
#include "dump/nested/l1_state.h"

namespace vmm {
namespace {

bool Overlap(const GuestRange& a, const GuestRange& b) {
  return a.start.value < b.start.value + b.size && b.start.value < a.start.value + a.size;
}

void FindByCpus(KernelMapper& mapper, std::span<const CpuState> cpus, const KernelMap& reported, OtherKernel& other) {
  for (size_t i = 0; i < cpus.size(); ++i) {
    if (!cpus[i].started) continue;
    const absl::StatusOr<KernelMap> map = mapper.ImageByCr3(cpus[i]);
    if (!map.ok() || Overlap(map->image.range, reported.image.range)) continue;
    if (other.cpus.empty()) other.image = map->image;
    if (Overlap(map->image.range, other.image.range)) other.cpus.push_back(static_cast<int>(i));
  }
}

void FindByVmcoreInfo(const PhysicalMemory& memory, const KernelMap& reported, OtherKernel& other) {
  // Without vCPUs to check against: no CPU may run the other kernel. An error only means that no more is found.
  KernelMapper mapper(memory, {});
  (void)ScanForVmcoreInfo(memory, [&](GuestAddr, VmcoreInfo info) {
    const absl::StatusOr<KernelMap> map = mapper.ByVmcoreInfo(info);
    if (!map.ok() || Overlap(map->image.range, reported.image.range)) return false;
    if (!other.cpus.empty() && !Overlap(map->image.range, other.image.range)) return false;
    other.image = map->image;
    other.release = info.release();
    return true;
  });
}

}  // namespace

std::optional<OtherKernel> FindOtherKernel(const PhysicalMemory& memory, std::span<const CpuState> cpus,
                                           const KernelMap& reported) {
  OtherKernel other;
  const std::vector<CpuState> in_l1 = InL1(cpus);
  KernelMapper mapper(memory, in_l1);
  FindByCpus(mapper, in_l1, reported, other);
  FindByVmcoreInfo(memory, reported, other);
  if (other.cpus.empty() && other.release.empty()) return std::nullopt;
  return other;
}

std::string DescribeOtherKernel(const OtherKernel& other, const KernelMap& reported) {
  const std::string name = absl::StrFormat("%s at %#x", other.release.empty() ? "of unknown release" : other.release,
                                           other.image.range.start.value);
  if (other.cpus.empty()) {
    return absl::StrFormat(
        "a second kernel, Linux %s, is in RAM, and no CPU runs it: log, registers and stacks are those of the kernel "
        "at %#x. If that is a crash kernel, which ran when the dump was taken, the other is the one that panicked",
        name, reported.image.range.start.value);
  }
  return absl::StrFormat(
      "the registers and stacks of CPU %s are those of another kernel, Linux %s, which ran when the dump was taken, as "
      "a "
      "crash kernel does after a panic; the log and the panic are those of the kernel at %#x",
      absl::StrJoin(other.cpus, ", "), name, reported.image.range.start.value);
}

}  // namespace vmm
