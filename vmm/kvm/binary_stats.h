// KVM's own statistics of a VM or a vCPU, read through its binary interface (Documentation/virt/kvm/api.rst, 4.133,
// KVM_GET_STATS_FD; Linux 5.14 and later).
#ifndef VMM_KVM_BINARY_STATS_H_
#define VMM_KVM_BINARY_STATS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/flight/kvm_stats_note.h"

namespace vmm {

// Reads the statistics of the VM or vCPU with descriptor `fd`. Any thread may call it, even while vCPUs run. Histograms
// are left out. Unimplemented if this KVM has no statistics.
absl::StatusOr<std::vector<KvmStat>> ReadBinaryStats(int fd);

// The same from the bytes of such a file. InvalidArgument if they are not one.
absl::StatusOr<std::vector<KvmStat>> ParseBinaryStats(std::span<const uint8_t> file);

// KVM's counters of a whole VM. Both are empty if KVM gives no statistics.
struct KvmStatistics {
  std::vector<KvmStat> vm;
  std::vector<std::vector<KvmStat>> vcpus;  // in vCPU order
};

}  // namespace vmm

#endif  // VMM_KVM_BINARY_STATS_H_
