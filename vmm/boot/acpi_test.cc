#include "vmm/boot/acpi.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vmm/boot/abi/acpi_abi.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

using Bytes = std::vector<uint8_t>;

template <typename T>
T As(const Bytes& bytes, size_t offset = 0) {
  T object = {};
  EXPECT_LE(offset + sizeof(T), bytes.size());
  if (offset + sizeof(T) <= bytes.size()) std::memcpy(&object, bytes.data() + offset, sizeof(T));
  return object;
}

uint8_t Sum(const Bytes& bytes) { return std::accumulate(bytes.begin(), bytes.end(), uint8_t{0}); }

std::unique_ptr<GuestMemory> Ram() {
  const GuestRange range{GuestAddr{0}, 1 << 20};
  return *GuestMemory::Create(std::span(&range, 1));
}

Bytes ReadBytes(const GuestMemory& memory, uint64_t addr, size_t size) {
  Bytes bytes(size);
  EXPECT_TRUE(memory.Read(GuestAddr{addr}, bytes).ok());
  return bytes;
}

// Reads a table that begins with an AcpiHeader.
Bytes ReadTable(const GuestMemory& memory, uint64_t addr) {
  return ReadBytes(memory, addr, As<AcpiHeader>(ReadBytes(memory, addr, sizeof(AcpiHeader))).length);
}

// Returns all tables by signature. Finds them as a kernel does, starting from the RSDP.
std::map<std::string, Bytes> ReadTables(int cpus) {
  auto memory = Ram();
  const auto rsdp_addr = WriteAcpiTables(*memory, cpus);
  EXPECT_TRUE(rsdp_addr.ok()) << rsdp_addr.status();
  std::map<std::string, Bytes> tables;
  tables["RSDP"] = ReadBytes(*memory, rsdp_addr->value, sizeof(AcpiRsdp));
  tables["XSDT"] = ReadTable(*memory, As<AcpiRsdp>(tables["RSDP"]).xsdt_address);
  for (size_t at = sizeof(AcpiHeader); at < tables["XSDT"].size(); at += 8) {
    const Bytes table = ReadTable(*memory, As<uint64_t>(tables["XSDT"], at));
    tables[std::string(table.begin(), table.begin() + 4)] = table;
  }
  const auto fadt = As<AcpiFadt>(tables["FACP"]);
  EXPECT_EQ(+fadt.dsdt, +fadt.x_dsdt);
  EXPECT_EQ(fadt.firmware_ctrl % 64, 0u);
  tables["DSDT"] = ReadTable(*memory, fadt.x_dsdt);
  tables["FACS"] = ReadBytes(*memory, fadt.firmware_ctrl, sizeof(AcpiFacs));
  return tables;
}

// Calls entry(type, offset) for each entry of a MADT.
template <typename Entry>
void ForEachMadtEntry(const Bytes& madt, Entry entry) {
  for (size_t at = sizeof(AcpiMadt); at < madt.size(); at += madt[at + 1]) {
    ASSERT_GE(madt.at(at + 1), 2);
    entry(madt[at], at);
  }
}

TEST(AcpiTest, TheRsdpLiesWhereAKernelScansForIt) {
  auto memory = Ram();
  const auto rsdp = WriteAcpiTables(*memory, 1);
  ASSERT_TRUE(rsdp.ok());
  EXPECT_EQ(rsdp->value % 16, 0u);
  EXPECT_GE(rsdp->value, 0xe0000u);
}

TEST(AcpiTest, TheRsdtNamesTheSameTablesAsTheXsdt) {
  auto tables = ReadTables(1);
  auto memory = Ram();
  ASSERT_TRUE(WriteAcpiTables(*memory, 1).ok());
  const Bytes rsdt = ReadTable(*memory, As<AcpiRsdp>(tables["RSDP"]).rsdt_address);
  const Bytes& xsdt = tables["XSDT"];
  EXPECT_EQ(std::string(rsdt.begin(), rsdt.begin() + 4), "RSDT");
  EXPECT_EQ(Sum(rsdt), 0);
  ASSERT_EQ((rsdt.size() - sizeof(AcpiHeader)) * 2, xsdt.size() - sizeof(AcpiHeader));
  for (size_t i = 0; sizeof(AcpiHeader) + i * 4 < rsdt.size(); ++i) {
    EXPECT_EQ(As<uint32_t>(rsdt, sizeof(AcpiHeader) + i * 4), As<uint64_t>(xsdt, sizeof(AcpiHeader) + i * 8));
  }
}

