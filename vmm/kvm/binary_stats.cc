#include "vmm/kvm/binary_stats.h"

#include <linux/kvm.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/unique_fd.h"
#include "vmm/kvm/kvm_ioctl.h"

namespace vmm {
namespace {

// struct kvm_stats_desc without the name after it. In C++ the kernel header's own struct is larger, because an empty
// struct precedes its flexible array.
struct StatDescriptor {
  uint32_t flags;
  int16_t exponent;
  uint16_t size;  // number of values
  uint32_t offset;
  uint32_t bucket_size;
};
static_assert(sizeof(StatDescriptor) == 16);

// The most bytes read. A vCPU's file has about 5 KiB in Linux 6.12.
constexpr size_t kMaxFile = 256 << 10;

absl::StatusOr<std::vector<uint8_t>> ReadWhole(int fd) {
  std::vector<uint8_t> bytes;
  while (bytes.size() < kMaxFile) {
    std::array<uint8_t, 8192> chunk;
    const ssize_t got = pread(fd, chunk.data(), chunk.size(), static_cast<off_t>(bytes.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, "read KVM's statistics");
    if (got == 0) break;
    bytes.insert(bytes.end(), chunk.begin(), chunk.begin() + got);
  }
  return bytes;
}

template <typename T>
bool Load(std::span<const uint8_t> bytes, uint64_t offset, T* value) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return false;
  std::memcpy(value, bytes.data() + offset, sizeof(T));
  return true;
}

bool IsHistogram(const StatDescriptor& desc) {
  const uint32_t type = desc.flags & KVM_STATS_TYPE_MASK;
  return type == KVM_STATS_TYPE_LINEAR_HIST || type == KVM_STATS_TYPE_LOG_HIST || desc.size != 1;
}

}  // namespace

absl::StatusOr<std::vector<KvmStat>> ParseBinaryStats(std::span<const uint8_t> file) {
  kvm_stats_header header;
  if (!Load(file, 0, &header)) return absl::InvalidArgumentError("KVM's statistics have no header");
  std::vector<KvmStat> stats;
  const uint64_t stride = sizeof(StatDescriptor) + uint64_t{header.name_size};
  for (uint64_t i = 0; i < std::min(header.num_desc, KvmStatsNote::kMaxStats); ++i) {
    const uint64_t at = header.desc_offset + i * stride;
    StatDescriptor desc;
    if (!Load(file, at, &desc) || file.size() - at < stride) {
      return absl::InvalidArgumentError(absl::StrFormat("KVM's statistics end in descriptor %d", i));
    }
    if (IsHistogram(desc)) continue;
    const char* const name = reinterpret_cast<const char*>(file.data() + at + sizeof(desc));
    KvmStat stat{std::string(name, strnlen(name, header.name_size)), 0, desc.flags, desc.exponent};
    if (!Load(file, uint64_t{header.data_offset} + desc.offset, &stat.value)) {
      return absl::InvalidArgumentError(absl::StrFormat("KVM's statistics end before the value of %s", stat.name));
    }
    stats.push_back(std::move(stat));
  }
  return stats;
}

absl::StatusOr<std::vector<KvmStat>> ReadBinaryStats(int fd) {
  absl::StatusOr<int> file = KvmIoctl(fd, KVM_GET_STATS_FD, 0, "KVM_GET_STATS_FD");
  if (!file.ok()) return absl::UnimplementedError(file.status().message());
  const UniqueFd stats(*file);
  ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadWhole(stats.get()));
  return ParseBinaryStats(bytes);
}

}  // namespace vmm
