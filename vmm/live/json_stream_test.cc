#include "vmm/live/json_stream.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(JsonStream, FindsTwoObjectsOnOneLine) {
  EXPECT_THAT(JsonStream().Add(R"({"execute":"qmp_capabilities"}{"execute":"cont"})"),
              ElementsAre(R"({"execute":"qmp_capabilities"})", R"({"execute":"cont"})"));
}

TEST(JsonStream, AnObjectMayComeByteByByte) {
  const std::string text = "{\"a\": [\"}\", {\"b\": \"\\\"}\"}]}";
  JsonStream stream;
  for (size_t i = 0; i + 1 < text.size(); ++i) EXPECT_THAT(stream.Add(text.substr(i, 1)), IsEmpty()) << i;
  EXPECT_THAT(stream.Add("}"), ElementsAre(text));
}

TEST(JsonStream, SingleQuotesBecomeDouble) {
  EXPECT_THAT(JsonStream().Add(R"({'execute': 'say "it\'s"'})"), ElementsAre(R"({"execute": "say \"it's\""})"));
}

TEST(JsonStream, AControlByteDropsWhatIsUnfinished) {
  JsonStream stream;
  EXPECT_THAT(stream.Add("{\"a\": \x01{\"b\":1}"), ElementsAre("{\"b\":1}"));
  EXPECT_THAT(stream.Add("{\"a\": \"x\xff{}"), ElementsAre("{}"));
}

TEST(JsonStream, TextOutsideObjectsIsReturnedForAComplaint) {
  EXPECT_THAT(JsonStream().Add("help\r\n ] {}"), ElementsAre("help", "]", "{}"));
}

TEST(JsonStream, AnObjectWithoutEndIsGivenUp) {
  JsonStream stream;
  for (int i = 0; i < 100 && !stream.broken(); ++i) stream.Add(std::string("{\"a\":\"") + std::string(1000, 'x'));
  EXPECT_TRUE(stream.broken());
  JsonStream deep;
  deep.Add(std::string(1000, '['));
  EXPECT_FALSE(deep.broken()) << "brackets outside objects nest nothing";
  deep.Add(" {" + std::string(40, '['));
  EXPECT_TRUE(deep.broken());
}

}  // namespace
}  // namespace vmm
