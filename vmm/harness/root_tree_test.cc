#include "vmm/harness/root_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vmm {
namespace {

using Changes = RootTree::Changes;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(RootTreeTest, ChangesStayInTheGuestsMemoryUnlessTheHostsTreeIsAskedFor) {
  EXPECT_EQ(ParseRootTree("/")->changes, Changes::kToMemory);
  EXPECT_EQ(ParseRootTree("/,overlay")->changes, Changes::kToMemory);
  EXPECT_EQ(ParseRootTree("/,ro")->changes, Changes::kRefused);
  EXPECT_EQ(ParseRootTree("/,rw")->changes, Changes::kToTheHost);
}

TEST(RootTreeTest, APathIsMadeAbsoluteAndMayHoldCommas) {
  EXPECT_EQ(ParseRootTree("/")->path, "/");
  EXPECT_TRUE(ParseRootTree("//")->is_hosts_own());
  EXPECT_EQ(ParseRootTree("/srv/a,b/../c,ro")->path, "/srv/c");
  EXPECT_THAT(ParseRootTree("tree")->path, testing::MatchesRegex("/.*/tree"));
  EXPECT_FALSE(ParseRootTree("/srv/")->is_hosts_own());
}

TEST(RootTreeTest, NoFolderAndTwoOptionsAreRefused) {
  EXPECT_THAT(std::string(ParseRootTree("").status().message()), HasSubstr("no folder"));
  EXPECT_THAT(std::string(ParseRootTree(",ro").status().message()), HasSubstr("no folder"));
  EXPECT_THAT(std::string(ParseRootTree("/,ro,rw").status().message()), HasSubstr("only one of"));
  EXPECT_THAT(std::string(ParseRootTree("/,ro,overlay").status().message()), HasSubstr("only one of"));
}

TEST(RootTreeTest, OnlyAnOverlayNeedsItsModule) {
  EXPECT_THAT(ModulesForRoot({.path = "/"}), ElementsAre("virtio_mmio", "virtiofs", "overlay"));
  EXPECT_THAT(ModulesForRoot({.path = "/", .changes = Changes::kRefused}), ElementsAre("virtio_mmio", "virtiofs"));
}

}  // namespace
}  // namespace vmm
