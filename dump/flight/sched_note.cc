#include "dump/flight/sched_note.h"

#include "dump/flight/note_reader.h"

namespace vmm {

std::string SchedNote::Serialise() const {
  const SchedNoteHeader header = {.version = kSchedNoteVersion,
                                  .header_size = sizeof(SchedNoteHeader),
                                  .record_size = sizeof(SchedRecord),
                                  .records = static_cast<uint32_t>(records.size()),
                                  .vcpu = vcpu,
                                  .interval_us = interval_us};
  std::string desc(reinterpret_cast<const char*>(&header), sizeof(header));
  return desc.append(reinterpret_cast<const char*>(records.data()), records.size() * sizeof(SchedRecord));
}

absl::StatusOr<SchedNote> SchedNote::Parse(std::span<const uint8_t> desc) {
  ASSIGN_OR_RETURN(const SchedNoteHeader header,
                   ReadNoteHeader<SchedNoteHeader>(kSchedNoteName, desc, kSchedNoteVersion, sizeof(SchedRecord)));
  SchedNote note{.vcpu = header.vcpu, .interval_us = header.interval_us};
  ASSIGN_OR_RETURN(note.records, ReadNoteRecords<SchedRecord>(kSchedNoteName, desc, header.header_size,
                                                              header.record_size, header.records));
  for (size_t i = 1; i < note.records.size(); ++i) {
    const SchedRecord &before = note.records[i - 1], &now = note.records[i];
    if (now.tsc < before.tsc || now.run_ns < before.run_ns || now.wait_ns < before.wait_ns) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s: sample %d is less than the one before", kSchedNoteName, i));
    }
  }
  return note;
}

}  // namespace vmm
