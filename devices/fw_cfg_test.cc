#include "devices/fw_cfg.h"

#include <endian.h>

#include <array>
#include <cstring>
#include <random>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::ElementsAre;

constexpr GuestAddr kRequest{0x1000};
constexpr GuestAddr kBuffer{0x2000};

// A guest that does what Linux's qemu_fw_cfg does.
class FwCfgTest : public ::testing::Test {
 protected:
  void Select(uint16_t key) {
    device.Write(kFwCfgSelector, std::array<uint8_t, 2>{static_cast<uint8_t>(key), static_cast<uint8_t>(key >> 8)});
  }

  std::string ReadBytes(uint16_t key, size_t count) {
    Select(key);
    std::string bytes;
    for (size_t i = 0; i < count; ++i) {
      std::array<uint8_t, 1> byte;
      device.Read(kFwCfgData, byte);
      bytes += static_cast<char>(byte[0]);
    }
    return bytes;
  }

  void WriteWord(uint64_t offset, uint32_t word) {
    word = htobe32(word);
    std::array<uint8_t, 4> bytes;
    std::memcpy(bytes.data(), &word, sizeof(word));
    device.Write(offset, bytes);
  }

  // Returns the control word that the device wrote back.
  uint32_t Dma(uint32_t control, uint32_t length, uint64_t address = kBuffer.value) {
    const FwCfgDmaAccess access = {htobe32(control), htobe32(length), htobe64(address)};
    EXPECT_TRUE(memory->WriteObject(kRequest, access).ok());
    WriteWord(kFwCfgDmaHigh, 0);
    WriteWord(kFwCfgDmaLow, static_cast<uint32_t>(kRequest.value));
    return be32toh(memory->ReadObject<FwCfgDmaAccess>(kRequest)->control);
  }

  uint32_t WriteVmcoreInfo(const FwCfgVmcoreInfo& said) {
    EXPECT_TRUE(memory->WriteObject(kBuffer, said).ok());
    return Dma(uint32_t{kFwCfgFileFirst} << 16 | kFwCfgDmaSelect | kFwCfgDmaWrite, sizeof(said));
  }

  static constexpr GuestRange kRanges[] = {{GuestAddr{0}, 1 << 20}};
  std::unique_ptr<GuestMemory> memory = *GuestMemory::Create(kRanges);
  FwCfg device{*memory};
};

TEST_F(FwCfgTest, ItSaysWhoItIsAndThatItKnowsDma) {
  EXPECT_EQ(ReadBytes(kFwCfgSignature, 4), "QEMU");
  EXPECT_THAT(ReadBytes(kFwCfgId, 4), ElementsAre(3, 0, 0, 0));
  std::array<uint8_t, 4> high, low;
  device.Read(kFwCfgDmaHigh, high);
  device.Read(kFwCfgDmaLow, low);
  EXPECT_EQ(std::string(high.begin(), high.end()) + std::string(low.begin(), low.end()), "QEMU CFG");
}

TEST_F(FwCfgTest, ItTellsTheSizeOfRamAndTheNumberOfCpus) {
  FwCfg four(*memory, 4);
  const auto read = [&](uint16_t key, size_t size) {
    four.Write(kFwCfgSelector, std::array<uint8_t, 2>{static_cast<uint8_t>(key), 0});
    uint64_t value = 0;
    for (size_t i = 0; i < size; ++i) {
      std::array<uint8_t, 1> byte;
      four.Read(kFwCfgData, byte);
      value |= uint64_t{byte[0]} << (8 * i);
    }
    return value;
  };
  EXPECT_EQ(read(kFwCfgRamSize, 8), 1u << 20);
  EXPECT_EQ(read(kFwCfgNbCpus, 2), 4u);
  EXPECT_EQ(read(kFwCfgMaxCpus, 2), 4u);
}

TEST_F(FwCfgTest, TheDirectoryHasOneFile) {
  const std::string bytes = ReadBytes(kFwCfgFileDir, 4 + sizeof(FwCfgFile));
  EXPECT_EQ(bytes.substr(0, 4), std::string("\0\0\0\1", 4));
  FwCfgFile file;
  std::memcpy(&file, bytes.data() + 4, sizeof(file));
  EXPECT_EQ(be32toh(file.size), 16u);
  EXPECT_EQ(be16toh(file.select), 0x20);
  EXPECT_STREQ(file.name, "etc/vmcoreinfo");
}

TEST_F(FwCfgTest, PastAnItemsEndAndWhereThereIsNoneAllIsZero) {
  EXPECT_EQ(ReadBytes(kFwCfgSignature, 6), std::string("QEMU\0\0", 6));
  EXPECT_EQ(ReadBytes(0x1234, 3), std::string(3, '\0'));
}

