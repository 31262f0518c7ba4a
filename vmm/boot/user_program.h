// Tells user-space programs from kernels: both are ELF64 executables for x86-64.
#ifndef VMM_BOOT_USER_PROGRAM_H_
#define VMM_BOOT_USER_PROGRAM_H_

#include <elf.h>

#include <optional>
#include <span>
#include <string>

namespace vmm {

// Returns the sign that a file with these headers is a program, static or not, or a shared library: "it has a PT_TLS".
// Returns nothing if the file may be a kernel. An ELF file with a PT_LOAD in the upper half of virtual memory is always
// taken for a kernel (FreeBSD's has a PT_INTERP).
std::optional<std::string> SignOfUserProgram(const Elf64_Ehdr& ehdr, std::span<const Elf64_Phdr> phdrs);

}  // namespace vmm

#endif  // VMM_BOOT_USER_PROGRAM_H_
