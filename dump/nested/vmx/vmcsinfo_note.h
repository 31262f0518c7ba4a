// The VMCSINFO note: the place of each field in a VMCS region. With it, a reader of VMCSs in a dump needs no knowledge
// of the CPU or of KVM's struct. It was proposed for kdump in 2012 (Zhang Yanfei, "Export offsets of VMCS fields as
// note information for kdump", binary form of its second version) but never merged. Nobody writes it but us. Format and
// origin: docs/abi/nested-notes.md.
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

// The value that VMREAD returns for a field at `offset` if each 16-bit word of the region holds its own offset.
uint64_t EncodeVmcsOffset(uint16_t offset, int size);

// A note read back. A plain value, immutable.
class VmcsInfo {
 public:
  // More encodings than any CPU has.
  static constexpr size_t kMaxFields = 1024;

  // InvalidArgument for a size that is not a whole number of entries, for more than kMaxFields entries, for an encoding
  // that no CPU can have or that appears twice, or for a word that does not lie in a page.
  static absl::StatusOr<VmcsInfo> Parse(std::span<const uint8_t> desc);

  uint32_t revision() const { return revision_; }

  // The values in the note, by encoding.
  const std::map<uint32_t, uint64_t>& encoded_offsets() const { return encoded_; }

  // The offset of a field that lies in one piece, as all of KVM's do. nullopt if the note does not have it, or if its
  // 16-bit words are scattered, as hardware may have them.
  std::optional<uint16_t> Offset(uint32_t encoding) const;

  // The field `encoding` from a VMCS region, its words gathered. nullopt if the note lacks it.
  std::optional<uint64_t> Read(Vmcs12Page page, uint32_t encoding) const;

 private:
  uint32_t revision_ = 0;
  std::map<uint32_t, uint64_t> encoded_;
};

}  // namespace vmm

#endif  // DUMP_NESTED_VMX_VMCSINFO_NOTE_H_
