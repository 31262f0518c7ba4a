// SMBIOS tables. Source: DMTF DSP0134, "System Management BIOS Reference Specification", version 2.8. Field names are
// the specification's.
#ifndef VMM_BOOT_ABI_SMBIOS_ABI_H_
#define VMM_BOOT_ABI_SMBIOS_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

// 5.2.1: the 32-bit entry point. It lies on a 16-byte boundary from 0xf0000 to 0xfffff.
struct __attribute__((packed)) SmbiosEntryPoint {
  char anchor[4];  // "_SM_"
  uint8_t checksum;
  uint8_t length;
  uint8_t major_version;
  uint8_t minor_version;
  uint16_t maximum_structure_size;
  uint8_t entry_point_revision;
  uint8_t formatted_area[5];
  char intermediate_anchor[5];  // "_DMI_"
  uint8_t intermediate_checksum;
  uint16_t structure_table_length;
  uint32_t structure_table_address;
  uint16_t number_of_structures;
  uint8_t bcd_revision;
};
static_assert(sizeof(SmbiosEntryPoint) == 0x1f);
static_assert(offsetof(SmbiosEntryPoint, intermediate_anchor) == 0x10);

// 6.1.2. A structure's strings follow its formatted part. Each string ends with a NUL, and one more NUL ends the list.
// A field that names a string holds the string's number, from 1. 0: no string.
struct __attribute__((packed)) SmbiosHeader {
  uint8_t type;
  uint8_t length;  // of the formatted part
  uint16_t handle;
};
static_assert(sizeof(SmbiosHeader) == 4);

// 7.1
struct __attribute__((packed)) SmbiosBiosInformation {
  SmbiosHeader header;
  uint8_t vendor;
  uint8_t bios_version;
  uint16_t bios_starting_address_segment;
  uint8_t bios_release_date;
  uint8_t bios_rom_size;
  uint64_t bios_characteristics;
  uint8_t bios_characteristics_extension[2];
  uint8_t system_bios_major_release;
  uint8_t system_bios_minor_release;
  uint8_t embedded_controller_major_release;
  uint8_t embedded_controller_minor_release;
};
static_assert(sizeof(SmbiosBiosInformation) == 0x18);
inline constexpr uint64_t kSmbiosNoBiosCharacteristics = 1 << 3;
inline constexpr uint8_t kSmbiosIsVirtualMachine = 1 << 4;  // extension byte 2

// 7.2
struct __attribute__((packed)) SmbiosSystemInformation {
  SmbiosHeader header;
  uint8_t manufacturer;
  uint8_t product_name;
  uint8_t version;
  uint8_t serial_number;
  uint8_t uuid[16];  // the first three fields little endian
  uint8_t wake_up_type;
  uint8_t sku_number;
  uint8_t family;
};
static_assert(sizeof(SmbiosSystemInformation) == 0x1b);
inline constexpr uint8_t kSmbiosWakeUpPowerSwitch = 6;

// 7.4
struct __attribute__((packed)) SmbiosEnclosure {
  SmbiosHeader header;
  uint8_t manufacturer;
  uint8_t type;
  uint8_t version;
  uint8_t serial_number;
  uint8_t asset_tag_number;
  uint8_t boot_up_state;
  uint8_t power_supply_state;
  uint8_t thermal_state;
  uint8_t security_status;
  uint32_t oem_defined;
  uint8_t height;
  uint8_t number_of_power_cords;
  uint8_t contained_element_count;
  uint8_t contained_element_record_length;
  uint8_t sku_number;
};
static_assert(sizeof(SmbiosEnclosure) == 0x16);
inline constexpr uint8_t kSmbiosEnclosureOther = 1;
inline constexpr uint8_t kSmbiosStateUnknown = 2;

inline constexpr uint8_t kSmbiosTypeBios = 0;
inline constexpr uint8_t kSmbiosTypeSystem = 1;
inline constexpr uint8_t kSmbiosTypeEnclosure = 3;
inline constexpr uint8_t kSmbiosTypeEnd = 127;  // 7.45

}  // namespace vmm

#endif  // VMM_BOOT_ABI_SMBIOS_ABI_H_
