#include "vmm/boot/smbios.h"

#include <cstring>
#include <map>
#include <numeric>
#include <vector>

#include "gtest/gtest.h"
#include "vmm/boot/abi/smbios_abi.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

constexpr Uuid kUuid = {0x56, 0x4d, 0x12, 0x34, 0x56, 0x78, 0x49, 0xbc, 0x8e, 0xf0, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06};

// Reads the tables as a kernel does: structures by type, with their strings.
class SmbiosTest : public testing::Test {
 protected:
  struct Structure {
    std::vector<uint8_t> formatted;
    std::vector<std::string> strings;
  };

  void SetUp() override {
    memory_ = *GuestMemory::Create(RamRanges(kMinMemory));
    ASSERT_TRUE(WriteVmwareSmbios(*memory_, kUuid).ok());
    entry_ = *memory_->ReadObject<SmbiosEntryPoint>(kSmbiosTables);
    bytes_.resize(entry_.structure_table_length);
    ASSERT_TRUE(memory_->Read(GuestAddr{entry_.structure_table_address}, bytes_).ok());
    size_t at = 0;
    while (at + sizeof(SmbiosHeader) <= bytes_.size()) {
      const uint8_t type = bytes_[at], length = bytes_[at + 1];
      Structure structure{.formatted = {bytes_.begin() + at, bytes_.begin() + at + length}};
      at += length;
      while (bytes_.at(at) != 0) {
        structure.strings.emplace_back(reinterpret_cast<const char*>(&bytes_[at]));
        at += structure.strings.back().size() + 1;
      }
      at += structure.strings.empty() ? 2 : 1;
      structures_[type] = structure;
      ++count_;
    }
    end_ = at;
  }

  std::string StringAt(uint8_t type, size_t field) {
    const Structure& structure = structures_.at(type);
    return structure.strings.at(structure.formatted.at(field) - 1u);
  }

  std::unique_ptr<GuestMemory> memory_;
  SmbiosEntryPoint entry_;
  std::vector<uint8_t> bytes_;
  std::map<int, Structure> structures_;
  int count_ = 0;
  size_t end_ = 0;
};

TEST_F(SmbiosTest, TheEntryPointIsWhereKernelsLookAndItsSumsAreZero) {
  EXPECT_EQ(kSmbiosTables.value % 16, 0u);
  EXPECT_EQ(std::string(entry_.anchor, 4), "_SM_");
  EXPECT_EQ(std::string(entry_.intermediate_anchor, 5), "_DMI_");
  const auto* bytes = reinterpret_cast<const uint8_t*>(&entry_);
  EXPECT_EQ(std::accumulate(bytes, bytes + sizeof(entry_), 0) % 256, 0);
  EXPECT_EQ(std::accumulate(bytes + 16, bytes + sizeof(entry_), 0) % 256, 0);
}

TEST_F(SmbiosTest, TheEntryPointTellsWhatIsThere) {
  EXPECT_EQ(end_, bytes_.size());
  EXPECT_EQ(count_, entry_.number_of_structures);
  EXPECT_TRUE(structures_.contains(kSmbiosTypeEnd));
  EXPECT_LE(+entry_.maximum_structure_size, +entry_.structure_table_length);
}

// cloud-init looks for "vmware" in the product's name. systemd looks for a vendor that begins with "VMware". Linux
// looks for "VMware" in the serial number.
TEST_F(SmbiosTest, ItSaysVmwareWhereGuestsLookForIt) {
  EXPECT_EQ(StringAt(kSmbiosTypeSystem, offsetof(SmbiosSystemInformation, product_name)), "VMware Virtual Platform");
  EXPECT_EQ(StringAt(kSmbiosTypeSystem, offsetof(SmbiosSystemInformation, manufacturer)), "VMware, Inc.");
  EXPECT_EQ(StringAt(kSmbiosTypeSystem, offsetof(SmbiosSystemInformation, serial_number)),
            "VMware-56 4d 12 34 56 78 49 bc-8e f0 01 02 03 04 05 06");
}

TEST_F(SmbiosTest, ItsUuidReadsAsItIsWritten) {
  EXPECT_EQ(UuidText(kUuid), "564d1234-5678-49bc-8ef0-010203040506");
  const std::vector<uint8_t>& system = structures_.at(kSmbiosTypeSystem).formatted;
  const std::vector<uint8_t> uuid(system.begin() + offsetof(SmbiosSystemInformation, uuid), system.begin() + 24);
  EXPECT_EQ(uuid, (std::vector<uint8_t>{0x34, 0x12, 0x4d, 0x56, 0x78, 0x56, 0xbc, 0x49, 0x8e, 0xf0, 1, 2, 3, 4, 5, 6}));
}

}  // namespace
}  // namespace vmm
