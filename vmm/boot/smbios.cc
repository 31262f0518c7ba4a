#include "vmm/boot/smbios.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status.h"
#include "vmm/boot/abi/smbios_abi.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

constexpr std::string_view kVendor = "VMware, Inc.";

template <size_t N>
void SetName(char (&field)[N], std::string_view name) {
  std::memcpy(field, name.data(), N);
}

uint8_t Checksum(std::span<const uint8_t> bytes) {
  uint8_t sum = 0;
  for (uint8_t byte : bytes) sum += byte;
  return static_cast<uint8_t>(-sum);
}

// The structures, one after the other, and the numbers that the entry point gives about them.
class Table {
 public:
  // Adds `object`, which begins with its SmbiosHeader. Fills in the header's length and handle.
  template <typename T>
  void Add(T object, std::span<const std::string> strings) {
    SmbiosHeader header;
    std::memcpy(&header, &object, sizeof(header));
    header.length = sizeof(T);
    header.handle = count_++;
    std::memcpy(&object, &header, sizeof(header));
    const size_t start = bytes_.size();
    const auto formatted = BytesOf(object);
    bytes_.insert(bytes_.end(), formatted.begin(), formatted.end());
    for (const std::string& text : strings) bytes_.insert(bytes_.end(), text.c_str(), text.c_str() + text.size() + 1);
    if (strings.empty()) bytes_.push_back(0);
    bytes_.push_back(0);
    largest_ = std::max(largest_, bytes_.size() - start);
  }

  const std::vector<uint8_t>& bytes() const { return bytes_; }
  uint16_t count() const { return count_; }
  size_t largest() const { return largest_; }

 private:
  std::vector<uint8_t> bytes_;
  uint16_t count_ = 0;
  size_t largest_ = 0;
};

// The serial number in VMware's format: "VMware-56 4d 12 34 56 78 9a bc-de f0 ...". Linux recognizes VMware by it if
// CPUID names no hypervisor.
std::string SerialNumber(const Uuid& uuid) {
  std::string text = "VMware-";
  for (size_t i = 0; i < uuid.size(); ++i) {
    if (i > 0) text += i == 8 ? '-' : ' ';
    text += absl::StrFormat("%02x", uuid[i]);
  }
  return text;
}

Table MakeTable(const Uuid& uuid) {
  Table table;
  table.Add(SmbiosBiosInformation{.header = {.type = kSmbiosTypeBios},
                                  .vendor = 1,
                                  .bios_version = 2,
                                  .bios_starting_address_segment = 0xf000,
                                  .bios_release_date = 3,
                                  .bios_characteristics = kSmbiosNoBiosCharacteristics,
                                  .bios_characteristics_extension = {0, kSmbiosIsVirtualMachine},
                                  .embedded_controller_major_release = 0xff,
                                  .embedded_controller_minor_release = 0xff},
            std::vector<std::string>{"vmm", "0.1", "01/01/2026"});

  SmbiosSystemInformation system = {.header = {.type = kSmbiosTypeSystem},
                                    .manufacturer = 1,
                                    .product_name = 2,
                                    .version = 3,
                                    .serial_number = 4,
                                    .wake_up_type = kSmbiosWakeUpPowerSwitch};
  // time_low, time_mid and time_hi_and_version are numbers, so their bytes are reversed.
  constexpr std::array<uint8_t, 16> kFrom = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
  for (size_t i = 0; i < uuid.size(); ++i) system.uuid[i] = uuid[kFrom[i]];
  table.Add(system,
            std::vector<std::string>{std::string(kVendor), "VMware Virtual Platform", "None", SerialNumber(uuid)});

  table.Add(SmbiosEnclosure{.header = {.type = kSmbiosTypeEnclosure},
                            .manufacturer = 1,
                            .type = kSmbiosEnclosureOther,
                            .boot_up_state = kSmbiosStateUnknown,
                            .power_supply_state = kSmbiosStateUnknown,
                            .thermal_state = kSmbiosStateUnknown,
                            .security_status = kSmbiosStateUnknown},
            std::vector<std::string>{std::string(kVendor)});
  table.Add(SmbiosHeader{.type = kSmbiosTypeEnd}, {});
  return table;
}

}  // namespace

std::string UuidText(const Uuid& uuid) {
  std::string text;
  for (size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += absl::StrFormat("%02x", uuid[i]);
  }
  return text;
}

absl::Status WriteVmwareSmbios(GuestMemory& memory, const Uuid& uuid) {
  const Table table = MakeTable(uuid);
  const GuestAddr structures{kSmbiosTables.value + AlignUp(sizeof(SmbiosEntryPoint), 16)};

  SmbiosEntryPoint entry = {.length = sizeof(SmbiosEntryPoint),
                            .major_version = 2,
                            .minor_version = 8,
                            .maximum_structure_size = static_cast<uint16_t>(table.largest()),
                            .structure_table_length = static_cast<uint16_t>(table.bytes().size()),
                            .structure_table_address = static_cast<uint32_t>(structures.value),
                            .number_of_structures = table.count(),
                            .bcd_revision = 0x28};
  SetName(entry.anchor, "_SM_");
  SetName(entry.intermediate_anchor, "_DMI_");
  entry.intermediate_checksum = Checksum(BytesOf(entry).subspan(offsetof(SmbiosEntryPoint, intermediate_anchor)));
  entry.checksum = Checksum(BytesOf(entry));

  RETURN_IF_ERROR(Annotate(memory.Write(structures, table.bytes()), "SMBIOS: write structures"));
  return Annotate(memory.WriteObject(kSmbiosTables, entry), "SMBIOS: write entry point");
}

}  // namespace vmm
