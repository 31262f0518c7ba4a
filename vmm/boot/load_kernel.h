// Loads a kernel file into guest RAM and computes the registers that vCPU 0 starts with.
//
//   bzImage, direct    we decompress, place and relocate its payload (auto, direct)
//   bzImage, classic   we place it as it is, and it decompresses itself (auto, classic)
//   vmlinux ELF        its PT_LOADs go to their p_paddr
//   multiboot 1        entered in 32-bit mode, with modules (multiboot_kernel.h): Xen, kvm-unit-tests
//
// Each of them may be compressed as a whole, and may be the kernel of a UKI (kernel_file.h). docs/abi/bzimage.md says
// what is read from a bzImage and what is refused, docs/abi/multiboot.md the same of a multiboot image.
#ifndef VMM_BOOT_LOAD_KERNEL_H_
#define VMM_BOOT_LOAD_KERNEL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/guest_addr.h"
#include "base/guest_memory.h"
#include "dump/snapshot/cpu_state.h"
#include "vmm/boot/abi/bzimage_abi.h"
#include "vmm/boot/image_bytes.h"
#include "vmm/boot/kaslr.h"
#include "vmm/boot/multiboot_info.h"

namespace vmm {

enum class BootMode {
  kAuto,  // direct if the payload is understood, else classic
  kDirect,
  kClassic,
};

struct BootConfig {
  std::string kernel_path;
  std::string initrd_path;           // empty: the UKI's, else none
  std::optional<ImageBytes> initrd;  // in place of a file's, if there is one
  std::string command_line;          // empty: the UKI's, else none
  std::vector<std::string> modules;  // "FILE ARGS" each; for a multiboot kernel only
  BootMode mode = BootMode::kAuto;
  Kaslr kaslr;                // "nokaslr" on the command line turns KASLR off
  bool cpu_has_la57 = false;  // true if the guest's CPUID has LA57
  GuestAddr acpi_rsdp;        // RSDP of ACPI tables already written; 0: none
};

struct LoadedKernel {
  CpuState entry;                      // the complete state of vCPU 0
  bool direct = false;                 // true if we decompressed and placed the kernel
  bool is_elf = false;                 // true: a plain vmlinux; false: a bzImage or a multiboot kernel
  bool is_multiboot = false;           // true: entered in 32-bit mode, as multiboot 1 says
  uint64_t physical_base = 0;          // where the image starts in guest RAM
  uint64_t image_size = 0;             // bytes of RAM from there that belong to the image
  uint64_t virtual_base = 0;           // virtual address of its first byte; 0 in classic, because the image decides
  uint64_t kaslr_shift = 0;            // virtual, direct only: in classic the image draws its own
  std::optional<uint64_t> kaslr_seed;  // --kaslr= with it gives the same places again; none if nothing was drawn
  bool five_level = false;             // true if entered on 5-level page tables
  std::string version;                 // the header's kernel_version string, printable and bounded; may be empty
};

// A kernel and its initrd in guest RAM, and what the boot structures must say about them.
struct PlacedKernel {
  LoadedKernel loaded;  // complete except for `entry` and `five_level`
  SetupHeader header;
  GuestRange place;
  GuestAddr entry;
  GuestRange initrd;
  std::string command_line;
  bool kaslr = false;
  bool takes_five_level = false;      // true if it may be entered on 5-level page tables
  std::vector<PlacedModule> modules;  // of a multiboot kernel
};

// The first part of LoadKernel(). It reads the files and so finds everything that can be wrong with them. It does not
// read cpu_has_la57 and acpi_rsdp, which are known only once there is a machine. So a caller can report a bad image
// before it creates a machine.
absl::StatusOr<PlacedKernel> PlaceKernel(const BootConfig& config, GuestMemory& memory);

// The second part of LoadKernel(). Writes the structures that the kernel reads on its way in. From `config` it reads
// cpu_has_la57 and acpi_rsdp, and kernel_path for error messages.
absl::StatusOr<LoadedKernel> EnterKernel(const BootConfig& config, const PlacedKernel& placed, GuestMemory& memory);

// Loads the kernel into `memory`. Only the ACPI tables may have been written to `memory` before, because zeros in the
// image are not written again. Errors name the file, the field, its value and the limit. After an error the content of
// guest RAM is unspecified.
absl::StatusOr<LoadedKernel> LoadKernel(const BootConfig& config, GuestMemory& memory);

}  // namespace vmm

#endif  // VMM_BOOT_LOAD_KERNEL_H_
