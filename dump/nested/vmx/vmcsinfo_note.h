// The VMCSINFO note: where in a VMCS region each field lies, so that who reads VMCSs out of a dump
// needs no knowledge of the CPU, or of KVM's struct. Proposed for kdump in 2012 (Zhang Yanfei, "Export
// offsets of VMCS fields as note information for kdump", binary form of its second version); never
// merged, and by nobody written but us. Form and origin: docs/abi/nested-notes.md.
#ifndef DUMP_NESTED_VMX_VMCSINFO_NOTE_H_
#define DUMP_NESTED_VMX_VMCSINFO_NOTE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "dump/nested/vmx/vmcs12_fields.h"

namespace vmm {

inline constexpr std::string_view kVmcsInfoNoteName = "VMCSINFO";  // type 0

// The note's descriptor for KVM's vmcs12.
std::string MakeVmcsInfoNote(Vmcs12Layout layout);

// What VMREAD gives of a field at `offset`, if each 16-bit word of the region holds its own offset.
uint64_t EncodeVmcsOffset(uint16_t offset, int size);

// A note read back. A plain value, immutable.
class VmcsInfo {
 public:
  // More encodings than any CPU has.
  static constexpr size_t kMaxFields = 1024;

  // InvalidArgument for a size that is not that of whole entries, more than kMaxFields, an encoding
  // that no CPU can have or that comes twice, or a word that does not lie in a page.
  static absl::StatusOr<VmcsInfo> Parse(std::span<const uint8_t> desc);

  uint32_t revision() const { return revision_; }

  // By encoding: what stands in the note.
  const std::map<uint32_t, uint64_t>& encoded_offsets() const { return encoded_; }

  // The offset of a field that lies in one piece, as all of KVM's do. Nothing for one that the note
  // does not have or whose 16-bit words are scattered, as hardware may have them.
  std::optional<uint16_t> Offset(uint32_t encoding) const;

  // The field `encoding` out of a VMCS region, its words gathered; nothing where the note lacks it.
  std::optional<uint64_t> Read(Vmcs12Page page, uint32_t encoding) const;

 private:
  uint32_t revision_ = 0;
  std::map<uint32_t, uint64_t> encoded_;
};

}  // namespace vmm

#endif  // DUMP_NESTED_VMX_VMCSINFO_NOTE_H_
