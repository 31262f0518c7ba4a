#include "devices/vmport/guest_records.h"

namespace vmm {

std::string_view StateChangeName(StateChange change) {
  switch (change) {
    case StateChange::kNone: return "";
    case StateChange::kHalt: return "halt";
    case StateChange::kReboot: return "reboot";
    case StateChange::kPowerOn: return "power-on";
    case StateChange::kResume: return "resume";
    case StateChange::kSuspend: return "suspend";
  }
  return "";
}

void GuestLog::Add(std::string_view line) {
  if (lines_.size() == kMaxLines) {
    lines_.pop_front();
    ++dropped_;
  }
  lines_.emplace_back(line.substr(0, kMaxLineSize));
}

size_t GuestLog::bytes_held() const {
  size_t bytes = 0;
  for (const std::string& line : lines_) bytes += line.size();
  return bytes;
}

void GuestLog::Save(StateWriter& writer) const {
  writer.U64(dropped_);
  writer.U32(static_cast<uint32_t>(lines_.size()));
  for (const std::string& line : lines_) writer.Bytes(line);
}

GuestLog GuestLog::Load(StateReader& reader) {
  GuestLog log;
  log.dropped_ = reader.U64();
  const uint32_t count = reader.Count(kMaxLines, "log lines");
  for (uint32_t i = 0; i < count && reader.status().ok(); ++i) {
    log.lines_.push_back(reader.Bytes(kMaxLineSize, "a log line"));
  }
  return log;
}

void GuestRecords::Save(StateWriter& writer) const {
  info.Save(writer);
  writer.U32(tools.version);
  writer.U32(tools.build);
  writer.Bool(tools.statechange);
  writer.U32(static_cast<uint32_t>(tools.last_change));
  writer.Bool(tools.last_change_ok);
  log.Save(writer);
}

GuestRecords GuestRecords::Load(StateReader& reader) {
  GuestRecords records;
  records.info = GuestInfoStore::Load(reader);
  records.tools.version = reader.U32();
  records.tools.build = reader.U32();
  records.tools.statechange = reader.Bool("whether the tools change state");
  records.tools.last_change =
      static_cast<StateChange>(reader.Count(static_cast<uint32_t>(StateChange::kSuspend), "a change of state"));
  records.tools.last_change_ok = reader.Bool("whether a change of state went well");
  records.log = GuestLog::Load(reader);
  return records;
}

}  // namespace vmm
