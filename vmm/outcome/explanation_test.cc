#include "vmm/outcome/explanation.h"

#include <sys/mman.h>

#include <string>

#include "dump/testing/linux_guest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

Explanation Example() {
  Explanation explanation;
  explanation.death.message = "sysrq triggered crash";
  explanation.death.signature = "0123456789abcdef";
  explanation.death.stack = {"panic+0x1/0x2", "caller+0x3/0x4"};
  explanation.death.log = {"[    1.000000] one\n               two"};
  explanation.death.missing = {"no BTF"};
  explanation.places = {"", "default_idle+0xb/0x100"};
  return explanation;
}

TEST(ExplanationTest, TheAnswerOfTheChildArrivesAsItWas) {
  const auto parsed = ParseExplanation(SerialiseExplanation(Example()));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->death.message, "sysrq triggered crash");
  EXPECT_EQ(parsed->death.signature, "0123456789abcdef");
  EXPECT_EQ(parsed->death.stack, Example().death.stack);
  EXPECT_EQ(parsed->death.log, Example().death.log);
  EXPECT_EQ(parsed->death.missing, Example().death.missing);
  EXPECT_EQ(parsed->places, Example().places);
}

// The guest may have taken the child over.
TEST(ExplanationTest, AnAnswerThatMakesNoSenseIsRefused) {
  const std::string good = SerialiseExplanation(Example());
  for (size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(ParseExplanation(good.substr(0, size)).ok()) << size;
  for (const char* bad : {"[]", "7", "null", "{}", R"({"message":1})"}) EXPECT_FALSE(ParseExplanation(bad).ok()) << bad;
  EXPECT_FALSE(ParseExplanation(std::string(1 << 20, '[')).ok());
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = good;
    return changed.replace(changed.find(from), from.size(), to);
  };
  EXPECT_FALSE(ParseExplanation(with("0123456789abcdef", "../../etc/passwd")).ok()) << "it becomes a file's name";
  std::string many = "\"x\"";
  for (int i = 0; i < 1000; ++i) many += ",\"x\"";
  EXPECT_FALSE(ParseExplanation(with("\"no BTF\"", many)).ok());
}

TEST(ExplanationTest, TextOfTheChildIsMadeSafeAndShort) {
  Explanation explanation = Example();
  explanation.death.message = "\x1b[2J" + std::string(100'000, 'x');
  const std::string text = SerialiseExplanation(explanation);
  EXPECT_LT(text.size(), 10'000u);
  const auto parsed = ParseExplanation(R"({"message":"\u001b[2J\u202e","signature":"","stack":[],"log":[],)"
                                       R"("missing":[],"places":[]})");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->death.message, "\\x1b[2J\\xe2\\x80\\xae");
}

TEST(ExplanationTest, AGuestIsReadInAChildAndItsRamStaysWritableHere) {
  LinuxGuest guest;
  const FoundKernel kernel = FindKernel(guest.snapshot());
  HangRegistersNote before;
  before.before = {guest.snapshot().cpus[0], std::nullopt};
  const Explanation explanation = ExplainByMemory(guest.snapshot(), kernel, 0, nullptr, &before, /*stop_fd=*/-1);
  EXPECT_THAT(explanation.places, SizeIs(2));
  EXPECT_THAT(explanation.death.missing, testing::Contains(HasSubstr("kallsyms")));  // this guest has none
  guest.PutWord(GuestAddr{0x1000}, 1);
}

}  // namespace
}  // namespace vmm
