// VMCOREINFO as the kernel keeps it in its memory: an ELF note of its own, 12 bytes of note header,
// "VMCOREINFO\0" padded to 12, the text at byte 24 (Linux kernel/vmcore_info.c, append_elf_note).
#ifndef DUMP_KERNEL_VMCOREINFO_NOTE_H_
#define DUMP_KERNEL_VMCOREINFO_NOTE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"
#include "dump/snapshot/vmcoreinfo.h"

namespace vmm {

// What a text begins with, and a note's name with its padding.
inline constexpr std::string_view kVmcoreInfoTextStart = "OSRELEASE=";
inline constexpr std::string_view kVmcoreInfoName("VMCOREINFO\0\0", 12);

// Bytes of such a note before its text, and how many of one tell it from anything else.
inline constexpr uint64_t kVmcoreInfoTextOffset = 12 + kVmcoreInfoName.size();
inline constexpr uint64_t kVmcoreInfoProbeSize = kVmcoreInfoTextOffset + kVmcoreInfoTextStart.size();

// The length of the text of the note that `bytes` begins with, of which kVmcoreInfoProbeSize bytes are looked
// at; none where that is no note, or its length no sensible one. The text may end past `bytes`.
std::optional<uint32_t> ProbeVmcoreInfoNote(std::span<const uint8_t> bytes);

// From a note, as the kernel's memory or the page behind /sys/kernel/vmcoreinfo has it, or from the bare text,
// which ends at a NUL or with `bytes`. InvalidArgument, with the reason, else.
absl::StatusOr<VmcoreInfo> ParseVmcoreInfoNoteOrText(std::span<const uint8_t> bytes);

}  // namespace vmm

#endif  // DUMP_KERNEL_VMCOREINFO_NOTE_H_
