#include "dump/flight/hang_registers_note.h"

#include "dump/elf/qemu_note.h"
#include "dump/flight/note_reader.h"

namespace vmm {
namespace {

// `vcpu` may be -1: none.
absl::Status CheckVcpu(std::string_view what, int vcpu, size_t vcpus) {
  if (vcpu >= -1 && vcpu < static_cast<int>(vcpus)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("%s: %s is vCPU %d, of %d", kHangRegistersNoteName, what, vcpu, vcpus));
}

}  // namespace

std::string HangRegistersNote::Serialise() const {
  const HangRegistersNoteHeader header = {.version = kHangRegistersNoteVersion,
                                          .header_size = sizeof(HangRegistersNoteHeader),
                                          .record_size = sizeof(HangRegistersRecord),
                                          .records = static_cast<uint32_t>(before.size()),
                                          .nmi_vcpu = nmi_vcpu,
                                          .destroyed = destroyed};
  std::string desc(reinterpret_cast<const char*>(&header), sizeof(header));
  for (size_t id = 0; id < before.size(); ++id) {
    HangRegistersRecord record = {.vcpu = static_cast<uint32_t>(id)};
    if (before[id].has_value()) {
      record.flags = kHangRegistersKnown;
      if (before[id]->started) record.flags |= kHangRegistersStarted;
      if (before[id]->halted) record.flags |= kHangRegistersHalted;
      record.state = MakeQemuCpuState(*before[id]);
    }
    desc.append(reinterpret_cast<const char*>(&record), sizeof(record));
  }
  return desc;
}

absl::StatusOr<HangRegistersNote> HangRegistersNote::Parse(std::span<const uint8_t> desc) {
  ASSIGN_OR_RETURN(const HangRegistersNoteHeader header,
                   ReadNoteHeader<HangRegistersNoteHeader>(kHangRegistersNoteName, desc, kHangRegistersNoteVersion,
                                                           sizeof(HangRegistersRecord)));
  ASSIGN_OR_RETURN(const std::vector<HangRegistersRecord> records,
                   ReadNoteRecords<HangRegistersRecord>(kHangRegistersNoteName, desc, header.header_size,
                                                        header.record_size, header.records));
  RETURN_IF_ERROR(CheckVcpu("the one that was sent the NMI", header.nmi_vcpu, records.size()));
  RETURN_IF_ERROR(CheckVcpu("the one that was destroyed", header.destroyed, records.size()));
  HangRegistersNote note{.nmi_vcpu = header.nmi_vcpu, .destroyed = header.destroyed};
  for (const HangRegistersRecord& record : records) {
    if (record.vcpu != note.before.size()) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s: record %d is of vCPU %d", kHangRegistersNoteName, note.before.size(), record.vcpu));
    }
    std::optional<CpuState>& cpu = note.before.emplace_back();
    if ((record.flags & kHangRegistersKnown) == 0) continue;
    cpu = CpuOf(record.state);
    cpu->started = (record.flags & kHangRegistersStarted) != 0;
    cpu->halted = (record.flags & kHangRegistersHalted) != 0;
  }
  return note;
}

}  // namespace vmm
