// VMCOREINFO as the kernel keeps it in its memory: an ELF note of its own. It has 12 bytes of note header,
// "VMCOREINFO\0" padded to 12, and the text at byte 24 (Linux kernel/vmcore_info.c, append_elf_note).
#ifndef DUMP_KERNEL_VMCOREINFO_NOTE_H_
#define DUMP_KERNEL_VMCOREINFO_NOTE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"
#include "dump/snapshot/vmcoreinfo.h"

namespace vmm {

// The beginning of a text, and a note's name with its padding.
inline constexpr std::string_view kVmcoreInfoTextStart = "OSRELEASE=";
inline constexpr std::string_view kVmcoreInfoName("VMCOREINFO\0\0", 12);

// The number of bytes in such a note before its text, and the number of bytes that tell such a note from anything else.
inline constexpr uint64_t kVmcoreInfoTextOffset = 12 + kVmcoreInfoName.size();
inline constexpr uint64_t kVmcoreInfoProbeSize = kVmcoreInfoTextOffset + kVmcoreInfoTextStart.size();

// Looks at the first kVmcoreInfoProbeSize bytes of `bytes`, and returns the length of the text of the note that starts
// there. None if it is not such a note or its length makes no sense. The text may end past `bytes`.
std::optional<uint32_t> ProbeVmcoreInfoNote(std::span<const uint8_t> bytes);

// Parses a note, as in the kernel's memory or in the page that /sys/kernel/vmcoreinfo names, or the bare text, which
// ends at a NUL or with `bytes`. Else InvalidArgument, with the reason.
absl::StatusOr<VmcoreInfo> ParseVmcoreInfoNoteOrText(std::span<const uint8_t> bytes);

}  // namespace vmm

#endif  // DUMP_KERNEL_VMCOREINFO_NOTE_H_
