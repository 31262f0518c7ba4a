#include "dump/flight/flight_note.h"

#include "dump/flight/note_reader.h"

namespace vmm {
namespace {

// A vCPU's thread finishes its last exit before it ends, and no exit is before its beginning.
absl::Status CheckTimes(const FlightNote& note) {
  const FlightNoteHeader& header = note.header;
  if (header.end_tsc < header.start_tsc || header.end_ns < header.start_ns) {
    return absl::InvalidArgumentError(absl::StrFormat("%s: it ended before it began", kFlightNoteName));
  }
  uint64_t last = header.start_tsc;
  for (size_t i = 0; i < note.records.size(); ++i) {
    const uint64_t tsc = note.records[i].tsc;
    if (tsc < last || tsc > header.end_tsc) {
      return absl::InvalidArgumentError(absl::StrFormat("%s: exit %d at TSC %d, not between %d and %d", kFlightNoteName,
                                                        i, tsc, last, header.end_tsc));
    }
    last = tsc;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FlightNote> FlightNote::Parse(std::span<const uint8_t> desc) {
  FlightNote note;
  ASSIGN_OR_RETURN(note.header,
                   ReadNoteHeader<FlightNoteHeader>(kFlightNoteName, desc, kFlightNoteVersion, sizeof(FlightRecord)));
  const FlightNoteHeader& header = note.header;
  if (header.exits < header.records) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s: %d records of %d exits", kFlightNoteName, header.records, header.exits));
  }
  ASSIGN_OR_RETURN(note.records, ReadNoteRecords<FlightRecord>(kFlightNoteName, desc, header.header_size,
                                                               header.record_size, header.records));
  RETURN_IF_ERROR(CheckTimes(note));
  return note;
}

std::string_view NameOf(FlightKind kind) {
  switch (kind) {
    case FlightKind::kPioRead: return "PIO read";
    case FlightKind::kPioWrite: return "PIO write";
    case FlightKind::kMmioRead: return "MMIO read";
    case FlightKind::kMmioWrite: return "MMIO write";
    case FlightKind::kInterrupted: return "interrupted";
    case FlightKind::kShutdown: return "shutdown";
    case FlightKind::kInternalError: return "internal error";
    case FlightKind::kFailEntry: return "failed entry";
    case FlightKind::kHalt: return "halt";
    case FlightKind::kBreakpoint: return "breakpoint";
    case FlightKind::kNone:
    case FlightKind::kOther: break;
  }
  return "other";
}

std::string DescribeExit(const FlightRecord& record) {
  const std::string_view name = NameOf(record.kind);
  switch (record.kind) {
    case FlightKind::kPioRead:
    case FlightKind::kMmioRead:
    case FlightKind::kPioWrite:
    case FlightKind::kMmioWrite: {
      const bool write = record.kind == FlightKind::kPioWrite || record.kind == FlightKind::kMmioWrite;
      std::string text = absl::StrFormat("%s %#x %s %#x, %d byte%s", name, record.address, write ? "<-" : "->",
                                         record.data, record.size, record.size == 1 ? "" : "s");
      if (record.count > 1) text += absl::StrFormat(", %d times", record.count);
      return text;
    }
    case FlightKind::kBreakpoint: return absl::StrFormat("%s at %#x", name, record.address);
    case FlightKind::kInternalError: return absl::StrFormat("%s, suberror %d", name, record.address);
    case FlightKind::kFailEntry: return absl::StrFormat("%s, hardware reason %#x", name, record.address);
    case FlightKind::kOther: return absl::StrFormat("KVM exit reason %d", record.address);
    default: return std::string(name);
  }
}

}  // namespace vmm
