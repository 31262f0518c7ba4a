#include "dump/tool/virtio_text.h"

#include <algorithm>
#include <sstream>
#include <string>

#include "dump/abi/virtio_note_abi.h"
#include "dump/tool/printable.h"

namespace vmm {

void PrintVirtio(const Vmcore& core, std::ostream& out) {
  const VmcoreNote* const note = core.FindNote(kVirtioNoteName);
  if (note == nullptr) return;
  const size_t bytes = std::min(note->desc.size(), kVirtioNoteMaxBytes);
  std::istringstream lines(std::string(reinterpret_cast<const char*>(note->desc.data()), bytes));
  out << "\nVirtio devices\n";
  for (std::string line; std::getline(lines, line);) out << "  " << Printable(line) << "\n";
}

}  // namespace vmm
