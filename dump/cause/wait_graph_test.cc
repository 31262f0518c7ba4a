#include "dump/cause/wait_graph.h"

#include <gmock/gmock.h>

#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Budget kBudget{"test", 0, 1'000'000, "links", 0};

Wait Link(size_t task, std::optional<size_t> owner, Certainty certainty = Certainty::kSure) {
  Wait wait;
  wait.task = task;
  wait.owner = owner;
  wait.lock.certainty = certainty;
  wait.uninterruptible = true;
  return wait;
}

WaitGraph Graph(std::vector<Wait> waits) {
  Meter meter(kBudget);
  return LinkWaits(std::move(waits), meter);
}

TEST(WaitGraphTest, AChainIsFollowedToTheTaskThatWaitsForNoLock) {
  const WaitGraph graph = Graph({Link(1, 2), Link(2, 3), Link(3, 7)});
  EXPECT_THAT(graph.deadlocks, IsEmpty());
  ASSERT_THAT(graph.chains, SizeIs(1));
  EXPECT_THAT(graph.chains[0].waits, ElementsAre(0, 1, 2));
  EXPECT_EQ(graph.chains[0].last, 7u);
  EXPECT_EQ(graph.chains[0].deadlock, std::nullopt);
  EXPECT_EQ(graph.chains[0].certainty, Certainty::kSure);
}

TEST(WaitGraphTest, ACircleIsADeadlockAndAChainLeadsIntoIt) {
  const WaitGraph graph = Graph({Link(9, 1), Link(1, 2), Link(2, 1)});
  ASSERT_THAT(graph.deadlocks, SizeIs(1));
  EXPECT_THAT(graph.deadlocks[0].waits, ElementsAre(1, 2));
  EXPECT_EQ(graph.deadlocks[0].certainty, Certainty::kSure);
  ASSERT_THAT(graph.chains, SizeIs(1));
  EXPECT_THAT(graph.chains[0].waits, ElementsAre(0));
  EXPECT_EQ(graph.chains[0].deadlock, 0u);
}

TEST(WaitGraphTest, ATaskThatWaitsForItselfIsADeadlock) {
  const WaitGraph graph = Graph({Link(4, 4)});
  ASSERT_THAT(graph.deadlocks, SizeIs(1));
  EXPECT_THAT(graph.deadlocks[0].waits, ElementsAre(0));
}

TEST(WaitGraphTest, TwoCirclesAreTwoDeadlocks) {
  EXPECT_THAT(Graph({Link(1, 2), Link(2, 1), Link(3, 4), Link(4, 5), Link(5, 3)}).deadlocks, SizeIs(2));
}

TEST(WaitGraphTest, OneGuessMakesTheWholeAGuess) {
  const WaitGraph circle = Graph({Link(1, 2), Link(2, 1, Certainty::kGuess)});
  ASSERT_THAT(circle.deadlocks, SizeIs(1));
  EXPECT_EQ(circle.deadlocks[0].certainty, Certainty::kGuess);
  const WaitGraph chain = Graph({Link(1, 2), Link(2, 3, Certainty::kGuess)});
  EXPECT_EQ(chain.chains[0].certainty, Certainty::kGuess);
}

TEST(WaitGraphTest, WithoutAnOwnerTheChainEndsAtTheLock) {
  const WaitGraph graph = Graph({Link(1, std::nullopt)});
  ASSERT_THAT(graph.chains, SizeIs(1));
  EXPECT_EQ(graph.chains[0].last, std::nullopt);
}

TEST(WaitGraphTest, ThousandsOfLinksAreCut) {
  std::vector<Wait> waits;
  for (size_t i = 0; i < kMaxWaits; ++i) waits.push_back(Link(i, i + 1));
  const WaitGraph one = Graph(waits);
  ASSERT_THAT(one.chains, SizeIs(1));
  EXPECT_TRUE(one.chains[0].cut);
  EXPECT_THAT(one.chains[0].waits, SizeIs(kMaxChainLength));

  for (Wait& wait : waits) wait.owner = kMaxWaits + 1;
  EXPECT_THAT(Graph(waits).chains, SizeIs(kMaxChains));
}

TEST(WaitGraphTest, ASpentBudgetEndsTheWalk) {
  Meter meter({"test", 0, 3, "links", 0});
  const WaitGraph graph = LinkWaits({Link(1, 2), Link(2, 3), Link(3, 4), Link(4, 5), Link(5, 1)}, meter);
  EXPECT_TRUE(meter.spent());
  EXPECT_THAT(graph.deadlocks, IsEmpty());
}

}  // namespace
}  // namespace vmm
