#include "dump/nested/nested_state_note.h"

#include <algorithm>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "dump/nested/abi/nested_state_abi.h"

namespace vmm {

std::string NestedStateNote::Serialise() const {
  const NestedStateNoteHeader header = {kNestedStateNoteVersion,       vcpu,     level,
                                        static_cast<uint32_t>(layout), max_size, 0};
  std::string desc(reinterpret_cast<const char*>(&header), sizeof(header));
  desc.append(reinterpret_cast<const char*>(state.data()), state.size());
  return desc;
}

absl::StatusOr<NestedStateNote> NestedStateNote::Parse(std::span<const uint8_t> desc) {
  NestedStateNoteHeader header;
  if (desc.size() < sizeof(header) + sizeof(KvmNestedHeader)) {
    return absl::InvalidArgumentError(absl::StrFormat("%s note: %d bytes are less than %d", kNestedStateNoteName,
                                                      desc.size(), sizeof(header) + sizeof(KvmNestedHeader)));
  }
  std::memcpy(&header, desc.data(), sizeof(header));
  if (header.version != kNestedStateNoteVersion) {
    return absl::UnimplementedError(
        absl::StrFormat("%s note: version %d, not %d", kNestedStateNoteName, header.version, kNestedStateNoteVersion));
  }
  if (header.level != 1 && header.level != 2) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s note: registers of level %d, neither 1 nor 2", kNestedStateNoteName, header.level));
  }
  NestedStateNote note;
  note.vcpu = header.vcpu;
  note.level = header.level;
  note.layout = static_cast<Vmcs12Layout>(std::min(header.layout, static_cast<uint32_t>(kNewestVmcs12Layout)));
  note.max_size = header.max_size;
  note.state = desc.subspan(sizeof(header));
  return note;
}

}  // namespace vmm
