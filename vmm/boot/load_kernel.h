// A kernel file becomes guest RAM and the registers that vCPU 0 starts with.
//
//   bzImage, direct    its payload is decompressed, placed and relocated here (auto, direct)
//   bzImage, classic   it is placed as it is and decompresses itself (auto, classic)
//   vmlinux ELF        its PT_LOADs go to their p_paddr
//
// Each of them may be compressed as a whole, and may be the kernel of a UKI (kernel_file.h).
// docs/abi/bzimage.md tells what is read of a bzImage and what is refused.
#ifndef VMM_BOOT_LOAD_KERNEL_H_
#define VMM_BOOT_LOAD_KERNEL_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "base/guest_memory.h"
#include "dump/snapshot/cpu_state.h"
#include "vmm/boot/abi/bzimage_abi.h"
#include "vmm/boot/kaslr.h"

namespace vmm {

enum class BootMode {
  kAuto,  // direct where the payload is understood, else classic
  kDirect,
  kClassic,
};

struct BootConfig {
  std::string kernel_path;
  std::string initrd_path;   // empty: that of a UKI, else none
  std::string command_line;  // empty: that of a UKI, else none
  BootMode mode = BootMode::kAuto;
  Kaslr kaslr;                // "nokaslr" on the command line turns it off
  bool cpu_has_la57 = false;  // the guest's CPUID
  GuestAddr acpi_rsdp;        // of tables already written; 0: none
};

struct LoadedKernel {
  CpuState entry;                      // vCPU 0, complete
  bool direct = false;                 // decompressed and placed by us
  bool is_elf = false;                 // a plain vmlinux, not a bzImage
  uint64_t physical_base = 0;          // where the image starts in guest RAM
  uint64_t image_size = 0;             // bytes of RAM from there that are the image's
  uint64_t virtual_base = 0;           // where its first byte will run; 0 in classic, where the image decides
  uint64_t kaslr_shift = 0;            // virtual, direct only: in classic the image draws its own
  std::optional<uint64_t> kaslr_seed;  // with which --kaslr= gives the same places again; none where it drew none
  bool five_level = false;             // entered on 5-level page tables
  std::string version;                 // the header's kernel_version string, printable and bounded; may be empty
};

// A kernel and its initrd in guest RAM, and what the boot structures must say of them.
struct PlacedKernel {
  LoadedKernel loaded;  // all but `entry` and `five_level`
  SetupHeader header;
  GuestRange place;
  GuestAddr entry;
  GuestRange initrd;
  std::string command_line;
  bool kaslr = false;
  bool takes_five_level = false;  // may be entered on 5-level page tables
};

// The part of LoadKernel() that reads the files, and so finds all that can be wrong with them. It
// does not look at cpu_has_la57 and acpi_rsdp, which only a machine has: a caller can say what is
// wrong with an image before it asks for a machine.
absl::StatusOr<PlacedKernel> PlaceKernel(const BootConfig& config, GuestMemory& memory);

// The other part: writes what the kernel finds on its way in. Of `config` it reads those two.
absl::StatusOr<LoadedKernel> EnterKernel(const BootConfig& config, const PlacedKernel& placed, GuestMemory& memory);

// Loads into `memory`, which must never have been written but by the ACPI tables: what the
// image calls zeros is not written again. Errors name the file, the field, its value and the
// limit; guest RAM is unspecified then.
absl::StatusOr<LoadedKernel> LoadKernel(const BootConfig& config, GuestMemory& memory);

}  // namespace vmm

#endif  // VMM_BOOT_LOAD_KERNEL_H_
