#include "vmm/boot/acpi.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status.h"
#include "vmm/boot/abi/acpi_abi.h"
#include "vmm/boot/dsdt_aml.h"
#include "vmm/boot/virtio_aml.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

constexpr uint8_t kCenturyIndex = 0x32;  // Cmos::kCentury
constexpr uint8_t kResetValue = 0x06;    // ResetControl::kSysRst | kRstCpu

// Writes a name into a field of fixed width. Such a field has no terminating NUL.
template <size_t N>
void SetName(char (&field)[N], std::string_view name) {
  std::memset(field, ' ', N);
  std::memcpy(field, name.data(), std::min(N, name.size()));
}

// Returns the byte that makes the sum of `bytes` a multiple of 256. The place of that byte in `bytes` must hold 0.
uint8_t Checksum(std::span<const uint8_t> bytes) {
  uint8_t sum = 0;
  for (uint8_t byte : bytes) sum += byte;
  return static_cast<uint8_t>(-sum);
}

template <typename T>
void Append(std::vector<uint8_t>& table, const T& object) {
  const std::span<const uint8_t> bytes = BytesOf(object);
  table.insert(table.end(), bytes.begin(), bytes.end());
}

AcpiHeader Header(std::string_view signature, uint8_t revision) {
  AcpiHeader header = {};
  SetName(header.signature, signature);
  header.revision = revision;
  SetName(header.oem_id, "VMM");
  SetName(header.oem_table_id, "VMM");
  header.oem_revision = 1;
  SetName(header.creator_id, "VMM");
  header.creator_revision = 1;
  return header;
}

// Fills in the length and checksum of a table that begins with an AcpiHeader.
void Finish(std::vector<uint8_t>& table) {
  const uint32_t length = static_cast<uint32_t>(table.size());
  std::memcpy(table.data() + offsetof(AcpiHeader, length), &length, sizeof(length));
  table[offsetof(AcpiHeader, checksum)] = 0;
  table[offsetof(AcpiHeader, checksum)] = Checksum(table);
}

// Writes tables into their area, one after the other.
class TableArea {
 public:
  explicit TableArea(GuestMemory& memory) : memory_(memory) {}

  // Writes `table` and returns its address. This is a multiple of 64, because the strictest table needs that.
  absl::StatusOr<GuestAddr> Add(std::string_view name, std::span<const uint8_t> table) {
    if (table.size() > kAcpiTablesSize - used_) {
      return absl::ResourceExhaustedError(absl::StrFormat("ACPI: %s of %d bytes does not fit: %d of %d bytes used",
                                                          name, table.size(), used_, kAcpiTablesSize));
    }
    const GuestAddr addr{kAcpiTables.value + used_};
    RETURN_IF_ERROR(Annotate(memory_.Write(addr, table), absl::StrFormat("ACPI: write %s", name)));
    used_ = std::min(AlignUp(used_ + table.size(), 64), kAcpiTablesSize);
    return addr;
  }

 private:
  GuestMemory& memory_;
  uint64_t used_ = AlignUp(sizeof(AcpiRsdp), 64);  // the RSDP is written last, at the start
};

AcpiFacs Facs() {
  AcpiFacs facs = {};
  SetName(facs.signature, "FACS");
  facs.length = sizeof(facs);
  facs.version = 2;
  return facs;
}

AcpiGas Ports(uint16_t port, uint8_t bytes, uint8_t access) {
  return {.address_space_id = kAcpiSystemIo,
          .register_bit_width = static_cast<uint8_t>(bytes * 8),
          .register_bit_offset = 0,
          .access_size = access,
          .address = port};
}

std::vector<uint8_t> Fadt(GuestAddr facs, GuestAddr dsdt) {
  AcpiFadt fadt = {};
  fadt.header = Header("FACP", 6);
  fadt.firmware_ctrl = static_cast<uint32_t>(facs.value);
  fadt.dsdt = static_cast<uint32_t>(dsdt.value);
  fadt.x_dsdt = dsdt.value;
  fadt.sci_int = kAcpiSci;

  // Each register block is given twice: in the 32-bit form and in the form that replaced it.
  fadt.pm1_evt_len = 4;
  fadt.pm1a_evt_blk = kAcpiPm1EventPort;
  fadt.x_pm1a_evt_blk = Ports(kAcpiPm1EventPort, 4, kAcpiWordAccess);
  fadt.pm1_cnt_len = 2;
  fadt.pm1a_cnt_blk = kAcpiPm1ControlPort;
  fadt.x_pm1a_cnt_blk = Ports(kAcpiPm1ControlPort, 2, kAcpiWordAccess);
  fadt.pm_tmr_len = 4;
  fadt.pm_tmr_blk = kAcpiPmTimerPort;
  fadt.x_pm_tmr_blk = Ports(kAcpiPmTimerPort, 4, kAcpiDwordAccess);

  fadt.p_lvl2_lat = 0xfff;  // more than 100 us means no C2, more than 1000 us means no C3
  fadt.p_lvl3_lat = 0xfff;
  fadt.century = kCenturyIndex;
  fadt.reset_reg = Ports(kResetPort, 1, kAcpiByteAccess);
  fadt.reset_value = kResetValue;

  // kIapc8042 is not set, so that Linux does not look for a keyboard controller at all.
  fadt.iapc_boot_arch = kIapcLegacyDevices | kIapcVgaNotPresent;
  // Not hardware-reduced, because there are a PIC, a PIT and an RTC. There is a power button, but no sleep button.
  fadt.flags =
      kFadtWbinvd | kFadtProcC1 | kFadtSlpButton | kFadtFixRtc | kFadtTmrValExt | kFadtResetRegSup | kFadtHeadless;

  std::vector<uint8_t> table;
  Append(table, fadt);
  Finish(table);
  return table;
}