TEST_F(FwCfgTest, TheFileSaysWhatWeTakeBeforeTheGuestWrites) {
  EXPECT_EQ(ReadBytes(kFwCfgFileFirst, 16), std::string("\1", 1) + std::string(15, '\0'));
  EXPECT_FALSE(device.vmcoreinfo_note().has_value());
}

TEST_F(FwCfgTest, WhatTheGuestWritesByDmaIsKept) {
  EXPECT_EQ(WriteVmcoreInfo({0, kFwCfgVmcoreInfoElf, 0x1024, 0x11e6000}), 0u);
  EXPECT_EQ(device.vmcoreinfo_note(), (GuestRange{GuestAddr{0x11e6000}, 0x1024}));
}

TEST_F(FwCfgTest, AnotherFormatIsNoNote) {
  EXPECT_EQ(WriteVmcoreInfo({0, 2, 0x1024, 0x11e6000}), 0u);
  EXPECT_FALSE(device.vmcoreinfo_note().has_value());
}

TEST_F(FwCfgTest, DmaReadsFromWhereTheLastOneEnded) {
  EXPECT_EQ(Dma(uint32_t{kFwCfgSignature} << 16 | kFwCfgDmaSelect | kFwCfgDmaSkip, 1), 0u);
  EXPECT_EQ(Dma(kFwCfgDmaRead, 2), 0u);
  EXPECT_EQ(Dma(kFwCfgDmaRead, 4, kBuffer.value + 2), 0u);
  std::array<uint8_t, 6> bytes;
  ASSERT_TRUE(memory->Read(kBuffer, bytes).ok());
  EXPECT_THAT(bytes, ElementsAre('E', 'M', 'U', 0, 0, 0));
}

TEST_F(FwCfgTest, WhatCannotBeDoneIsAnError) {
  const uint32_t select = kFwCfgDmaSelect;
  EXPECT_EQ(Dma(uint32_t{kFwCfgSignature} << 16 | select | kFwCfgDmaWrite, 4), kFwCfgDmaError) << "read only";
  EXPECT_EQ(Dma(uint32_t{kFwCfgFileFirst} << 16 | select | kFwCfgDmaWrite, 17), kFwCfgDmaError) << "too long";
  EXPECT_EQ(Dma(uint32_t{kFwCfgFileFirst} << 16 | select | kFwCfgDmaWrite, 16, 1 << 20), kFwCfgDmaError) << "no RAM";
  EXPECT_EQ(Dma(uint32_t{kFwCfgSignature} << 16 | select | kFwCfgDmaRead, 4, ~0ull), kFwCfgDmaError) << "no RAM";
  EXPECT_EQ(Dma(kFwCfgDmaRead, FwCfg::kMaxTransfer + 1), kFwCfgDmaError);
  EXPECT_EQ(Dma(kFwCfgDmaSkip, ~0u), 0u);
  EXPECT_EQ(Dma(kFwCfgDmaSkip, ~0u), 0u);
  EXPECT_EQ(Dma(kFwCfgDmaWrite, 1), kFwCfgDmaError) << "behind the end";
  EXPECT_FALSE(device.vmcoreinfo_note().has_value());
}

TEST_F(FwCfgTest, ARequestThatIsNotInRamIsDropped) {
  WriteWord(kFwCfgDmaHigh, 0xffffffff);
  WriteWord(kFwCfgDmaLow, 0xfffffff8);
}

TEST_F(FwCfgTest, TheDataRegisterTakesNoWrites) {
  Select(kFwCfgFileFirst);
  for (int i = 0; i < 16; ++i) device.Write(kFwCfgData, std::array<uint8_t, 1>{0x41});
  EXPECT_FALSE(device.vmcoreinfo_note().has_value());
}

// Nothing breaks, whatever a guest does to the ports and the request.
TEST_F(FwCfgTest, DisorderIsSurvived) {
  std::minstd_rand random(7);
  for (int round = 0; round < 20000; ++round) {
    const uint64_t address = random() % 3 == 0 ? uint64_t{random()} << random() % 33 : random() % (1 << 20);
    Dma(random() << random() % 17 | random() % 32, random() % 4 == 0 ? random() : random() % 64, address);
    std::array<uint8_t, 8> data;
    for (uint8_t& byte : data) byte = static_cast<uint8_t>(random() % 64);
    const size_t size = size_t{1} << random() % 4;
    const uint64_t offset = random() % (FwCfg::kSize - size + 1);
    if (random() % 2 == 0) device.Write(offset, std::span(data).first(size));
    device.Read(offset, std::span(data).first(size));
    device.vmcoreinfo_note();
  }
}

}  // namespace
}  // namespace vmm
