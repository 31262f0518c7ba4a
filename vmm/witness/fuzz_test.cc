// The guest controls the console: any bytes, cut anywhere. A bounded, repeatable amount of pseudo-random bytes must
// give the same witnesses however they are cut, and must never crash or grow without end (ASan and UBSan check that).
// FUZZ_STEPS in the environment asks for more steps than the default.
#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "dump/testing/fuzz_steps.h"
#include "gtest/gtest.h"
#include "vmm/witness/console_scanner.h"

namespace vmm {
namespace {

// One line for each sign, as kernels print it.
constexpr std::pair<KernelSign, std::string_view> kLines[] = {
    {KernelSign::kPanic, "Kernel panic - not syncing: Fatal exception"},
    {KernelSign::kOops, "BUG: unable to handle page fault for address: ffffb0d2c0a6d000"},
    {KernelSign::kBug, "kernel BUG at fs/ext4/inode.c:2721!"},
    {KernelSign::kKasan, "BUG: KASAN: use-after-free in f+0x1/0x2"},
    {KernelSign::kWarning, "WARNING: CPU: 0 PID: 1 at kernel/x.c:1 f+0x1/0x2"},
    {KernelSign::kSoftLockup, "watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [sh:1]"},
    {KernelSign::kHardLockup, "watchdog: CPU3: Watchdog detected hard LOCKUP on cpu 3"},
    {KernelSign::kRcuStall, "rcu: INFO: rcu_preempt self-detected stall on CPU"},
    {KernelSign::kHungTask, "INFO: task kworker/0:1:12 blocked for more than 120 seconds."},
    {KernelSign::kLockdep, "WARNING: possible circular locking dependency detected"},
    {KernelSign::kMemoryLeak, "unreferenced object 0xffff888107a6c000 (size 8):"},
};

using Found = std::vector<std::pair<KernelSign, std::string>>;

class Random {
 public:
  explicit Random(uint64_t seed) : random_(seed) {}
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  // Bytes that form no sign by themselves.
  std::string Noise(size_t size) {
    std::string noise(size, ' ');
    for (char& byte : noise) byte = static_cast<char>(random_() % 256);
    for (char& byte : noise) {
      if (byte == '\n') byte = '.';
    }
    return noise;
  }

 private:
  std::mt19937_64 random_;
};

// Scans `text` in pieces of up to `piece` bytes; 0: in one piece.
Found Scan(std::string_view text, size_t piece, Random& random) {
  Found found;
  ConsoleScanner scanner([] { return absl::ZeroDuration(); },
                         [&](const ConsoleWitness& it) { found.emplace_back(it.sign, it.line); });
  while (!text.empty()) {
    const size_t size = piece == 0 ? text.size() : std::min<size_t>(1 + random.Below(piece), text.size());
    scanner.Scan(std::span(reinterpret_cast<const uint8_t*>(text.data()), size));
    text.remove_prefix(size);
  }
  scanner.Finish();
  EXPECT_EQ(scanner.seen(), found.size());
  return found;
}

TEST(ConsoleFuzzTest, EachSignIsFoundWhereverTheBytesAreCut) {
  Random random(FuzzSeed(1));
  const uint64_t steps = FuzzSteps(2'000);
  for (uint64_t step = 0; step < steps; ++step) {
    std::string text;
    std::vector<KernelSign> printed;
    for (uint64_t lines = random.Below(12); lines > 0; --lines) {
      if (random.Below(3) == 0) {
        text += std::string(random.Below(3000), 'x') + "\r\n";
        continue;
      }
      const auto& [sign, line] = kLines[random.Below(std::size(kLines))];
      printed.push_back(sign);
      text += absl::StrCat("[", random.Below(100000), ".", random.Below(1000), "] ").append(line) + "\r\n";
    }
    const Found whole = Scan(text, 0, random);
    std::vector<KernelSign> signs;
    for (const auto& [sign, line] : whole) signs.push_back(sign);
    ASSERT_EQ(signs, printed) << text;
    for (const size_t piece : {1, 7, 200}) ASSERT_EQ(Scan(text, piece, random), whole) << piece << "\n" << text;
  }
}

TEST(ConsoleFuzzTest, NoiseAroundASignDoesNotDependOnTheCuts) {
  Random random(FuzzSeed(2));
  const uint64_t steps = FuzzSteps(2'000);
  for (uint64_t step = 0; step < steps; ++step) {
    std::string text;
    for (uint64_t parts = random.Below(12); parts > 0; --parts) {
      text += random.Noise(random.Below(1500));
      if (random.Below(2) == 0) text += kLines[random.Below(std::size(kLines))].second;
      if (random.Below(2) == 0) text += '\n';
    }
    const Found whole = Scan(text, 0, random);
    for (const size_t piece : {1, 64, 5000}) ASSERT_EQ(Scan(text, piece, random), whole);
    for (const auto& [sign, line] : whole) {
      ASSERT_LE(line.size(), ConsoleScanner::kMaxLine);
      for (const char c : line) ASSERT_TRUE(static_cast<unsigned char>(c) >= ' ' && c != '\x7f');
    }
  }
}

}  // namespace
}  // namespace vmm