std::vector<uint8_t> Madt(int cpus) {
  std::vector<uint8_t> table;
  Append(table, AcpiMadt{.header = Header("APIC", 5),
                         .local_interrupt_controller_address = static_cast<uint32_t>(kLapicBase),
                         .flags = kMadtPcatCompat});
  for (int cpu = 0; cpu < cpus; ++cpu) {
    Append(table, AcpiMadtLocalApic{.type = 0,
                                    .length = sizeof(AcpiMadtLocalApic),
                                    .acpi_processor_uid = static_cast<uint8_t>(cpu),
                                    .apic_id = static_cast<uint8_t>(cpu),
                                    .flags = kMadtLocalApicEnabled});
  }
  // KVM's IOAPIC has 0 in its id register after reset.
  Append(table, AcpiMadtIoApic{.type = 1,
                               .length = sizeof(AcpiMadtIoApic),
                               .io_apic_id = 0,
                               .io_apic_address = static_cast<uint32_t>(kIoapicBase),
                               .global_system_interrupt_base = 0});
  // There is no override for the timer: KVM's routing has the PIT on GSI 0. A PC has it on GSI 2.
  Append(table, AcpiMadtInterruptSourceOverride{.type = 2,
                                                .length = sizeof(AcpiMadtInterruptSourceOverride),
                                                .bus = 0,
                                                .source = kAcpiSci,
                                                .global_system_interrupt = kAcpiSci,
                                                .flags = kMpsIntiActiveHigh | kMpsIntiLevel});
  Append(table, AcpiMadtLocalApicNmi{.type = 4,
                                     .length = sizeof(AcpiMadtLocalApicNmi),
                                     .acpi_processor_uid = 0xff,
                                     .flags = 0,
                                     .local_apic_lint = 1});
  Finish(table);
  return table;
}

std::vector<uint8_t> Ssdt(int virtio_devices) {
  std::vector<uint8_t> table;
  Append(table, Header("SSDT", 2));
  const std::vector<uint8_t> aml = VirtioDevicesAml(virtio_devices);
  table.insert(table.end(), aml.begin(), aml.end());
  Finish(table);
  return table;
}

std::vector<uint8_t> Xsdt(std::span<const GuestAddr> tables) {
  std::vector<uint8_t> table;
  Append(table, Header("XSDT", 1));
  for (const GuestAddr addr : tables) Append(table, addr.value);
  Finish(table);
  return table;
}

// The form of the XSDT from before ACPI 2.0. Linux and Xen pass it over; small kernels know no other.
std::vector<uint8_t> Rsdt(std::span<const GuestAddr> tables) {
  std::vector<uint8_t> table;
  Append(table, Header("RSDT", 1));
  for (const GuestAddr addr : tables) Append(table, static_cast<uint32_t>(addr.value));
  Finish(table);
  return table;
}

AcpiRsdp Rsdp(GuestAddr rsdt, GuestAddr xsdt) {
  AcpiRsdp rsdp = {};
  SetName(rsdp.signature, "RSD PTR ");
  SetName(rsdp.oem_id, "VMM");
  rsdp.revision = 2;
  rsdp.rsdt_address = static_cast<uint32_t>(rsdt.value);
  rsdp.length = sizeof(rsdp);
  rsdp.xsdt_address = xsdt.value;
  rsdp.checksum = Checksum(BytesOf(rsdp).first(kAcpiRsdpFirstPart));
  rsdp.extended_checksum = Checksum(BytesOf(rsdp));
  return rsdp;
}

}  // namespace

absl::StatusOr<GuestAddr> WriteAcpiTables(GuestMemory& memory, int cpus, int virtio_devices) {
  if (cpus < 1 || cpus > kAcpiMaxCpus) {
    return absl::InvalidArgumentError(absl::StrFormat("ACPI: %d processors; must be 1 to %d", cpus, kAcpiMaxCpus));
  }
  TableArea area(memory);
  const AcpiFacs facs_table = Facs();
  ASSIGN_OR_RETURN(const GuestAddr facs, area.Add("FACS", BytesOf(facs_table)));
  ASSIGN_OR_RETURN(const GuestAddr dsdt, area.Add("DSDT", kDsdtAml));
  ASSIGN_OR_RETURN(const GuestAddr fadt, area.Add("FADT", Fadt(facs, dsdt)));
  ASSIGN_OR_RETURN(const GuestAddr madt, area.Add("MADT", Madt(cpus)));
  std::vector<GuestAddr> tables = {fadt, madt};
  if (virtio_devices > 0) {
    ASSIGN_OR_RETURN(const GuestAddr ssdt, area.Add("SSDT", Ssdt(virtio_devices)));
    tables.push_back(ssdt);
  }
  ASSIGN_OR_RETURN(const GuestAddr xsdt, area.Add("XSDT", Xsdt(tables)));
  ASSIGN_OR_RETURN(const GuestAddr rsdt, area.Add("RSDT", Rsdt(tables)));
  RETURN_IF_ERROR(Annotate(memory.WriteObject(kAcpiTables, Rsdp(rsdt, xsdt)), "ACPI: write RSDP"));
  return kAcpiTables;
}

}  // namespace vmm
