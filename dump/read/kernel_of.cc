#include "dump/read/kernel_of.h"

namespace vmm {

namespace {

VmSnapshot SnapshotOf(const Vmcore& core) {
  VmSnapshot snapshot;
  snapshot.cpus = core.cpus();
  snapshot.memory = &core.memory();
  snapshot.given_vmcoreinfo = core.vmcoreinfo();
  return snapshot;
}

}  // namespace

FoundKernel KernelOf(const Vmcore& core) { return FindKernel(SnapshotOf(core)); }

FoundKernel KernelNamedBy(const Vmcore& core) { return FindKernelWithoutSearch(SnapshotOf(core)); }

}  // namespace vmm
