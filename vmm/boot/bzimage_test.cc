#include "vmm/boot/bzimage.h"

#include <cstring>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "vmm/boot/testing/bzimage_builder.h"

namespace vmm {
namespace {

absl::StatusOr<BzImage> Parse(const std::vector<uint8_t>& file) {
  return ParseBzImage(std::span(file).first(std::min<uint64_t>(file.size(), kBzImageHeadSize)), file.size());
}

TEST(BzImageTest, AGoodImageIsTakenApart) {
  BzImageBuilder builder;
  const std::vector<uint8_t> file = builder.Image();
  const auto image = Parse(file);
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->protected_offset, 1024u);
  EXPECT_EQ(image->protected_size, file.size() - 1024);
  EXPECT_EQ(image->payload_offset, 1024u + image->header.payload_offset);
  EXPECT_EQ(image->payload_size, builder.Payload().size());
  EXPECT_TRUE(image->has_64bit_entry());
  EXPECT_EQ(image->version, "6.1.0-test (builder)");
}

TEST(BzImageTest, FieldsBehindTheHeadersOwnLengthAreNotRead) {
  BzImageBuilder builder;
  builder.header_length = 0x248 - 0x202;  // up to payload_offset, although the version has more fields
  const auto image = Parse(builder.Image());
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(+image->header.version, 0x20f);
  EXPECT_EQ(+image->header.payload_length, 0u);
  EXPECT_EQ(+image->header.init_size, 0u);
  EXPECT_NE(+image->header.cmdline_size, 0u);
}

// ipxe.lkrn is such an image: it has protocol 2.07 and a length byte that covers its version text.
TEST(BzImageTest, FieldsNewerThanTheProtocolAreNotRead) {
  BzImageBuilder builder;
  builder.lie = [](SetupHeader& header) {
    header.version = 0x207;
    constexpr std::string_view kText = "1.0.0+git-20190125.36a4c85-5.1";
    std::memcpy(&header.payload_offset, kText.data(), kText.size());
  };
  const auto image = Parse(builder.Image());
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->payload_size, 0u);
  EXPECT_EQ(+image->header.pref_address, 0u);
  EXPECT_EQ(+image->header.init_size, 0u);
  EXPECT_FALSE(image->has_64bit_entry());
}

TEST(BzImageTest, TheVersionStringIsBoundedAndPrintable) {
  BzImageBuilder builder;
  builder.version = std::string(200, 'v');
  EXPECT_EQ(Parse(builder.Image())->version.size(), 127u);
  builder.version = "6.1\x1b[31m";
  EXPECT_EQ(Parse(builder.Image())->version, "6.1");
  builder.lie = [](SetupHeader& header) { header.kernel_version = 0xffff; };
  EXPECT_EQ(Parse(builder.Image())->version, "");
}

TEST(BzImageTest, SyssizeIsRoundedUpSoUpTo15BytesMayBeMissing) {
  BzImageBuilder builder;
  std::vector<uint8_t> file = builder.Image();
  file.insert(file.end(), 100, 0);  // a signature after the image does no harm
  EXPECT_TRUE(Parse(file).ok());
  builder.lie = [](SetupHeader& header) { header.payload_length -= 32; };
  file = builder.Image();
  EXPECT_TRUE(Parse({file.begin(), file.end() - 15}).ok());
  EXPECT_FALSE(Parse({file.begin(), file.end() - 16}).ok());
}

// A file that is cut to any length is refused, and nothing reads past its end.
TEST(BzImageTest, EveryCutIsRefused) {
  const std::vector<uint8_t> file = BzImageBuilder().Image();
  for (size_t size = 0; size < file.size() - 16; ++size) {
    EXPECT_FALSE(Parse({file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)}).ok()) << size;
  }
}

// Any byte of the header may have any value.
TEST(BzImageTest, EveryByteOfTheHeaderMayBeWrong) {
  std::vector<uint8_t> file = BzImageBuilder().Image();
  for (size_t at = kSetupHeaderOffset; at < 0x26c; ++at) {
    const uint8_t good = file[at];
    for (const uint8_t value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      file[at] = value;
      const auto image = Parse(file);
      if (!image.ok()) continue;
      EXPECT_LE(image->protected_offset + image->protected_size, file.size());
      EXPECT_LE(image->payload_offset + image->payload_size, file.size());
    }
    file[at] = good;
  }
}

}  // namespace
}  // namespace vmm
