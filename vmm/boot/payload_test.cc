#include "vmm/boot/payload.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vmm/boot/testing/compress.h"

namespace vmm {
namespace {

using Bytes = std::vector<uint8_t>;

// Makes more than one block of the format (lz4: 8 MiB, bzip2: 900 kB). Some of the data compresses well, some does not
// compress at all.
Bytes Sample(Codec codec) {
  Bytes data(codec == Codec::kLz4 ? 9 << 20 : 1 << 20);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i / 977);
  std::mt19937 random(1);
  std::generate_n(data.begin() + (400 << 10), 100 << 10, [&] { return static_cast<uint8_t>(random()); });
  return data;
}

Bytes WithSizeWord(Codec codec, const Bytes& data) {
  Bytes payload = Compress(codec, data);
  if (codec == Codec::kGzip) return payload;
  for (int i = 0; i < 4; ++i) payload.push_back(static_cast<uint8_t>(data.size() >> (8 * i)));
  return payload;
}

class PayloadTest : public testing::TestWithParam<Codec> {};

TEST_P(PayloadTest, IsDecodedWhole) {
  const Bytes data = Sample(GetParam());
  const Bytes bytes = WithSizeWord(GetParam(), data);
  const auto payload = ParsePayload(bytes);
  ASSERT_TRUE(payload.ok()) << payload.status();
  EXPECT_EQ(payload->codec, GetParam());
  ASSERT_EQ(payload->size, data.size());
  Bytes out(data.size());
  ASSERT_TRUE(DecodePayload(*payload, out).ok()) << DecodePayload(*payload, out);
  EXPECT_TRUE(out == data);
}

TEST_P(PayloadTest, ItsHeadIsDecodedAlone) {
  const Bytes data = Sample(GetParam());
  const Bytes bytes = WithSizeWord(GetParam(), data);
  const auto payload = ParsePayload(bytes);
  ASSERT_TRUE(payload.ok());
  for (const size_t size : {1, 64, 4096, 300000}) {
    Bytes head(size + 8, 0xee);
    ASSERT_TRUE(DecodePayloadHead(*payload, std::span(head).first(size)).ok()) << size;
    EXPECT_TRUE(std::equal(head.begin(), head.end() - 8, data.begin())) << size;
    EXPECT_TRUE(std::all_of(head.end() - 8, head.end(), [](uint8_t b) { return b == 0xee; })) << size;
  }
}

TEST_P(PayloadTest, AHeadLongerThanThePayloadIsFilledAsFarAsItGoes) {
  const Bytes data(100, 'd');
  const Bytes bytes = WithSizeWord(GetParam(), data);
  const auto payload = ParsePayload(bytes);
  ASSERT_TRUE(payload.ok());
  Bytes head(200, 0xee);
  ASSERT_TRUE(DecodePayloadHead(*payload, head).ok());
  EXPECT_EQ(head[99], 'd');
  EXPECT_EQ(head[100], 0xee);
}

// No cut stream decodes to the whole data, loops or writes past the end.
TEST_P(PayloadTest, EveryCutIsAnError) {
  Bytes data(700);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i * i >> 5);
  const Bytes stream = Compress(GetParam(), data);
  for (size_t size = 16; size < stream.size(); ++size) {
    const Payload payload{GetParam(), std::span(stream).first(size), data.size()};
    Bytes out(data.size());
    const absl::Status status = DecodePayload(payload, out);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << size << ": " << status;
  }
}

// Damage gives an error, or at worst (lz4 has no checksum) other bytes of the same length.
TEST_P(PayloadTest, NoDamageReachesPastTheOutput) {
  Bytes data(3000);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i * i >> 5);
  const Bytes good = Compress(GetParam(), data);
  std::mt19937 random(7);
  for (int round = 0; round < 100; ++round) {
    Bytes stream = good;
    for (int i = 0; i < 3; ++i) stream[random() % stream.size()] = static_cast<uint8_t>(random());
    const Payload payload{GetParam(), stream, data.size()};
    const auto out = std::make_unique_for_overwrite<uint8_t[]>(data.size());  // ASan guards its end
    (void)DecodePayload(payload, {out.get(), data.size()});
    (void)DecodePayloadHead(payload, {out.get(), 512});
  }
}

INSTANTIATE_TEST_SUITE_P(All, PayloadTest, testing::ValuesIn(kAllCodecs),
                         [](const auto& info) { return std::string(CodecName(info.param)); });

TEST(PayloadBoundsTest, ASmallFileMayNotClaimMuch) {
  Bytes bytes = WithSizeWord(Codec::kXz, Bytes(100));
  const auto claim = [&](uint32_t size) {
    for (int i = 0; i < 4; ++i) bytes[bytes.size() - 4 + i] = static_cast<uint8_t>(size >> (8 * i));
    return ParsePayload(bytes).status();
  };
  EXPECT_TRUE(claim(16 << 20).ok());
  EXPECT_THAT(std::string(claim((16 << 20) + 1).message()),
              testing::HasSubstr("claims to decode to 16777217, the limit is 16777216"));
  EXPECT_FALSE(claim(0).ok());
}

TEST(PayloadBoundsTest, ADictionaryTooLargeIsRefusedByItsSize) {
  Bytes stream = Compress(Codec::kLzma, Bytes(3000));
  stream[1] = stream[2] = 0;
  stream[3] = 0;
  stream[4] = 0x80;  // dict_size: 2 GiB
  Bytes out(3000);
  const Payload payload{Codec::kLzma, stream, out.size()};
  EXPECT_THAT(std::string(DecodePayload(payload, out).message()), testing::HasSubstr("the limit is 201326592"));
}

TEST(PayloadBoundsTest, AnUnknownFormatIsNamedByItsFirstBytes) {
  const Bytes bytes{'M', 'Z', 0x90, 0x00, 1, 2, 3, 4};
  EXPECT_FALSE(IdentifyCodec(bytes).has_value());
  EXPECT_THAT(std::string(ParsePayload(bytes).status().message()), testing::HasSubstr("4d 5a 90 00"));
  EXPECT_FALSE(ParsePayload({}).ok());
}

}  // namespace
}  // namespace vmm
