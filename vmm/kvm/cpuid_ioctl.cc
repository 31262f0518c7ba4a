#include "vmm/kvm/cpuid_ioctl.h"

#include <linux/kvm.h>

#include <algorithm>
#include <span>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/kvm/kvm_ioctl.h"

namespace vmm {
namespace {

// More than any KVM has (KVM_MAX_CPUID_ENTRIES is 256). It ends the retries.
constexpr uint32_t kMaxEntries = 4096;

// struct kvm_cpuid2 without its array. In C++ the header of Linux before 6.6 puts an empty member of one byte before
// the array. That moves the array, and spoils the request numbers because they hold the struct's size.
struct CpuidHeader {
  uint32_t nent = 0;
  uint32_t padding = 0;
};
constexpr unsigned long kGetSupportedCpuid = _IOWR(KVMIO, 0x05, CpuidHeader);
constexpr unsigned long kSetCpuid2 = _IOW(KVMIO, 0x90, CpuidHeader);

// A header and its entries, in 8-byte words.
class CpuidBuffer {
 public:
  explicit CpuidBuffer(uint32_t entries) : words_(kHeaderWords + entries * kEntryWords) { header()->nent = entries; }

  CpuidHeader* header() { return reinterpret_cast<CpuidHeader*>(words_.data()); }
  std::span<kvm_cpuid_entry2> entries() {
    return {reinterpret_cast<kvm_cpuid_entry2*>(words_.data() + kHeaderWords), header()->nent};
  }

 private:
  static constexpr size_t kHeaderWords = sizeof(CpuidHeader) / sizeof(uint64_t);
  static constexpr size_t kEntryWords = sizeof(kvm_cpuid_entry2) / sizeof(uint64_t);
  static_assert(sizeof(CpuidHeader) == 8 && sizeof(kvm_cpuid_entry2) == 40);
  std::vector<uint64_t> words_;
};

}  // namespace

absl::StatusOr<CpuidTable> GetSupportedCpuid(int kvm_fd) {
  // If the table does not fit, the kernel returns E2BIG and nothing else.
  for (uint32_t size = 256;; size *= 2) {
    CpuidBuffer buffer(size);
    const absl::Status status =
        KvmIoctl(kvm_fd, kGetSupportedCpuid, buffer.header(), "KVM_GET_SUPPORTED_CPUID").status();
    if (!status.ok()) {
      if (errno == E2BIG && size < kMaxEntries) continue;
      return status;
    }
    CpuidTable table;
    for (const kvm_cpuid_entry2& entry : buffer.entries()) {
      table.push_back({entry.function, entry.index, entry.flags, entry.eax, entry.ebx, entry.ecx, entry.edx});
    }
    return table;
  }
}

absl::Status SetCpuid(int vcpu_fd, const CpuidTable& table) {
  CpuidBuffer buffer(static_cast<uint32_t>(table.size()));
  std::transform(table.begin(), table.end(), buffer.entries().begin(), [](const CpuidEntry& entry) {
    return kvm_cpuid_entry2{.function = entry.function,
                            .index = entry.index,
                            .flags = entry.flags,
                            .eax = entry.eax,
                            .ebx = entry.ebx,
                            .ecx = entry.ecx,
                            .edx = entry.edx};
  });
  return KvmIoctl(vcpu_fd, kSetCpuid2, buffer.header(), absl::StrFormat("KVM_SET_CPUID2, %d entries", table.size()))
      .status();
}

}  // namespace vmm
