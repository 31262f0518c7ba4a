// ACPI tables, laid out as in guest memory. Source: ACPI Specification 6.4, chapter 5. Field names are the
// specification's. All numbers are little endian, and there is no padding.
#ifndef VMM_BOOT_ABI_ACPI_ABI_H_
#define VMM_BOOT_ABI_ACPI_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

// 5.2.5.3 Root System Description Pointer. It lies on a 16-byte boundary.
struct [[gnu::packed]] AcpiRsdp {
  char signature[8];  // "RSD PTR "
  uint8_t checksum;   // of the first 20 bytes
  char oem_id[6];
  uint8_t revision;       // 2
  uint32_t rsdt_address;  // 0: there is only an XSDT
  uint32_t length;
  uint64_t xsdt_address;
  uint8_t extended_checksum;  // of all bytes
  uint8_t reserved[3];
};
static_assert(sizeof(AcpiRsdp) == 36);
static_assert(offsetof(AcpiRsdp, xsdt_address) == 24);
inline constexpr size_t kAcpiRsdpFirstPart = 20;

// 5.2.6 System Description Table Header.
struct [[gnu::packed]] AcpiHeader {
  char signature[4];
  uint32_t length;   // of the table, this header included
  uint8_t revision;  // of the table's layout
  uint8_t checksum;  // makes the sum of all bytes 0
  char oem_id[6];
  char oem_table_id[8];
  uint32_t oem_revision;
  char creator_id[4];
  uint32_t creator_revision;
};
static_assert(sizeof(AcpiHeader) == 36);

// 5.2.3.2 Generic Address Structure.
struct [[gnu::packed]] AcpiGas {
  uint8_t address_space_id;
  uint8_t register_bit_width;
  uint8_t register_bit_offset;
  uint8_t access_size;
  uint64_t address;
};
static_assert(sizeof(AcpiGas) == 12);
inline constexpr uint8_t kAcpiSystemIo = 1;
inline constexpr uint8_t kAcpiByteAccess = 1;
inline constexpr uint8_t kAcpiWordAccess = 2;
inline constexpr uint8_t kAcpiDwordAccess = 3;

// 5.2.9 Fixed ACPI Description Table, revision 6.
struct [[gnu::packed]] AcpiFadt {
  AcpiHeader header;  // "FACP"
  uint32_t firmware_ctrl;
  uint32_t dsdt;
  uint8_t reserved1;
  uint8_t preferred_pm_profile;
  uint16_t sci_int;
  uint32_t smi_cmd;  // 0: always in ACPI mode
  uint8_t acpi_enable;
  uint8_t acpi_disable;
  uint8_t s4bios_req;
  uint8_t pstate_cnt;
  uint32_t pm1a_evt_blk;
  uint32_t pm1b_evt_blk;
  uint32_t pm1a_cnt_blk;
  uint32_t pm1b_cnt_blk;
  uint32_t pm2_cnt_blk;
  uint32_t pm_tmr_blk;
  uint32_t gpe0_blk;
  uint32_t gpe1_blk;
  uint8_t pm1_evt_len;
  uint8_t pm1_cnt_len;
  uint8_t pm2_cnt_len;
  uint8_t pm_tmr_len;
  uint8_t gpe0_blk_len;
  uint8_t gpe1_blk_len;
  uint8_t gpe1_base;
  uint8_t cst_cnt;
  uint16_t p_lvl2_lat;
  uint16_t p_lvl3_lat;
  uint16_t flush_size;
  uint16_t flush_stride;
  uint8_t duty_offset;
  uint8_t duty_width;
  uint8_t day_alrm;
  uint8_t mon_alrm;
  uint8_t century;  // CMOS index
  uint16_t iapc_boot_arch;
  uint8_t reserved2;
  uint32_t flags;
  AcpiGas reset_reg;
  uint8_t reset_value;
  uint16_t arm_boot_arch;
  uint8_t fadt_minor_version;
  uint64_t x_firmware_ctrl;
  uint64_t x_dsdt;
  AcpiGas x_pm1a_evt_blk;
  AcpiGas x_pm1b_evt_blk;
  AcpiGas x_pm1a_cnt_blk;
  AcpiGas x_pm1b_cnt_blk;
  AcpiGas x_pm2_cnt_blk;
  AcpiGas x_pm_tmr_blk;
  AcpiGas x_gpe0_blk;
  AcpiGas x_gpe1_blk;
  AcpiGas sleep_control_reg;
  AcpiGas sleep_status_reg;
  char hypervisor_vendor_identity[8];
};
static_assert(sizeof(AcpiFadt) == 276);
static_assert(offsetof(AcpiFadt, pm1a_evt_blk) == 56);
static_assert(offsetof(AcpiFadt, century) == 108);
static_assert(offsetof(AcpiFadt, iapc_boot_arch) == 109);
static_assert(offsetof(AcpiFadt, flags) == 112);
static_assert(offsetof(AcpiFadt, reset_reg) == 116);
static_assert(offsetof(AcpiFadt, x_dsdt) == 140);
static_assert(offsetof(AcpiFadt, x_pm_tmr_blk) == 208);

