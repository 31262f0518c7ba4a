#include "vmm/batch/batch_file.h"

#include "gtest/gtest.h"
#include "vmm/batch/budget.h"
#include "vmm/batch/shard.h"

namespace vmm {
namespace {

using Words = std::vector<std::string>;

std::string ErrorOf(std::string_view text) { return std::string(ParseBatchFile(text).status().message()); }

TEST(BatchFileTest, ARunIsALineAndTheStarIsForThoseAfterIt) {
  const auto runs = ParseBatchFile(
      "# kernels\n"
      "\n"
      "first: --kernel=a\r\n"
      "*: --kernel=b --memory=256M   # for all\n"
      "  second : --append='console=ttyS0 a=\"1\"' --cpus 2\n"
      "third: --append=\"x \\\"y\\\" \\z\" a\\ b '' --memory=64M -- prog --cpus=9\n");
  ASSERT_TRUE(runs.ok()) << runs.status();
  ASSERT_EQ(runs->size(), 3);
  EXPECT_EQ((*runs)[0].args, Words({"--kernel=a"}));
  EXPECT_EQ((*runs)[0].memory_bytes, 1ull << 30);
  EXPECT_EQ((*runs)[1].args, Words({"--kernel=b", "--memory=256M", "--append=console=ttyS0 a=\"1\"", "--cpus", "2"}));
  EXPECT_EQ((*runs)[1].cpus, 2);
  EXPECT_EQ((*runs)[1].memory_bytes, 256ull << 20);
  EXPECT_EQ((*runs)[2].args, Words({"--kernel=b", "--memory=256M", "--append=x \"y\" \\z", "a b", "", "--memory=64M",
                                    "--", "prog", "--cpus=9"}));
  EXPECT_EQ((*runs)[2].cpus, 1) << "what follows -- is the program's";
  EXPECT_EQ((*runs)[2].memory_bytes, 64ull << 20);
}

TEST(BatchFileTest, ErrorsNameTheLine) {
  EXPECT_EQ(ErrorOf("a: x\n\na: y\n"), "line 3: \"a\" is the name of line 1 too");
  EXPECT_EQ(ErrorOf("--kernel=a\n"), "line 1: must be NAME: FLAGS...");
  EXPECT_EQ(ErrorOf("a: 'x\n"), "line 1: a ' without its second");
  EXPECT_EQ(ErrorOf("a: x \\\n"), "line 1: a backslash at the end; a run is one line");
  EXPECT_EQ(ErrorOf("a: --cpus=none\n"), "line 1: --cpus=none: must be 1 to 255");
  EXPECT_NE(ErrorOf("a: --result=x\n").find("line 1: --result"), std::string::npos);
  EXPECT_NE(ErrorOf("a: --memory=x\n").find("line 1: --memory=x: "), std::string::npos);
  EXPECT_NE(ErrorOf("../a: x\n").find("cannot be a run's name"), std::string::npos);
  EXPECT_NE(ErrorOf("# nothing\n").find("no runs"), std::string::npos);
}

TEST(BatchFileTest, NamesAreNoPaths) {
  for (const std::string_view name : {"a", "a.b-c_d+e@1"}) EXPECT_TRUE(IsRunName(name)) << name;
  for (const std::string_view name : {"", ".", "..", "a/b", "-a", ".a", "a b", "\xc3\xa9"})
    EXPECT_FALSE(IsRunName(name)) << name;
  EXPECT_FALSE(IsRunName(std::string(101, 'a')));
}

TEST(ShardTest, EachNameIsInOneShard) {
  int in_first = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "test-" + std::to_string(i);
    int shards = 0;
    for (int shard = 0; shard < 3; ++shard) shards += InShard(name, {shard, 3}) ? 1 : 0;
    EXPECT_EQ(shards, 1) << name;
    in_first += InShard(name, {0, 3}) ? 1 : 0;
  }
  EXPECT_GT(in_first, 250);
  EXPECT_LT(in_first, 420);
  EXPECT_FALSE(InShard("a", {0, 2}) == InShard("a", {1, 2}));
}

TEST(ShardTest, OnlySensibleShardsAreTaken) {
  EXPECT_EQ(ParseShard("3/4")->index, 3);
  for (const std::string_view text : {"4/4", "-1/4", "0/0", "1", "a/b", "1/2/3", ""})
    EXPECT_FALSE(ParseShard(text).ok()) << text;
}

TEST(ShardTest, BazelsVariablesAreRead) {
  const auto both = [](const char* name) { return std::string_view(name) == "TEST_SHARD_INDEX" ? "1" : "2"; };
  EXPECT_EQ((*ShardFromEnvironment(both))->index, 1);
  const auto none = [](const char*) -> const char* { return nullptr; };
  EXPECT_FALSE(ShardFromEnvironment(none)->has_value());
  const auto one = [](const char* name) { return std::string_view(name) == "TEST_SHARD_INDEX" ? "1" : nullptr; };
  EXPECT_FALSE(ShardFromEnvironment(one).ok());
}

}  // namespace
}  // namespace vmm
