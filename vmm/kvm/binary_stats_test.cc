#include "vmm/kvm/binary_stats.h"

#include <linux/kvm.h>

#include <cstring>
#include <string>

#include "dump/testing/fuzz_steps.h"
#include "dump/testing/mutator.h"
#include "gtest/gtest.h"
#include "vmm/kvm/testing/tiny_guest.h"

namespace vmm {
namespace {

std::span<const uint8_t> BytesOf(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

template <typename T>
void Append(std::string& file, const T& object) {
  file.append(reinterpret_cast<const char*>(&object), sizeof(object));
}

// A file in KVM's format: "exits" 7, a histogram of two values, "halt_exits" 9.
std::string MadeUpFile() {
  constexpr uint32_t kNameSize = 48;
  std::string file;
  Append(file, kvm_stats_header{.name_size = kNameSize,
                                .num_desc = 3,
                                .id_offset = sizeof(kvm_stats_header),
                                .desc_offset = sizeof(kvm_stats_header) + kNameSize,
                                .data_offset = sizeof(kvm_stats_header) + kNameSize + 3 * (16 + kNameSize)});
  const auto append_name = [&](std::string name) {
    name.resize(kNameSize, '\0');
    file += name;
  };
  append_name("kvm-1/vcpu-0");
  struct Desc {
    uint32_t flags;
    int16_t exponent;
    uint16_t size;
    uint32_t offset, bucket_size;
  };
  Append(file, Desc{.size = 1, .offset = 0});
  append_name("exits");
  Append(file, Desc{.flags = KVM_STATS_TYPE_LOG_HIST, .size = 2, .offset = 8});
  append_name("halt_wait_hist");
  Append(file, Desc{.flags = KVM_STATS_UNIT_SECONDS, .exponent = -9, .size = 1, .offset = 24});
  append_name("halt_wait_ns");
  for (const uint64_t value : {7u, 1u, 2u, 9u}) Append(file, value);
  return file;
}

TEST(BinaryStatsTest, CountersAreReadAndHistogramsLeftOut) {
  const auto stats = ParseBinaryStats(BytesOf(MadeUpFile()));
  ASSERT_TRUE(stats.ok()) << stats.status();
  EXPECT_EQ(*stats, (std::vector<KvmStat>{{"exits", 7, 0, 0}, {"halt_wait_ns", 9, KVM_STATS_UNIT_SECONDS, -9}}));
}

TEST(BinaryStatsTest, AFileThatIsCutOffIsRefused) {
  const std::string whole = MadeUpFile();
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(ParseBinaryStats(BytesOf(whole.substr(0, size))).ok()) << size;
  }
}

TEST(BinaryStatsTest, ChangedBytesAreRefusedOrReadInsideTheFile) {
  Mutator mutator(FuzzSeed(1));
  for (uint64_t step = FuzzSteps(20'000); step > 0; --step) {
    std::string file = MadeUpFile();
    mutator.Change(file);
    const auto stats = ParseBinaryStats(BytesOf(file));
    ASSERT_TRUE(!stats.ok() || stats->size() <= KvmStatsNote::kMaxStats);
  }
}

class KvmStatisticsTest : public TinyGuestTest {};

TEST_F(KvmStatisticsTest, KvmCountsTheExitsOfARunningGuest) {
  CreateVm(2);
  StartRealMode({0xe6, 0x80, 0xe6, 0x80, 0xf4});  // out 0x80, al, twice; hlt
  NextAs<IoExit>();
  NextAs<IoExit>();
  const KvmStatistics statistics = vm_->ReadStatistics();
  if (statistics.vcpus.empty()) GTEST_SKIP() << "this KVM has no binary statistics";
  ASSERT_EQ(statistics.vcpus.size(), 2u);
  EXPECT_FALSE(statistics.vm.empty());
  EXPECT_GE(FindKvmStat(statistics.vcpus[0], "exits").value_or(0), 2u);
  EXPECT_EQ(FindKvmStat(statistics.vcpus[1], "exits"), 0u);
}

}  // namespace
}  // namespace vmm
