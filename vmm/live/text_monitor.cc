#include "vmm/live/text_monitor.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "dump/paging/page_tables.h"
#include "vmm/live/print_memory.h"
#include "vmm/live/print_nested.h"
#include "vmm/live/print_registers.h"

namespace vmm {
namespace {

using Words = std::vector<std::string>;

struct TextCommand {
  std::string_view name;
  std::string_view help;
  std::string (*run)(LiveGuest& guest, const Words& words);  // words[0] is the command
};

std::string Outcome(const absl::Status& status) {
  return status.ok() ? "" : absl::StrFormat("Error: %s\r\n", std::string(status.message()));
}

std::string Examine(LiveGuest& guest, const Words& words) { return PrintPhysical(guest.memory(), words); }

std::string ExamineVirtual(LiveGuest& guest, const Words& words) {
  const auto registers = guest.Registers();
  if (registers.empty() || !registers[0].ok()) return "Error: vCPU 0 does not answer\r\n";
  return PrintVirtual(guest.memory(), PageTables::Of(guest.memory(), registers[0]->cr3, registers[0]->cr4), words);
}

std::string HostAddress(LiveGuest& guest, const Words& words) {
  const std::optional<uint64_t> addr = words.size() == 2 ? ParseMonitorNumber(words[1]) : std::nullopt;
  if (!addr.has_value()) return "usage: gpa2hva ADDRESS\r\n";
  for (const GuestMemory::Region& region : guest.memory().regions()) {
    if (*addr < region.range.start.value || *addr >= region.range.end().value) continue;
    return absl::StrFormat("Host virtual address for %#x (guest-ram) is %p\r\n", *addr,
                           region.host + (*addr - region.range.start.value));
  }
  return absl::StrFormat("No memory is mapped at address %#x\r\n", *addr);
}

// The form that drgn reads: one line for each block of RAM, which is contiguous in our address space.
std::string InfoMtree(LiveGuest& guest, const Words&) {
  std::string text = "FlatView #0\r\n AS \"memory\", root: system\r\n Root memory region: system\r\n";
  for (const GuestMemory::Region& region : guest.memory().regions()) {
    absl::StrAppendFormat(&text, "  %016x-%016x (prio 0, ram): guest-ram\r\n", region.range.start.value,
                          region.range.end().value - 1);
  }
  return text + "\r\n";
}

std::string InfoStatus(LiveGuest& guest, const Words&) {
  switch (guest.state()) {
    case GuestState::kRunning: return "VM status: running\r\n";
    case GuestState::kPaused: return "VM status: paused\r\n";
    case GuestState::kPanicked: return "VM status: paused (guest-panicked)\r\n";
  }
  return "";
}

std::string InfoCpus(LiveGuest& guest, const Words&) {
  std::string text;
  for (int id = 0; id < guest.vcpus(); ++id) {
    absl::StrAppendFormat(&text, "%c CPU #%d: thread_id=%d\r\n", id == 0 ? '*' : ' ', id, guest.ThreadId(id));
  }
  return text;
}

// `info registers` shows vCPU 0, `info registers -a` all of them.
std::string InfoRegisters(LiveGuest& guest, const Words& words) {
  const bool all = words.size() > 2 && words[2] == "-a";
  const auto registers = guest.Registers();
  std::string text;
  for (size_t id = 0; id < registers.size() && (all || id == 0); ++id) {
    absl::StrAppendFormat(&text, "\r\nCPU#%d\r\n", id);
    text += registers[id].ok() ? PrintRegisters(*registers[id])
                               : absl::StrFormat("Error: %s\r\n", std::string(registers[id].status().message()));
  }
  return text;
}

// `info vmcs` shows that of vCPU 0, `info vmcs N` that of another.
std::string InfoVmcs(LiveGuest& guest, const Words& words) {
  const std::optional<uint64_t> id = words.size() > 2 ? ParseMonitorNumber(words[2]) : 0;
  const auto registers = guest.Registers();
  if (!id.has_value() || *id >= registers.size()) return "usage: info vmcs [VCPU]\r\n";
  const auto& cpu = registers[*id];
  return cpu.ok() ? PrintCurrentVmcs(cpu->nested) : Outcome(cpu.status());
}

constexpr std::array kInfo = {
    TextCommand{"cpus", "the vCPUs and their threads", InfoCpus},
    TextCommand{"mtree", "the blocks of RAM (-f)", InfoMtree},
    TextCommand{"registers", "registers of vCPU 0, or of all (-a)", InfoRegisters},
    TextCommand{"status", "whether the guest runs", InfoStatus},
    TextCommand{"vmcs", "the current VMCS or VMCB of a vCPU that runs a hypervisor", InfoVmcs},
};

std::string Unknown(const Words& words) {
  return absl::StrFormat("unknown command: '%s'\r\n", words.size() > 1 ? words[0] + " " + words[1] : words[0]);
}

std::string Info(LiveGuest& guest, const Words& words) {
  const auto found = words.size() < 2 ? kInfo.end() : std::ranges::find(kInfo, words[1], &TextCommand::name);
  return found == kInfo.end() ? Unknown(words) : found->run(guest, words);
}

std::string Stop(LiveGuest& guest, const Words&) { return Outcome(guest.Pause()); }
std::string Continue(LiveGuest& guest, const Words&) { return Outcome(guest.Resume()); }
std::string Nmi(LiveGuest& guest, const Words&) { return Outcome(guest.InjectNmi()); }
std::string Help(LiveGuest& guest, const Words& words);

constexpr std::array kCommands = {
    TextCommand{"cont", "lets the guest run on", Continue},
    TextCommand{"gpa2hva", "ADDRESS: the place of a guest-physical address in vmm's memory", HostAddress},
    TextCommand{"help", "this text", Help},
    TextCommand{"info", "WHAT: cpus, mtree, registers, status or vmcs", Info},
    TextCommand{"nmi", "sends vCPU 0 a non-maskable interrupt", Nmi},
    TextCommand{"stop", "pauses the guest", Stop},
    TextCommand{"x", "/FMT ADDRESS: memory at a virtual address of vCPU 0", ExamineVirtual},
    TextCommand{"xp", "/FMT ADDRESS: memory at a physical address", Examine},
};

std::string Help(LiveGuest&, const Words&) {
  std::string text;
  for (const TextCommand& command : kCommands) absl::StrAppendFormat(&text, "%s -- %s\r\n", command.name, command.help);
  return text;
}

}  // namespace

std::string RunTextCommand(LiveGuest& guest, std::string_view line) {
  Words words =
      absl::StrSplit(absl::string_view(line.data(), line.size()), absl::ByAnyChar(" \t\r\n"), absl::SkipEmpty());
  if (words.empty()) return "";
  // "xp/8xb" and "xp /8xb" are the same.
  if (const size_t slash = words[0].find('/'); slash != std::string::npos) {
    words.insert(words.begin() + 1, words[0].substr(slash));
    words[0].resize(slash);
  }
  const auto found = std::ranges::find(kCommands, words[0], &TextCommand::name);
  return found == kCommands.end() ? Unknown(words) : found->run(guest, words);
}

}  // namespace vmm
