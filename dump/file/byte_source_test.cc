#include "dump/file/byte_source.h"

#include <endian.h>

#include <cstdint>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace vmm {
namespace {

void AppendRecord(std::string& file, uint64_t offset, const std::string& bytes) {
  const uint64_t header[2] = {htobe64(offset), htobe64(bytes.size())};
  file.append(reinterpret_cast<const char*>(header), sizeof(header));
  file += bytes;
}

class FlattenedFile {
 public:
  FlattenedFile() {
    file_.resize(4096);
    file_.replace(0, 12, "makedumpfile");
  }

  FlattenedFile& Put(uint64_t offset, const std::string& bytes) {
    AppendRecord(file_, offset, bytes);
    return *this;
  }
  std::string Whole() const {
    const uint64_t end[2] = {~0ull, ~0ull};
    return file_ + std::string(reinterpret_cast<const char*>(end), sizeof(end));
  }
  const std::string& WithoutEnd() const { return file_; }

 private:
  std::string file_;
};

std::string ContentOf(const ByteSource& source) {
  std::string content(source.size(), '\0');
  EXPECT_TRUE(source.ReadAt(0, {reinterpret_cast<uint8_t*>(content.data()), content.size()}).ok());
  return content;
}

TEST(ByteSourceTest, NothingIsReadPastTheEnd) {
  const auto source = MakeStringSource("abc");
  std::vector<uint8_t> out(2);
  EXPECT_TRUE(source->ReadAt(1, out).ok());
  EXPECT_EQ(out[1], 'c');
  EXPECT_EQ(source->ReadAt(2, out).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(source->ReadAt(~0ull, out).code(), absl::StatusCode::kOutOfRange);
}

TEST(ByteSourceTest, AFlattenedFileIsPutInOrderAndItsGapsAreZeros) {
  const auto file = FlattenedFile().Put(6, "world").Put(0, "hello");
  auto source = MakeStringSource(file.Whole());
  EXPECT_TRUE(IsFlattened(*source));
  const auto flat = Unflatten(std::move(source));
  ASSERT_TRUE(flat.ok()) << flat.status();
  EXPECT_EQ(ContentOf(**flat), std::string("hello\0world", 11));
}

TEST(ByteSourceTest, TheLaterRecordStands) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    FlattenedFile file;
    std::string expected;
    for (int i = 0; i < 12; ++i) {
      const uint64_t offset = random() % 60;
      const std::string bytes(1 + random() % 30, static_cast<char>('a' + i));
      file.Put(offset, bytes);
      expected.resize(std::max(expected.size(), offset + bytes.size()));
      expected.replace(offset, bytes.size(), bytes);
    }
    const auto flat = Unflatten(MakeStringSource(file.Whole()));
    ASSERT_TRUE(flat.ok());
    ASSERT_EQ(ContentOf(**flat), expected);
  }
}

TEST(ByteSourceTest, OfAFlattenedFileThatWasCutAnywhereTheBytesThatAreLeftAreRead) {
  const std::string whole = FlattenedFile().Put(0, "hello").Put(7, "world").Whole();
  constexpr uint64_t kFirst = 4096 + 16, kSecond = kFirst + 5 + 16;
  EXPECT_FALSE((*Unflatten(MakeStringSource(whole)))->cut_short().has_value());
  for (uint64_t size = 16; size < whole.size(); ++size) {
    const auto flat = Unflatten(MakeStringSource(whole.substr(0, size)));
    ASSERT_TRUE(flat.ok()) << size << flat.status();
    ASSERT_TRUE((*flat)->cut_short().has_value()) << size;
    const uint64_t first = size < kFirst ? 0 : std::min<uint64_t>(5, size - kFirst);
    const uint64_t second = size < kSecond ? 0 : std::min<uint64_t>(5, size - kSecond);
    EXPECT_EQ((*flat)->Available(0, 5), first) << size;
    EXPECT_EQ((*flat)->Available(7, 5), second) << size;
    EXPECT_EQ((*flat)->Available(5, 2), 0u) << size;
    EXPECT_EQ((*flat)->stored_bytes(), first + second) << size;
    std::string text(second, '\0');
    if (second == 0) continue;
    ASSERT_TRUE((*flat)->ReadAt(7, {reinterpret_cast<uint8_t*>(text.data()), text.size()}).ok()) << size;
    EXPECT_EQ(text, std::string("world").substr(0, second));
    std::vector<uint8_t> gap(3);
    EXPECT_EQ((*flat)->ReadAt(5, gap).code(), absl::StatusCode::kDataLoss) << "what is missing may be there";
  }
}

TEST(ByteSourceTest, DataOfAFlattenedFileIsWhatItsRecordsHave) {
  const auto flat = *Unflatten(MakeStringSource(FlattenedFile().Put(0, "ab").Put(2, "cd").Put(9, "efg").Whole()));
  const auto extents = *flat->DataExtents({1, 9}, 2);
  ASSERT_EQ(extents.size(), 2u);
  EXPECT_EQ(extents[0].offset, 1u);
  EXPECT_EQ(extents[0].size, 3u);
  EXPECT_EQ(extents[1].offset, 9u);
  EXPECT_EQ(extents[1].size, 1u);
  EXPECT_EQ(flat->DataExtents({1, 9}, 1).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(ByteSourceTest, ADamagedFlattenedFileIsRefused) {
  EXPECT_EQ(Unflatten(MakeStringSource(FlattenedFile().Put(0, "").Whole())).status().code(),
            absl::StatusCode::kDataLoss);
  EXPECT_FALSE(Unflatten(MakeStringSource(FlattenedFile().Put(~0ull - 4, "hello").Whole())).ok());
}

}  // namespace
}  // namespace vmm
