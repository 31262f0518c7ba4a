// KVM's own statistics of a VM or a vCPU, by its binary interface (Documentation/virt/kvm/api.rst, 4.133,
// KVM_GET_STATS_FD; Linux 5.14 and later).
#ifndef VMM_KVM_BINARY_STATS_H_
#define VMM_KVM_BINARY_STATS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/flight/kvm_stats_note.h"

namespace vmm {

// Of the VM or vCPU whose descriptor `fd` is; any thread may call, while vCPUs run, too. Histograms are left out.
// Unimplemented where this KVM has none.
absl::StatusOr<std::vector<KvmStat>> ReadBinaryStats(int fd);

// The same out of the bytes of such a file. InvalidArgument where they are none.
absl::StatusOr<std::vector<KvmStat>> ParseBinaryStats(std::span<const uint8_t> file);

// What KVM counted of a whole VM; both empty where it counts nothing.
struct KvmStatistics {
  std::vector<KvmStat> vm;
  std::vector<std::vector<KvmStat>> vcpus;  // in vCPU order
};

}  // namespace vmm

#endif  // VMM_KVM_BINARY_STATS_H_
