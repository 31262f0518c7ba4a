#include "dump/read/vmcore_note.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_format.h"
#include "base/guest_addr.h"

namespace vmm {

ParsedNotes ParseNotes(std::span<const uint8_t> bytes, uint64_t offset) {
  constexpr uint64_t kAlignment = 4;
  ParsedNotes parsed;
  uint64_t at = 0;
  while (bytes.size() - at >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr header;
    std::memcpy(&header, bytes.data() + at, sizeof(header));
    if (header.n_namesz == 0 && header.n_descsz == 0 && header.n_type == 0) {
      at += sizeof(header);  // the kernel pads with zeros; crash skips them too
      continue;
    }
    if (parsed.notes.size() == kMaxNotes) {
      parsed.fault = absl::StrFormat("more than %d notes", kMaxNotes);
      return parsed;
    }
    // These sums cannot wrap because the sizes have 32 bits.
    const uint64_t name = at + sizeof(header);
    const uint64_t desc = name + AlignUp(header.n_namesz, kAlignment);
    const uint64_t end = desc + header.n_descsz;
    if (end > bytes.size()) {
      parsed.fault = absl::StrFormat("note %d at %#x (n_namesz %d, n_descsz %d) runs past the end of the notes",
                                     parsed.notes.size(), offset + at, header.n_namesz, header.n_descsz);
      return parsed;
    }
    const char* const name_bytes = reinterpret_cast<const char*>(bytes.data() + name);
    VmcoreNote& note = parsed.notes.emplace_back();
    note.name.assign(name_bytes, strnlen(name_bytes, header.n_namesz));
    note.type = header.n_type;
    note.desc.assign(bytes.begin() + static_cast<ptrdiff_t>(desc), bytes.begin() + static_cast<ptrdiff_t>(end));
    note.namesz = header.n_namesz;
    note.offset = offset + at;
    at = std::min<uint64_t>(AlignUp(end, kAlignment), bytes.size());
  }
  const auto rest = bytes.subspan(at);
  if (std::any_of(rest.begin(), rest.end(), [](uint8_t byte) { return byte != 0; })) {
    parsed.fault = absl::StrFormat("%d bytes behind the last note are no note", rest.size());
  }
  return parsed;
}

}  // namespace vmm