TEST(AcpiTest, AllSumsAreZero) {
  for (const auto& [name, bytes] : ReadTables(4)) {
    if (name == "FACS") continue;  // has no checksum
    EXPECT_EQ(Sum(bytes), 0) << name;
  }
  Bytes first_part = ReadTables(4)["RSDP"];
  first_part.resize(20);
  EXPECT_EQ(Sum(first_part), 0);
}

TEST(AcpiTest, EveryTableHasItsSignatureAndRevision) {
  auto tables = ReadTables(1);
  EXPECT_EQ(std::memcmp(tables["RSDP"].data(), "RSD PTR ", 8), 0);
  EXPECT_EQ(As<AcpiRsdp>(tables["RSDP"]).revision, 2);
  for (const auto& [name, revision] : {std::pair{"XSDT", 1}, {"FACP", 6}, {"APIC", 5}, {"DSDT", 2}}) {
    EXPECT_EQ(std::string(tables[name].begin(), tables[name].begin() + 4), name);
    EXPECT_EQ(As<AcpiHeader>(tables[name]).revision, revision) << name;
  }
  EXPECT_EQ(std::memcmp(tables["FACS"].data(), "FACS", 4), 0);
}

TEST(AcpiTest, OneEnabledLocalApicPerProcessor) {
  for (const int cpus : {1, 2, 4, 255}) {
    int local_apics = 0, io_apics = 0;
    auto tables = ReadTables(cpus);
    const Bytes& madt = tables["APIC"];
    ForEachMadtEntry(madt, [&](uint8_t type, size_t at) {
      if (type == 0) {
        const auto apic = As<AcpiMadtLocalApic>(madt, at);
        EXPECT_EQ(apic.apic_id, local_apics);
        EXPECT_EQ(apic.acpi_processor_uid, local_apics);
        EXPECT_EQ(+apic.flags, 1u);
        ++local_apics;
      } else if (type == 1) {
        EXPECT_EQ(As<AcpiMadtIoApic>(madt, at).io_apic_address, 0xfec00000u);
        ++io_apics;
      }
    });
    EXPECT_EQ(local_apics, cpus);
    EXPECT_EQ(io_apics, 1);
    EXPECT_EQ(As<AcpiMadt>(madt).local_interrupt_controller_address, 0xfee00000u);
  }
}

TEST(AcpiTest, TheSciIsLevelActiveHighAndTheTimerStaysWhereKvmHasIt) {
  auto tables = ReadTables(1);
  std::map<int, AcpiMadtInterruptSourceOverride> overrides;
  ForEachMadtEntry(tables["APIC"], [&](uint8_t type, size_t at) {
    if (type != 2) return;
    const auto entry = As<AcpiMadtInterruptSourceOverride>(tables["APIC"], at);
    overrides[entry.source] = entry;
  });
  ASSERT_EQ(overrides.size(), 1u);
  EXPECT_EQ(uint32_t{overrides[9].global_system_interrupt}, 9u);
  EXPECT_EQ(uint16_t{overrides[9].flags}, 0x000d);
}

TEST(AcpiTest, TheFadtNamesTheMachinesPorts) {
  const auto fadt = As<AcpiFadt>(ReadTables(1)["FACP"]);
  EXPECT_EQ(uint16_t{fadt.sci_int}, 9);
  EXPECT_EQ(uint32_t{fadt.pm1a_evt_blk}, 0x600u);
  EXPECT_EQ(uint32_t{fadt.pm1a_cnt_blk}, 0x604u);
  EXPECT_EQ(uint32_t{fadt.pm_tmr_blk}, 0x608u);
  EXPECT_EQ(uint64_t{fadt.x_pm_tmr_blk.address}, 0x608u);
  EXPECT_EQ(uint64_t{fadt.reset_reg.address}, 0xcf9u);
  EXPECT_EQ(fadt.reset_reg.address_space_id, 1);
  EXPECT_EQ(fadt.reset_value, 6);
  EXPECT_TRUE(fadt.flags & kFadtResetRegSup);
  EXPECT_EQ(uint32_t{fadt.smi_cmd}, 0u);
}

