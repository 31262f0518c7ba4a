#include "dump/kernel/vmcoreinfo_note.h"

#include <cstring>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

std::string Text() {
  std::string text = "OSRELEASE=6.1.0\nPAGESIZE=4096\n";
  text.resize(100, '\n');
  return text;
}

std::string Note(const std::string& text) {
  const uint32_t header[] = {11, static_cast<uint32_t>(text.size()), 0};
  return std::string(reinterpret_cast<const char*>(header), sizeof(header)) + std::string(kVmcoreInfoName) + text;
}

absl::StatusOr<VmcoreInfo> Parse(std::string_view bytes) {
  return ParseVmcoreInfoNoteOrText({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
}

TEST(VmcoreInfoNoteTest, ANoteIsReadByteForByteWhateverFollows) {
  const auto info = Parse(Note(Text()) + std::string(4000, '\0'));
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->text(), Text());
}

TEST(VmcoreInfoNoteTest, ABareTextEndsAtItsNulOrItsLastByte) {
  EXPECT_EQ(Parse(Text())->text(), Text());
  EXPECT_EQ(Parse(Text() + std::string(10, '\0') + "rest")->text(), Text());
}

TEST(VmcoreInfoNoteTest, ANoteThatIsCutOffIsRefused) {
  const std::string note = Note(Text());
  const auto info = Parse(std::string_view(note).substr(0, note.size() - 1));
  EXPECT_THAT(info.status().message(), HasSubstr("cut off after 123"));
}

TEST(VmcoreInfoNoteTest, AnythingElseIsRefused) {
  EXPECT_THAT(Parse("").status().message(), HasSubstr("neither"));
  EXPECT_THAT(Parse("PAGESIZE=4096").status().message(), HasSubstr("neither"));
  std::string other_type = Note(Text());
  other_type[8] = 1;
  EXPECT_THAT(Parse(other_type).status().message(), HasSubstr("neither"));
  EXPECT_THAT(Parse("OSRELEASE=no release\n").status().message(), HasSubstr("release name"));
}

}  // namespace
}  // namespace vmm