// Table 5.10 Fixed ACPI Description Table Fixed Feature Flags.
inline constexpr uint32_t kFadtWbinvd = 1u << 0;
inline constexpr uint32_t kFadtProcC1 = 1u << 2;
inline constexpr uint32_t kFadtPwrButton = 1u << 4;  // set: there is NO fixed power button
inline constexpr uint32_t kFadtSlpButton = 1u << 5;  // set: there is NO fixed sleep button
inline constexpr uint32_t kFadtFixRtc = 1u << 6;     // set: the RTC does NOT wake through PM1
inline constexpr uint32_t kFadtTmrValExt = 1u << 8;  // the PM timer has 32 bits
inline constexpr uint32_t kFadtResetRegSup = 1u << 10;
inline constexpr uint32_t kFadtHeadless = 1u << 12;
inline constexpr uint32_t kFadtHwReducedAcpi = 1u << 20;

// Table 5.11 Fixed ACPI Description Table Boot IA-PC Boot Architecture Flags.
inline constexpr uint16_t kIapcLegacyDevices = 1 << 0;
inline constexpr uint16_t kIapc8042 = 1 << 1;
inline constexpr uint16_t kIapcVgaNotPresent = 1 << 2;
inline constexpr uint16_t kIapcCmosRtcNotPresent = 1 << 5;

// 5.2.10 Firmware ACPI Control Structure. It lies on a 64-byte boundary and has no checksum.
struct [[gnu::packed]] AcpiFacs {
  char signature[4];  // "FACS"
  uint32_t length;
  uint32_t hardware_signature;
  uint32_t firmware_waking_vector;
  uint32_t global_lock;
  uint32_t flags;
  uint64_t x_firmware_waking_vector;
  uint8_t version;
  uint8_t reserved1[3];
  uint32_t ospm_flags;
  uint8_t reserved2[24];
};
static_assert(sizeof(AcpiFacs) == 64);

// 5.2.12 Multiple APIC Description Table: this, then entries.
struct [[gnu::packed]] AcpiMadt {
  AcpiHeader header;  // "APIC"
  uint32_t local_interrupt_controller_address;
  uint32_t flags;
};
static_assert(sizeof(AcpiMadt) == 44);
inline constexpr uint32_t kMadtPcatCompat = 1 << 0;  // there are two 8259s too

struct [[gnu::packed]] AcpiMadtLocalApic {  // 5.2.12.2
  uint8_t type;                             // 0
  uint8_t length;
  uint8_t acpi_processor_uid;
  uint8_t apic_id;
  uint32_t flags;
};
static_assert(sizeof(AcpiMadtLocalApic) == 8);
inline constexpr uint32_t kMadtLocalApicEnabled = 1 << 0;

struct [[gnu::packed]] AcpiMadtIoApic {  // 5.2.12.3
  uint8_t type;                          // 1
  uint8_t length;
  uint8_t io_apic_id;
  uint8_t reserved;
  uint32_t io_apic_address;
  uint32_t global_system_interrupt_base;
};
static_assert(sizeof(AcpiMadtIoApic) == 12);

struct [[gnu::packed]] AcpiMadtInterruptSourceOverride {  // 5.2.12.5
  uint8_t type;                                           // 2
  uint8_t length;
  uint8_t bus;  // 0: ISA
  uint8_t source;
  uint32_t global_system_interrupt;
  uint16_t flags;
};
static_assert(sizeof(AcpiMadtInterruptSourceOverride) == 10);
inline constexpr uint16_t kMpsIntiActiveHigh = 1 << 0;  // table 5.25; 0: conforms to the bus's specification
inline constexpr uint16_t kMpsIntiLevel = 3 << 2;

struct [[gnu::packed]] AcpiMadtLocalApicNmi {  // 5.2.12.7
  uint8_t type;                                // 4
  uint8_t length;
  uint8_t acpi_processor_uid;  // 0xff: all
  uint16_t flags;
  uint8_t local_apic_lint;
};
static_assert(sizeof(AcpiMadtLocalApicNmi) == 6);

}  // namespace vmm

#endif  // VMM_BOOT_ABI_ACPI_ABI_H_
