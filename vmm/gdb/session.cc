#include "vmm/gdb/session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "base/log.h"
#include "base/status.h"
#include "vmm/gdb/hex.h"
#include "vmm/gdb/virtual_memory.h"
#include "vmm/live/text_monitor.h"

namespace vmm {
namespace {

// Signals as gdb numbers them.
constexpr int kInterrupted = 2, kTrap = 5, kAborted = 6;

constexpr std::string_view kOk = "OK";
constexpr std::string_view kError = "E01";
constexpr size_t kMaxRead = GdbPacketReader::kMaxPacket / 2 - 16;  // bytes of memory in one reply
constexpr size_t kMaxText = 1024;                                  // bytes of a monitor's output in one packet

// An error that gdb shows as a number alone. The words are for --verbose.
std::string Refuse(std::string_view what, const absl::Status& why) {
  LogDebug(absl::StrFormat("gdb: %s: %s", what, std::string(why.message())));
  return std::string(kError);
}

std::string Outcome(std::string_view what, const absl::Status& status) {
  return status.ok() ? std::string(kOk) : Refuse(what, status);
}

std::string_view WatchName(HardwareBreak::Kind kind) {
  return kind == HardwareBreak::Kind::kAccess ? "awatch" : "watch";
}

}  // namespace

GdbSession::GdbSession(DebugGuest& guest, std::string words)
    : guest_(guest),
      words_(std::move(words)),
      was_paused_(guest.live().state() == GuestState::kPaused),
      breakpoints_(guest) {
  last_vcpu_ = general_thread_ = guest_.died_vcpu();
  stopping_ = true;
  if (const absl::Status paused = guest_.live().Pause(); !paused.ok()) {
    LogWarning(absl::StrFormat("gdb: %s", std::string(paused.message())));
    ended_ = true;
  }
  stopping_ = false;
}

void GdbSession::Receive(std::string_view bytes) {
  for (const GdbItem& item : reader_.Add(bytes)) {
    if (ended_) return;
    switch (item.kind) {
      case GdbItem::Kind::kInterrupt: Interrupt(); break;
      case GdbItem::Kind::kNack:
        if (acks_) output_ += last_;
        break;
      case GdbItem::Kind::kBroken:
        if (acks_) output_ += '-';
        break;
      case GdbItem::Kind::kPacket:
        if (acks_) output_ += '+';
        Execute(item.text);
        break;
    }
    if (output_.size() > kMaxOutput) ended_ = true;
  }
}

void GdbSession::Execute(const std::string& text) {
  const std::string_view view = text;
  if (view == "k") {
    guest_.live().Quit();
    ended_ = true;
    return;
  }
  std::string answer;
  if (view.starts_with("vCont;")) {
    answer = Continue(view.substr(6));
  } else if (view == "c") {
    answer = Go({.only = continue_thread_ >= 0 ? std::optional(continue_thread_) : std::nullopt});
  } else if (view == "s") {
    const int vcpu = continue_thread_ >= 0 ? continue_thread_ : selected();
    answer = Go({.only = vcpu, .step = vcpu});
  } else {
    Reply(Answer(view));
    if (view == "QStartNoAckMode") acks_ = false;
    return;
  }
  if (!answer.empty()) Reply(answer);
}

void GdbSession::Reply(std::string_view text) {
  last_ = FrameGdbPacket(text);
  output_ += last_;
}

std::string GdbSession::Answer(std::string_view text) {
  if (text.empty()) return "";
  const std::string_view rest = text.substr(1);
  switch (text[0]) {
    case '?': return StopReply(guest_.live().state() == GuestState::kPanicked ? kAborted : kTrap, last_vcpu_);
    case 'D': return Detach();
    case 'G': return WriteRegisters(rest);
    case 'g': return ReadRegisters();
    case 'H': return SelectThread(rest);
    case 'M': return WriteMemory(rest, /*binary=*/false);
    case 'm': return ReadMemory(rest);
    case 'P': return WriteRegister(rest);
    case 'p': return ReadRegister(rest);
    case 'T': return std::string(ParseThread(rest).value_or(-1) >= 0 ? kOk : kError);
    case 'X': return WriteMemory(rest, /*binary=*/true);
    case 'Z': return ChangeBreak(/*insert=*/true, rest);
    case 'z': return ChangeBreak(/*insert=*/false, rest);
    case 'q':
    case 'Q': return AnswerQuery(text);
    case 'v':
      if (text == "vCont?") return "vCont;c;C;s;S";
      if (text.starts_with("vKill")) {
        guest_.live().Quit();
        return std::string(kOk);
      }
      return "";
    default: return "";
  }
}

std::string GdbSession::AnswerQuery(std::string_view text) {
  constexpr std::string_view kFeatures = "qXfer:features:read:target.xml:";
  if (text.starts_with("qSupported")) {
    return absl::StrFormat("PacketSize=%x;qXfer:features:read+;vContSupported+;QStartNoAckMode+;swbreak+;hwbreak+",
                           GdbPacketReader::kMaxPacket);
  }
  if (text == "QStartNoAckMode") return std::string(kOk);
  if (text.starts_with(kFeatures)) {
    std::string_view part = text.substr(kFeatures.size());
    const std::optional<uint64_t> offset = ParseHex(TakeUpTo(part, ','));
    const std::optional<uint64_t> size = ParseHex(part);
    const std::string& xml = GdbTargetXml();
    if (!offset.has_value() || !size.has_value() || *offset > xml.size()) return std::string(kError);
    const std::string_view piece = std::string_view(xml).substr(*offset, std::min<uint64_t>(*size, kMaxRead));
    return (*offset + piece.size() < xml.size() ? "m" : "l") + std::string(piece);
  }
  if (text == "qfThreadInfo") {
    std::string list = "m";
    for (int vcpu = 0; vcpu < guest_.live().vcpus(); ++vcpu) {
      absl::StrAppendFormat(&list, "%s%x", vcpu == 0 ? "" : ",", vcpu + 1);
    }
    return list;
  }
  if (text == "qsThreadInfo") return "l";
  if (text.starts_with("qThreadExtraInfo,")) return ThreadInfo(text.substr(17));
  if (text == "qC") return absl::StrFormat("QC%x", selected() + 1);
  if (text.starts_with("qAttached")) return "1";
  if (text.starts_with("qSymbol")) return std::string(kOk);
  if (text.starts_with("qRcmd,")) return Monitor(text.substr(6));
  // QEMU's own: memory packets with physical addresses.
  if (text == "qqemu.PhyMemMode") return physical_memory_ ? "1" : "0";
  if (text.starts_with("Qqemu.PhyMemMode:")) {
    physical_memory_ = text.substr(17) != "0";
    return std::string(kOk);
  }
  return "";
}

VirtualMemory GdbSession::View(const CpuState& cpu, bool physical) const {
  return {guest_.memory(), cpu, physical, guest_.image()};
}

int GdbSession::selected() const { return std::clamp(general_thread_, 0, guest_.live().vcpus() - 1); }

// A thread is a vCPU's number and one, so that 0 can mean any. The form pPROCESS.THREAD is taken too.
std::optional<int> GdbSession::ParseThread(std::string_view text) const {
  if (text.starts_with('p')) {
    const size_t dot = text.find('.');
    text = dot == std::string_view::npos ? "-1" : text.substr(dot + 1);
  }
  if (text == "-1") return -1;
  const std::optional<uint64_t> id = ParseHex(text);
  if (!id.has_value() || *id > static_cast<uint64_t>(guest_.live().vcpus())) return std::nullopt;
  return *id == 0 ? selected() : static_cast<int>(*id) - 1;
}

std::string GdbSession::SelectThread(std::string_view text) {
  const std::optional<int> thread = text.empty() ? std::nullopt : ParseThread(text.substr(1));
  if (!thread.has_value()) return std::string(kError);
  if (text[0] == 'g') {
    if (*thread >= 0) general_thread_ = *thread;
    return std::string(kOk);
  }
  if (text[0] != 'c') return "";
  continue_thread_ = *thread;
  return std::string(kOk);
}

std::string GdbSession::ThreadInfo(std::string_view id) const {
  const std::optional<int> vcpu = ParseThread(id);
  if (!vcpu.has_value() || *vcpu < 0) return std::string(kError);
  const absl::StatusOr<GdbCpu> cpu = guest_.ReadCpu(*vcpu);
  const char* const state = !cpu.ok()           ? "unknown"
                            : !cpu->cpu.started ? "not started"
                            : cpu->cpu.halted   ? "halted"
                                                : "running";
  return ToHex(absl::StrFormat("CPU#%d [%s]", *vcpu, state));
}

std::string GdbSession::StopReply(int signal, int vcpu, std::string_view why) const {
  return absl::StrFormat("T%02x%sthread:%x;", signal, why, vcpu + 1);
}

std::string GdbSession::ReadRegisters() {
  const absl::StatusOr<GdbCpu> cpu = guest_.ReadCpu(selected());
  return cpu.ok() ? ToHex(AllGdbRegisters(*cpu)) : Refuse("registers", cpu.status());
}

std::string GdbSession::WriteRegisters(std::string_view hex) {
  absl::StatusOr<GdbCpu> cpu = guest_.ReadCpu(selected());
  if (!cpu.ok()) return Refuse("registers", cpu.status());
  const std::optional<std::vector<uint8_t>> bytes = FromHex(hex);
  if (!bytes.has_value() || !SetAllGdbRegisters(*bytes, *cpu)) return std::string(kError);
  return Outcome("write registers", guest_.WriteCpu(selected(), *cpu, /*fpu_too=*/true));
}

std::string GdbSession::ReadRegister(std::string_view number) {
  const absl::StatusOr<GdbCpu> cpu = guest_.ReadCpu(selected());
  if (!cpu.ok()) return Refuse("registers", cpu.status());
  const std::optional<uint64_t> id = ParseHex(number);
  const std::optional<std::vector<uint8_t>> bytes = id.has_value() ? OneGdbRegister(*id, *cpu) : std::nullopt;
  return bytes.has_value() ? ToHex(*bytes) : std::string(kError);
}

std::string GdbSession::WriteRegister(std::string_view text) {
  absl::StatusOr<GdbCpu> cpu = guest_.ReadCpu(selected());
  if (!cpu.ok()) return Refuse("registers", cpu.status());
  const std::optional<uint64_t> id = ParseHex(TakeUpTo(text, '='));
  const std::optional<std::vector<uint8_t>> bytes = FromHex(text);
  if (!id.has_value() || !bytes.has_value() || !SetOneGdbRegister(*id, *bytes, *cpu)) return std::string(kError);
  return Outcome("write a register", guest_.WriteCpu(selected(), *cpu, IsFpuRegister(*id)));
}

std::string GdbSession::ReadMemory(std::string_view text) {
  const std::optional<uint64_t> address = ParseHex(TakeUpTo(text, ','));
  const std::optional<uint64_t> size = ParseHex(text);
  if (!address.has_value() || !size.has_value()) return std::string(kError);
  const absl::StatusOr<GdbCpu> cpu = guest_.ReadCpu(selected());
  if (!cpu.ok()) return Refuse("memory", cpu.status());
  std::vector<uint8_t> bytes(std::min<uint64_t>(*size, kMaxRead));
  const absl::StatusOr<size_t> got = View(cpu->cpu, physical_memory_).Read(*address, bytes);
  if (!got.ok()) return Refuse("memory", got.status());
  bytes.resize(*got);
  return ToHex(bytes);
}

std::string GdbSession::WriteMemory(std::string_view text, bool binary) {
  const std::optional<uint64_t> address = ParseHex(TakeUpTo(text, ','));
  const std::optional<uint64_t> size = ParseHex(TakeUpTo(text, ':'));
  if (!address.has_value() || !size.has_value()) return std::string(kError);
  const std::optional<std::vector<uint8_t>> bytes =
      binary ? std::vector<uint8_t>(text.begin(), text.end()) : FromHex(text);
  if (!bytes.has_value() || bytes->size() != *size) return std::string(kError);
  const absl::StatusOr<GdbCpu> cpu = guest_.ReadCpu(selected());
  if (!cpu.ok()) return Refuse("memory", cpu.status());
  return Outcome("write memory", View(cpu->cpu, physical_memory_).Write(*address, *bytes));
}

// Types: 0 software, 1 hardware, 2 write, 3 read, 4 access. No processor can watch reads alone.
std::string GdbSession::ChangeBreak(bool insert, std::string_view text) {
  const std::optional<uint64_t> type = ParseHex(TakeUpTo(text, ','));
  const std::optional<uint64_t> address = ParseHex(TakeUpTo(text, ','));
  const std::optional<uint64_t> size = ParseHex(TakeUpTo(text, ';'));
  if (!type.has_value() || !address.has_value() || !size.has_value()) return std::string(kError);
  if (guest_.live().state() != GuestState::kPaused) {
    return Refuse("breakpoint", absl::FailedPreconditionError("the guest does not stand still, or has died"));
  }
  if (*type == 0 && !insert) {
    breakpoints_.RemoveSoftware(*address);
    return std::string(kOk);
  }
  if (*type == 0) {
    const absl::StatusOr<GdbCpu> cpu = guest_.ReadCpu(selected());
    return Outcome("breakpoint", cpu.ok() ? breakpoints_.InsertSoftware(cpu->cpu, *address) : cpu.status());
  }
  if (*type != 1 && *type != 2 && *type != 4) return "";
  const HardwareBreak::Kind kind = *type == 1   ? HardwareBreak::Kind::kExecute
                                   : *type == 2 ? HardwareBreak::Kind::kWrite
                                                : HardwareBreak::Kind::kAccess;
  if (insert) return Outcome("breakpoint", breakpoints_.InsertHardware(kind, *address, *size));
  breakpoints_.RemoveHardware(kind, *address, *size);
  return std::string(kOk);
}

std::string GdbSession::Monitor(std::string_view hex) {
  const std::optional<std::vector<uint8_t>> bytes = FromHex(hex);
  if (!bytes.has_value()) return std::string(kError);
  const std::string line(bytes->begin(), bytes->end());
  std::string text;
  if (line == "kernel") {
    text = words_;
  } else {
    stopping_ = true;
    text = RunTextCommand(guest_.live(), line);
    stopping_ = false;
    if (line == "help") text += "kernel -- the commands for gdb that place the symbols of the guest's kernel\n";
    text = absl::StrReplaceAll(text, {{"\r\n", "\n"}});
  }
  for (size_t at = 0; at < text.size(); at += kMaxText) {
    Reply("O" + ToHex(std::string_view(text).substr(at, kMaxText)));
  }
  return std::string(kOk);
}

// For each vCPU the first action that names it counts. One vCPU at most makes a step.
std::string GdbSession::Continue(std::string_view actions) {
  const int vcpus = guest_.live().vcpus();
  std::vector<char> action(static_cast<size_t>(vcpus), 0);
  while (!actions.empty()) {
    std::string_view thread = TakeUpTo(actions, ';');
    const std::string_view what = TakeUpTo(thread, ':');
    if (what.empty() || std::string_view("cCsS").find(what[0]) == std::string_view::npos) return std::string(kError);
    const std::optional<int> vcpu = thread.empty() ? -1 : ParseThread(thread);
    if (!vcpu.has_value()) return std::string(kError);
    const char kind = what[0] == 's' || what[0] == 'S' ? 's' : 'c';
    for (int i = 0; i < vcpus; ++i) {
      if ((*vcpu < 0 || *vcpu == i) && action[static_cast<size_t>(i)] == 0) action[static_cast<size_t>(i)] = kind;
    }
  }
  DebugGuest::Going going;
  const auto steps = std::ranges::find(action, 's');
  if (steps != action.end()) going.step = static_cast<int>(steps - action.begin());
  const auto going_on = std::ranges::count_if(action, [](char kind) { return kind != 0; });
  if (going_on == 0) return std::string(kError);
  if (going_on < vcpus) {
    const auto first = std::ranges::find_if(action, [](char kind) { return kind != 0; });
    going.only = going.step.value_or(static_cast<int>(first - action.begin()));
  }
  return Go(going);
}

std::string GdbSession::Go(const DebugGuest::Going& going) {
  const auto say = [this](std::string_view text) { Reply("O" + ToHex("vmm: " + std::string(text) + "\n")); };
  if (guest_.live().state() == GuestState::kPanicked) {
    say("the guest has died; it cannot run on");
    return StopReply(kAborted, last_vcpu_);
  }
  if (going.step.has_value() && !guest_.abilities().step) {
    say("this host's KVM makes no single steps: delete the breakpoint at this place and continue");
    return StopReply(kTrap, last_vcpu_);
  }
  if (const absl::Status went = guest_.Go(going); !went.ok()) {
    say(std::string(went.message()));
    return StopReply(kTrap, last_vcpu_);
  }
  waits_ = true;
  went_ = true;
  return "";
}

void GdbSession::Interrupt() {
  if (!waits_) return;
  stopping_ = true;
  const absl::Status paused = guest_.live().Pause();
  stopping_ = false;
  if (!paused.ok()) return Reply("O" + ToHex("vmm: " + std::string(paused.message()) + "\n"));
  waits_ = false;
  Reply(StopReply(kInterrupted, last_vcpu_));
}

void GdbSession::LookForStop() {
  stopping_ = true;
  const std::optional<DebugStop> stop = guest_.TakeStop();
  stopping_ = false;
  if (!stop.has_value() || !waits_) return;
  waits_ = false;
  last_vcpu_ = general_thread_ = stop->vcpu;
  std::string why;
  switch (stop->reason) {
    case DebugStop::Reason::kSoftware: why = "swbreak:;"; break;
    case DebugStop::Reason::kHardware: why = "hwbreak:;"; break;
    case DebugStop::Reason::kWatch: why = absl::StrFormat("%s:%x;", WatchName(stop->kind), stop->address); break;
    case DebugStop::Reason::kStep: break;
  }
  if (stop->reason == DebugStop::Reason::kHardware && breakpoints_.StandsForSoftware(stop->address)) why = "swbreak:;";
  Reply(StopReply(kTrap, stop->vcpu, why));
}

// A dump of a running guest stops it for a moment, too, and lets it go again.
void GdbSession::GuestStopped() {
  if (!waits_ || stopping_ || guest_.live().state() == GuestState::kRunning) return;
  waits_ = false;
  const bool died = guest_.live().state() == GuestState::kPanicked;
  if (died) last_vcpu_ = general_thread_ = guest_.died_vcpu();
  Reply(StopReply(died ? kAborted : kInterrupted, last_vcpu_));
}

void GdbSession::GuestEnded() {
  if (waits_) Reply("W00");
  waits_ = false;
  left_ = ended_ = true;
}

std::string GdbSession::Detach() {
  went_ = true;
  Leave();
  ended_ = true;
  return std::string(kOk);
}

void GdbSession::Leave() {
  if (std::exchange(left_, true)) return;
  stopping_ = true;
  // The vCPUs may run, and must stand still while the breakpoints are taken out.
  const absl::Status paused = guest_.live().Pause();
  if (!paused.ok()) LogWarning(absl::StrFormat("gdb: its breakpoints stay: %s", std::string(paused.message())));
  if (paused.ok()) guest_.ForgetBreaks();
  if (paused.ok() && guest_.live().state() == GuestState::kPaused && (!was_paused_ || went_)) {
    if (const absl::Status went = guest_.Go({}); !went.ok()) {
      LogWarning(absl::StrFormat("gdb: the guest stays paused: %s", std::string(went.message())));
    }
  }
  stopping_ = false;
  waits_ = false;
}

}  // namespace vmm
