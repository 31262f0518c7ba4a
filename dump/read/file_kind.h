// Names files that are no vmcore of a machine but are easily taken for one, or given by mistake: disk images,
// compressed files, memory in other formats, programs, cores of processes. Each name comes with advice for the user.
#ifndef DUMP_READ_FILE_KIND_H_
#define DUMP_READ_FILE_KIND_H_

#include <elf.h>

#include <span>
#include <string>
#include <string_view>

#include "dump/read/vmcore_note.h"

namespace vmm {

// Sizes of the two parts of a file that NameOtherKind() looks at. btrfs has its magic number after 64 KiB, a fixed VHD
// in its last 512 bytes.
inline constexpr size_t kKindHeadSize = 0x10048;
inline constexpr size_t kKindTailSize = 512;

// "it is a qcow2 disk image: ...", or "" if the kind is unknown or the file is an ELF or kdump file. `head` and `tail`
// may be shorter than the sizes above if the file is.
std::string NameOtherKind(std::string_view head, std::string_view tail);

// The same by the file's name, for formats that have no magic number.
std::string NameOtherSuffix(std::string_view path);

// The same for an ELF file, by its header: a file of another machine or of 32 bits, a program, a module. "" for an
// x86_64 core. Also reads ELF32 and big-endian headers, each in its own layout.
std::string NameOtherElf(const Elf64_Ehdr& ehdr);

// The same for an x86_64 ELF core, by its notes and segments: the core of a process, including a VMM's. "" for the core
// of a machine: those of QEMU, ours, kdump and /proc/kcore have no NT_AUXV, NT_FILE or NT_SIGINFO.
std::string NameProcessCore(std::span<const VmcoreNote> notes, std::span<const Elf64_Phdr> phdrs);

}  // namespace vmm

#endif  // DUMP_READ_FILE_KIND_H_
