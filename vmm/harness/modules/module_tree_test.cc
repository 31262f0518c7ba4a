#include "vmm/harness/modules/module_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "vmm/harness/modules/module_file.h"

namespace vmm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ModuleTreeTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = testing::TempDir() + "/modules-" + testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ = root_ + "/lib/modules/1.2.3";
    std::system(("rm -rf " + root_ + " && mkdir -p " + folder_ + "/kernel").c_str());
  }

  void List(const std::string& name, const std::string& text) { std::ofstream(folder_ + "/" + name) << text; }

  std::vector<std::string> Order(std::string_view name) {
    const auto tree = ModuleTree::Open(folder_);
    EXPECT_TRUE(tree.ok()) << tree.status();
    const auto order = tree->LoadOrder(name);
    EXPECT_TRUE(order.ok()) << order.status();
    std::vector<std::string> names;
    for (const ModuleToLoad& module : *order) names.push_back(ModuleName(module.path));
    return names;
  }

  std::string root_, folder_;
};

TEST_F(ModuleTreeTest, TheLastOfAModulesListIsLoadedFirstAndSoftDependenciesStandAroundIt) {
  List("modules.dep",
       "kernel/net.ko: kernel/net-failover.ko kernel/failover.ko kernel/virtio.ko kernel/virtio_ring.ko\n"
       "kernel/net-failover.ko: kernel/failover.ko\nkernel/failover.ko:\n"
       "kernel/virtio.ko: kernel/virtio_ring.ko\nkernel/virtio_ring.ko:\n"
       "kernel/fs.ko.xz: kernel/sum.ko.zst\nkernel/sum.ko.zst:\nkernel/crc-one.ko:\nkernel/late.ko:\n");
  List("modules.softdep", "# a comment\nsoftdep fs pre: crc_one nowhere post: late\n");
  List("modules.builtin", "kernel/ext4.ko\n");
  EXPECT_THAT(Order("net"), ElementsAre("virtio_ring", "virtio", "failover", "net_failover", "net"));
  EXPECT_THAT(Order("net-failover"), ElementsAre("failover", "net_failover"));
  EXPECT_THAT(Order("fs"), ElementsAre("sum", "crc_one", "fs", "late"));
  EXPECT_THAT(Order("crc-one"), ElementsAre("crc_one"));
  EXPECT_THAT(Order("ext4"), IsEmpty());
}

TEST_F(ModuleTreeTest, ASoftDependencyMayFailToLoad) {
  List("modules.dep", "kernel/fs.ko: kernel/sum.ko\nkernel/sum.ko:\nkernel/crc.ko:\n");
  List("modules.softdep", "softdep fs pre: any-crc\n");
  List("modules.alias", "alias any_crc crc\nalias pci:v*d* sum\n");
  const auto order = ModuleTree::Open(folder_)->LoadOrder("fs");
  ASSERT_TRUE(order.ok());
  ASSERT_EQ(order->size(), 3u);
  for (const ModuleToLoad& module : *order) EXPECT_EQ(module.required, ModuleName(module.path) != "crc");
}

TEST_F(ModuleTreeTest, AModuleThatIsNotThereIsNamed) {
  List("modules.dep", "kernel/fs.ko:\n");
  const auto order = ModuleTree::Open(folder_)->LoadOrder("btrfs");
  EXPECT_EQ(order.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(order.status().message()), HasSubstr("no module btrfs in " + folder_));
}

TEST_F(ModuleTreeTest, AFolderWithoutModulesSaysWhatToDo) {
  EXPECT_THAT(std::string(ModuleTree::Open(folder_).status().message()), HasSubstr("--modules-dir=DIR"));
  EXPECT_THAT(std::string(ModuleTree::Open("/nowhere").status().message()), HasSubstr("/nowhere"));
}

TEST_F(ModuleTreeTest, ARingOfDependenciesEnds) {
  List("modules.dep", "kernel/a.ko: kernel/b.ko\nkernel/b.ko: kernel/a.ko\nnonsense\n:\nx: y\n");
  EXPECT_EQ(Order("a").size(), 2u);
}

TEST(ModuleFileTest, ANameIsTheFilesWithoutFolderAndEndings) {
  EXPECT_EQ(ModuleName("/x/virtio-net.ko"), "virtio_net");
  EXPECT_EQ(ModuleName("virtio_net.ko.xz"), "virtio_net");
  EXPECT_EQ(ModuleName("a.ko.zst"), "a");
  EXPECT_EQ(ModuleName("a.txt"), "");
  EXPECT_EQ(ModuleName(""), "");
}

// Modules as a compiler and the distributions' compressors make them, without a modules.dep.
TEST_F(ModuleTreeTest, WithoutAListTheFilesThemselvesSayWhatTheyNeed) {
  const auto make = [&](const std::string& name, const std::string& info, const std::string& pack) {
    std::ofstream(root_ + "/m.s") << ".section .modinfo,\"a\"\n.asciz \"license=GPL\"\n" << info;
    const std::string out = folder_ + "/kernel/" + name + ".ko";
    ASSERT_EQ(std::system(("as -o " + out + " " + root_ + "/m.s && " + pack + " " + out).c_str()), 0);
  };
  make("top", ".asciz \"depends=middle-one,base\"\n.asciz \"vermagic=1.2.3 SMP\"\n", "xz --check=crc32");
  make("middle_one", ".asciz \"depends=base\"\n.asciz \"softdep=pre: extra\"\n", "gzip");
  make("base", ".asciz \"depends=\"\n", "true");
  make("extra", "", "zstd -q --rm");
  EXPECT_THAT(Order("top"), ElementsAre("base", "extra", "middle_one", "top"));
  const auto bytes = ReadModule(folder_ + "/kernel/top.ko.xz");
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_EQ(ReadModuleInfo(*bytes)->release, "1.2.3");
  for (size_t size = 0; size < bytes->size(); size += 3) ReadModuleInfo(bytes->substr(0, size)).IgnoreError();
}

TEST(ModuleFileTest, AFileThatIsNoModuleIsAnError) {
  EXPECT_FALSE(ReadModuleInfo("").ok());
  EXPECT_FALSE(ReadModuleInfo("\x7f"
                              "ELF")
                   .ok());
  EXPECT_THAT(std::string(ReadModule("/nowhere.ko").status().message()), HasSubstr("/nowhere.ko"));
}

}  // namespace
}  // namespace vmm
