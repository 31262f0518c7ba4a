// A vhost-user back end is another process, and not trusted: answers with damage, too long, cut short, or none. The
// front end must refuse them in bounded time. FUZZ_STEPS in the environment sets another number of steps.
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "devices/virtio/fs/testing/scripted_back_end.h"
#include "devices/virtio/fs/vhost_user.h"
#include "devices/virtio/testing/hostile.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(VhostUserFuzzTest, AVhostUserBackEndMaySayAnything) {
  Random random(3);
  const std::vector<GuestRange> ranges = {{GuestAddr{0}, 0x10000}};
  const auto memory = GuestMemory::Create(ranges);
  ASSERT_TRUE(memory.ok());
  uint64_t connected = 0;
  const uint64_t steps = HostileSteps(300);
  for (uint64_t step = 0; step < steps; ++step) {
    const uint64_t seed = random();
    auto dice = std::make_shared<Random>(seed);
    ScriptedBackEnd back_end([dice](const ScriptedBackEnd::Message& message) -> std::optional<std::string> {
      Random& roll = *dice;
      if (roll() % 6 != 0) return std::nullopt;
      std::string answer = ScriptedBackEnd::LikeVirtiofsd(message);
      if (answer.empty()) return std::nullopt;
      switch (roll() % 3) {
        case 0: answer[roll() % answer.size()] ^= static_cast<char>(1 << roll() % 8); break;
        case 1: answer += std::string(1 + roll() % 30, static_cast<char>(roll())); break;
        case 2: answer.resize(1 + roll() % answer.size()); break;
      }
      return answer;
    });
    const absl::Time start = absl::Now();
    auto link = VhostUser::Connect("virtiofsd", back_end.TakeSocket(), 2,
                                   {.start = absl::Milliseconds(20), .message = absl::Milliseconds(20)});
    if (link.ok()) {
      ++connected;
      (void)(*link)->SetUp(UINT64_MAX, **memory);
      (void)(*link)->StopQueue(1);
      (void)(*link)->StopQueue(0);
    }
    ASSERT_LT(absl::Now() - start, absl::Seconds(5));
  }
  EXPECT_GT(connected, steps / 20);
  EXPECT_LT(connected, steps);
}

}  // namespace
}  // namespace vmm