TEST(AcpiTest, TheFadtSaysWhatNeedNotBeLookedFor) {
  const auto fadt = As<AcpiFadt>(ReadTables(1)["FACP"]);
  EXPECT_FALSE(fadt.iapc_boot_arch & kIapc8042);
  EXPECT_TRUE(fadt.iapc_boot_arch & kIapcVgaNotPresent);
  EXPECT_FALSE(fadt.iapc_boot_arch & kIapcCmosRtcNotPresent);
  EXPECT_FALSE(fadt.flags & kFadtHwReducedAcpi);
  EXPECT_FALSE(fadt.flags & kFadtPwrButton);  // clear: there is a power button
}

TEST(AcpiTest, ProcessorCountsThatXapicIdsCannotNameAreRefused) {
  auto memory = Ram();
  for (const int cpus : {-1, 0, 256}) {
    const auto rsdp = WriteAcpiTables(*memory, cpus);
    EXPECT_EQ(rsdp.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(rsdp.status().message()), HasSubstr("must be 1 to 255"));
  }
}

TEST(AcpiTest, MemoryWithoutThePlaceForTablesIsAnError) {
  const GuestRange range{GuestAddr{0}, kAcpiTables.value};
  auto memory = *GuestMemory::Create(std::span(&range, 1));
  const auto rsdp = WriteAcpiTables(*memory, 1);
  EXPECT_EQ(rsdp.status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(rsdp.status().message()), HasSubstr("ACPI: write"));
}

// Has iasl disassemble the tables, as a second opinion on layout and lengths.
class IaslTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("iasl -v > /dev/null 2>&1") != 0) GTEST_SKIP() << "no iasl on this machine";
  }

  std::string Disassemble(const std::string& name, const Bytes& table) {
    const std::string path = ::testing::TempDir() + "/" + name;
    std::ofstream(path + ".dat", std::ios::binary)
        .write(reinterpret_cast<const char*>(table.data()), static_cast<std::streamsize>(table.size()));
    const std::string command = "cd " + ::testing::TempDir() + " && iasl -d " + name + ".dat > " + path + ".log 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0);
    EXPECT_THAT(ReadFile(path + ".log"), ::testing::Not(HasSubstr("Error")));
    EXPECT_THAT(ReadFile(path + ".log"), ::testing::Not(HasSubstr("Warning")));
    return ReadFile(path + ".dsl");
  }

  static std::string ReadFile(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
};

TEST_F(IaslTest, ReadsTheFixedTablesWithoutAComplaint) {
  auto tables = ReadTables(3);
  EXPECT_THAT(Disassemble("facp", tables["FACP"]), HasSubstr("Reset Register Supported (V2) : 1"));
  EXPECT_THAT(Disassemble("apic", tables["APIC"]), HasSubstr("Local Apic ID : 02"));
  EXPECT_THAT(Disassemble("xsdt", tables["XSDT"]), HasSubstr("ACPI Table Address"));
}

TEST_F(IaslTest, ReadsTheDevicesInTheDsdt) {
  const std::string text = Disassemble("dsdt", ReadTables(1)["DSDT"]);
  for (const char* words :
       {"\"QEMU0001\"", "0x0505,", "EisaId (\"PNP0501\")", "0x03F8,", "EisaId (\"PNP0B00\")", "_S5"}) {
    EXPECT_THAT(text, HasSubstr(words));
  }
  EXPECT_THAT(text, ::testing::Not(HasSubstr("PNP0A03")));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("PNP0303")));
}

}  // namespace
}  // namespace vmm
