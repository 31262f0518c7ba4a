#include "dump/read/file_memory_map.h"

#include <gmock/gmock.h>
#include <sys/mman.h>

#include <random>

#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

FilePiece Piece(uint64_t start, uint64_t size, uint64_t offset, uint64_t file_size) {
  return {{GuestAddr{start}, size}, offset, file_size};
}
FilePiece Piece(uint64_t start, uint64_t size, uint64_t offset) { return Piece(start, size, offset, size); }

TEST(UnionOfPiecesTest, PartsOfRamThatLieInItsBytesAreOneWithIt) {
  EXPECT_THAT(UnionOfPieces(std::vector{Piece(0x3000, 0x2000, 0x13000), Piece(0, 0x8000, 0x10000)}),
              ElementsAre(Piece(0, 0x8000, 0x10000)));
}

TEST(UnionOfPiecesTest, WhereBytesDifferTheFirstPieceIsTaken) {
  EXPECT_THAT(UnionOfPieces(std::vector{Piece(0x3000, 0x1000, 0x90000), Piece(0, 0x8000, 0x10000)}),
              ElementsAre(Piece(0, 0x3000, 0x10000), Piece(0x3000, 0x1000, 0x90000), Piece(0x4000, 0x4000, 0x14000)));
}

TEST(UnionOfPiecesTest, BytesOfTheFileWinOverZerosThatOnlyMemszPromises) {
  EXPECT_THAT(UnionOfPieces(std::vector{Piece(0, 0x4000, 0x10000, 0x1000), Piece(0x2000, 0x1000, 0x50000)}),
              ElementsAre(Piece(0, 0x1000, 0x10000), Piece(0x1000, 0x1000, 0, 0), Piece(0x2000, 0x1000, 0x50000),
                          Piece(0x3000, 0x1000, 0, 0)));
}

TEST(UnionOfPiecesTest, NothingIsTheUnionOfNothing) {
  EXPECT_THAT(UnionOfPieces(std::vector<FilePiece>{}), IsEmpty());
  EXPECT_THAT(UnionOfPieces(std::vector{Piece(0x1000, 0, 0)}), IsEmpty());
}

TEST(UnionOfPiecesTest, EachAddressHasTheFirstPieceThatHoldsIt) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::vector<FilePiece> pieces;
    for (unsigned i = random() % 6; i > 0; --i) {
      const uint64_t size = random() % 8;
      pieces.push_back(Piece(random() % 16, size, random() % 1000, random() % (size + 1)));
    }
    const std::vector<FilePiece> all = UnionOfPieces(pieces);
    for (uint64_t at = 0; at < 32; ++at) {
      const auto holder = [&](const std::vector<FilePiece>& in) -> std::pair<bool, int64_t> {
        bool zeros = false;
        for (const FilePiece& p : in) {
          const uint64_t inside = at - p.range.start.value;
          if (at >= p.range.start.value && inside < p.file_size) return {true, static_cast<int64_t>(p.offset + inside)};
          zeros |= p.range.Contains(GuestAddr{at});
        }
        return {zeros, -1};
      };
      ASSERT_EQ(holder(all), holder(pieces)) << "round " << round << " address " << at;
    }
  }
}

class FileMemoryMapTest : public ::testing::Test {
 protected:
  FileMemoryMapTest() {
    UniqueFd fd(memfd_create("core", MFD_CLOEXEC));
    std::string bytes(0x10000, '\0');
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i >> 8);
    EXPECT_EQ(write(fd.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    file_.emplace(*CoreFile::Take(std::move(fd), "core"));
  }

  std::unique_ptr<FileMemoryMap> Map(std::vector<FilePiece> pieces) { return *FileMemoryMap::Create(*file_, pieces); }

  std::optional<CoreFile> file_;
};

TEST_F(FileMemoryMapTest, APageOfWhichTheFileHasAPartIsZeroInTheRest) {
  const auto memory = Map({Piece(0x1800, 0x1000, 0x2000), Piece(0x2c00, 0x200, 0x5000)});
  EXPECT_THAT(memory->Ranges(), ElementsAre(GuestRange{GuestAddr{0x1000}, 0x2000}));
  EXPECT_THAT(*memory->DataExtents(), ElementsAre(GuestRange{GuestAddr{0x1000}, 0x2000}));
  std::vector<uint8_t> bytes(0x2000, 0xee);
  ASSERT_TRUE(memory->Read(GuestAddr{0x1000}, bytes).ok());
  EXPECT_EQ(bytes[0x7ff], 0);
  EXPECT_EQ(bytes[0x800], 0x20);
  EXPECT_EQ(bytes[0x17ff], 0x2f);
  EXPECT_EQ(bytes[0x1800], 0);
  EXPECT_EQ(bytes[0x1c00], 0x50);
  EXPECT_EQ(bytes[0x1e00], 0);
}

TEST_F(FileMemoryMapTest, WhatIsNoRamIsNotRead) {
  const auto memory = Map({Piece(0x1000, 0x1000, 0x2000), Piece(0x4000, 0x1000, 0x3000)});
  std::vector<uint8_t> bytes(0x1001);
  EXPECT_EQ(memory->Read(GuestAddr{0x1000}, bytes).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(memory->Read(GuestAddr{0}, bytes).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(memory->Read(GuestAddr{~0ull}, bytes).code(), absl::StatusCode::kOutOfRange);
  EXPECT_TRUE(memory->Read(GuestAddr{0x4fff}, std::span(bytes).first(1)).ok());
}

TEST_F(FileMemoryMapTest, AFileHasNoMoreRamThanBytes) {
  const std::vector<FilePiece> pieces = {Piece(0, 0x10000, 0), Piece(0x100000, 0x1000, 0)};
  EXPECT_FALSE(FileMemoryMap::Create(*file_, pieces).ok());
}

}  // namespace
}  // namespace vmm
