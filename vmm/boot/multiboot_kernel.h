// Places and enters a multiboot 1 kernel, such as Xen or a flat image of kvm-unit-tests. load_kernel.h calls it for
// images with a multiboot header. The kernel is entered in 32-bit protected mode without paging.
#ifndef VMM_BOOT_MULTIBOOT_KERNEL_H_
#define VMM_BOOT_MULTIBOOT_KERNEL_H_

#include "absl/status/statusor.h"
#include "base/guest_memory.h"
#include "vmm/boot/kernel_file.h"
#include "vmm/boot/load_kernel.h"

namespace vmm {

// A kernel takes no more modules than this.
inline constexpr size_t kMaxModules = 64;

// Reads the image's pieces into RAM. Its modules follow, each at a page boundary above the kernel: first the initrd,
// then config.modules. InvalidArgument names the field or file, the value and the limit.
// REQUIRES: file.is_multiboot.
absl::StatusOr<PlacedKernel> PlaceMultiboot(const BootConfig& config, const KernelFile& file, GuestMemory& memory);

// Writes what the kernel reads on its way in, and computes vCPU 0's registers.
// REQUIRES: `placed` is from PlaceMultiboot().
absl::StatusOr<LoadedKernel> EnterMultiboot(const PlacedKernel& placed, GuestMemory& memory);

}  // namespace vmm

#endif  // VMM_BOOT_MULTIBOOT_KERNEL_H_
