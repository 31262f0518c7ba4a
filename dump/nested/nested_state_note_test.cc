#include "dump/nested/nested_state_note.h"

#include <cstring>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "dump/nested/nested_state.h"
#include "dump/nested/testing/fixture.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string RealNote(const std::vector<uint8_t>& blob) {
  return NestedStateNote{.vcpu = 3, .level = 2, .layout = Vmcs12Layout::kFrozen, .max_size = 8320, .state = blob}
      .Serialise();
}

absl::StatusCode CodeWithWord(size_t word, uint32_t value) {
  std::string desc = RealNote(Fixture("vmx-plain-F1-inL2.bin"));
  std::memcpy(desc.data() + 4 * word, &value, sizeof(value));
  return NestedStateNote::Parse(Bytes(desc)).status().code();
}

TEST(NestedStateNoteTest, ReadBackIsWhatWasWritten) {
  for (const std::string& name : BlobNames()) {
    const std::vector<uint8_t> blob = Fixture(name);
    const std::string desc = RealNote(blob);
    EXPECT_EQ(24 + blob.size(), desc.size());
    EXPECT_EQ(0u, desc.size() % 4) << "a note is padded to 4";
    const auto note = NestedStateNote::Parse(Bytes(desc));
    ASSERT_TRUE(note.ok()) << note.status();
    EXPECT_EQ(3u, note->vcpu);
    EXPECT_EQ(2u, note->level);
    EXPECT_EQ(Vmcs12Layout::kFrozen, note->layout);
    EXPECT_EQ(8320u, note->max_size);
    EXPECT_EQ(blob, std::vector<uint8_t>(note->state.begin(), note->state.end()));
    EXPECT_TRUE(NestedState::Parse(note->state).ok()) << name;
  }
}

TEST(NestedStateNoteTest, ANoteThatIsNotOursIsRefused) {
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, NestedStateNote::Parse({}).status().code());
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, NestedStateNote::Parse(Bytes(std::string(151, '\1'))).status().code());
  EXPECT_EQ(absl::StatusCode::kUnimplemented, CodeWithWord(0, 2));
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, CodeWithWord(2, 0));
  EXPECT_EQ(absl::StatusCode::kInvalidArgument, CodeWithWord(2, 3));
}

TEST(NestedStateNoteTest, ALayoutOfTheFutureIsTakenForTheNewestThatWeKnow) {
  std::string desc = RealNote(Fixture("vmx-plain-F1-inL2.bin"));
  const uint32_t layout = 7;
  std::memcpy(desc.data() + offsetof(NestedStateNoteHeader, layout), &layout, sizeof(layout));
  ASSERT_TRUE(NestedStateNote::Parse(Bytes(desc)).ok());
  EXPECT_EQ(kNewestVmcs12Layout, NestedStateNote::Parse(Bytes(desc))->layout);
}

}  // namespace
}  // namespace vmm
