// Names files that are no vmcore of a machine but are easily taken for one, or given by mistake: disk
// images, compressed files, memory in other formats, programs, cores of processes. Each name comes with
// what the user can do about it.
#ifndef DUMP_READ_FILE_KIND_H_
#define DUMP_READ_FILE_KIND_H_

#include <elf.h>

#include <span>
#include <string>
#include <string_view>

#include "dump/read/vmcore_note.h"

namespace vmm {

// The parts of a file that NameOtherKind() looks at. A btrfs has its magic number after 64 KiB, a fixed
// VHD in its last 512 bytes.
inline constexpr size_t kKindHeadSize = 0x10048;
inline constexpr size_t kKindTailSize = 512;

// "it is a qcow2 disk image: ...", or "" for a file of no kind that is known, and for an ELF file and a
// kdump file. `head` and `tail` may be shorter, as the file is.
std::string NameOtherKind(std::string_view head, std::string_view tail);

// The same by the file's name, of formats that have no magic number.
std::string NameOtherSuffix(std::string_view path);

// The same for an ELF file by its header: of another machine, of 32 bits, a program, a module. "" for a
// core of x86_64. Fields of ELF32 and big-endian headers are taken from where those have them.
std::string NameOtherElf(const Elf64_Ehdr& ehdr);

// The same for an ELF core of x86_64 by its notes and segments: the core of a process, also of a VMM's. ""
// for the core of a machine: QEMU's, ours, kdump's and /proc/kcore have no NT_AUXV, NT_FILE, NT_SIGINFO.
std::string NameProcessCore(std::span<const VmcoreNote> notes, std::span<const Elf64_Phdr> phdrs);

}  // namespace vmm

#endif  // DUMP_READ_FILE_KIND_H_
