#include "vmm/boot/image_window.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <memory>

#include "gtest/gtest.h"

namespace vmm {
namespace {

class ImageWindowTest : public testing::Test {
 protected:
  uint8_t At(uint64_t address) { return *memory_->ReadObject<uint8_t>(GuestAddr{address}); }

  static constexpr std::array<GuestRange, 2> kRam{GuestRange{GuestAddr{0}, 0x10000},
                                                  GuestRange{GuestAddr{0x100000}, 0x10000}};
  std::unique_ptr<GuestMemory> memory_ = *GuestMemory::Create(kRam);
};

TEST_F(ImageWindowTest, WhatIsWrittenToAPieceIsInGuestRamAndTheRestIsNot) {
  // Whole pages, pages shared with a neighbour, and a piece whose offset in its page differs.
  const std::array<ImageWindow::Piece, 3> pieces{
      ImageWindow::Piece{0x1800, {GuestAddr{0x100800}, 0x2c00}},
      ImageWindow::Piece{0x4400, {GuestAddr{0x4400}, 0x100}},
      ImageWindow::Piece{0x5000, {GuestAddr{0x8010}, 0x2000}},
  };
  auto window = ImageWindow::Create(*memory_, 0x8001, pieces);
  ASSERT_TRUE(window.ok()) << window.status();
  ASSERT_EQ(window->bytes().size(), 0x8001u);
  for (size_t i = 0; i < window->bytes().size(); ++i) window->bytes()[i] = static_cast<uint8_t>(i % 251 + 1);
  ASSERT_TRUE(window->Commit().ok());

  for (uint64_t address = 0; address < 0x110000; ++address) {
    if (address == 0x10000) address = 0x100000;
    uint8_t expected = 0;
    for (const ImageWindow::Piece& piece : pieces) {
      if (piece.target.Contains(GuestAddr{address})) {
        expected = static_cast<uint8_t>((piece.offset + address - piece.target.start.value) % 251 + 1);
      }
    }
    ASSERT_EQ(At(address), expected) << std::hex << address;
  }
}

TEST_F(ImageWindowTest, LongRunsOfZerosStayHolesOfTheMemfd) {
  constexpr uint64_t kSize = 64 * kPageSize;
  auto memory = *GuestMemory::Create(std::array{GuestRange{GuestAddr{0}, kSize}});
  {
    auto window = ImageWindow::Create(*memory, kSize, std::array{ImageWindow::Piece{0, {GuestAddr{0}, kSize}}});
    ASSERT_TRUE(window.ok()) << window.status();
    window->bytes()[2 * kPageSize - 1] = 1;  // one page of zeros before it: the run is too short
    window->bytes()[40 * kPageSize] = 1;     // 38 pages of zeros before it
    ASSERT_TRUE(window->Commit().ok());
  }
  const auto extents = memory->DataExtents();
  ASSERT_TRUE(extents.ok());
  EXPECT_EQ(extents->size(), 2u);
  EXPECT_EQ(*memory->ReadObject<uint8_t>(GuestAddr{2 * kPageSize - 1}), 1);
  EXPECT_EQ(*memory->ReadObject<uint8_t>(GuestAddr{40 * kPageSize}), 1);
  struct stat st = {};
  ASSERT_EQ(fstat(memory->fd(), &st), 0);
  EXPECT_LE(static_cast<uint64_t>(st.st_blocks) * 512, 4 * kPageSize);
}

TEST_F(ImageWindowTest, APieceOutsideRamOrOutsideTheWindowIsRefused) {
  const auto create = [&](ImageWindow::Piece piece) {
    return ImageWindow::Create(*memory_, 0x4000, std::array{piece}).status().code();
  };
  EXPECT_EQ(create({0, {GuestAddr{0xf000}, 0x2000}}), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(create({0x3000, {GuestAddr{0}, 0x1001}}), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(create({~uint64_t{0}, {GuestAddr{0}, 0x1000}}), absl::StatusCode::kOutOfRange);
}

}  // namespace
}  // namespace vmm
