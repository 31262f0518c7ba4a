#include "dump/check/check_notes.h"

#include <elf.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "absl/strings/str_format.h"
#include "dump/abi/elf_core_abi.h"
#include "dump/xen/abi/xen_abi.h"
#include "dump/xen/abi/xen_note_abi.h"

namespace vmm {
namespace {

using enum Reader;
using enum Harm;

// By these types crash takes a note for one of its own, whatever the note's name is (netdump.c).
constexpr uint32_t kXenCrashInfo = 0x1000001, kXenCrashRegs = 0x1000002, kXenDumpCoreNone = 0x10000001;
constexpr uint32_t kDiskdump = 0x70000001, kVmcoredd = 0x700, kS390First = 0x301, kS390Last = 0x30a;
bool IsTypeThatCrashKnows(uint32_t type) {
  return (type >= NT_PRSTATUS && type <= NT_TASKSTRUCT) || (type >= kS390First && type <= kS390Last) ||
         type == kVmcoredd || type == kDiskdump || type == kXenCrashInfo || type == kXenCrashRegs ||
         type == kXenDumpCoreNone;
}
bool MayHaveSuchAType(const VmcoreNote& note) {
  return note.name == "CORE" || note.name == "LINUX" || note.name == "VMCOREDD" || note.name == "Xen" ||
         note.name == "DISKDUMP";
}

class NotesCheck {
 public:
  explicit NotesCheck(const Vmcore& core) : core_(core) {
    for (const VmcoreNote& note : core.notes()) {
      if (note.name == "CORE" && note.type == NT_PRSTATUS) prstatus_.push_back(&note);
      if (note.name == "QEMU" && note.type == 0) qemu_.push_back(&note);
    }
    vmcoreinfo_ = core.FindNote("VMCOREINFO");
    const auto& info = core.vmcoreinfo();
    has_crashtime_ = info.has_value() && info->Value("CRASHTIME").has_value();
  }

  std::vector<Finding> Run() {
    CheckPrstatus();
    CheckPids();
    const bool xen = IsXenMachines(core_);
    xen ? CheckXen() : CheckQemu();
    if (!xen) CheckXenDomain();
    CheckNameSizes();
    CheckOrder();
    CheckTypes();
    if (!xen) CheckVmcoreInfo();
    return std::move(findings_);
  }

 private:
  void Add(std::string rule, std::string what, std::vector<Breakage> breaks = {}) {
    findings_.push_back({std::move(rule), std::move(what), std::move(breaks)});
  }

  // True for a core that the dying kernel made itself, by kdump. Its registers are as the kernel saved them, for the
  // CPUs that were online. Other rules hold for its notes.
  bool IsKdumps() const { return has_crashtime_ && qemu_.empty(); }

  void CheckPrstatus() {
    if (prstatus_.empty()) {
      Add("prstatus", "there is no PRSTATUS note (CORE, type 1): no registers",
          {{kCrash, kLess, "backtraces of tasks that were running are guesses"},
           {kDrgn, kLess, "tasks that were running have no backtrace"},
           {kGdb, kWrong, "it finds no thread"},
           {kLibkdumpfile, kLess, "it gives no registers"}});
    }
    for (size_t i = 0; i < prstatus_.size(); ++i) {
      const size_t size = prstatus_[i]->desc.size();
      if (size == sizeof(ElfPrstatus)) continue;
      std::vector<Breakage> breaks = {{kCrash, kWrong, "it counts back from the note's end to the registers"},
                                      {kGdb, kWrong, "it knows the note by its size, and finds no thread"}};
      if (size < sizeof(ElfPrstatus)) {
        breaks.push_back({kDrgn, kWrong, "it has no registers of that CPU"});
        breaks.push_back({kLibkdumpfile, kWrong, "it has no registers of that CPU"});
      }
      Add("prstatus-size", absl::StrFormat("PRSTATUS note %d has %d bytes, not %d", i, size, sizeof(ElfPrstatus)),
          breaks);
      return;
    }
  }

  static int32_t PidOf(const VmcoreNote& note) {
    int32_t pid = 0;
    constexpr size_t kOffset = offsetof(ElfPrstatus, pr_pid);
    if (note.desc.size() >= kOffset + sizeof(pid)) std::memcpy(&pid, note.desc.data() + kOffset, sizeof(pid));
    return pid;
  }

  void CheckPids() {
    if (IsKdumps()) return;
    std::vector<int32_t> pids;
    for (const VmcoreNote* note : prstatus_) pids.push_back(PidOf(*note));
    const auto counts_from = [](const std::vector<int32_t>& numbers, int32_t start) {
      for (size_t i = 0; i < numbers.size(); ++i) {
        if (numbers[i] != start + static_cast<int32_t>(i)) return false;
      }
      return true;
    };
    if (counts_from(pids, 1)) return;
    if (counts_from(pids, 0)) {
      Add("pr_pid", "pr_pid counts CPUs from 0, not from 1",
          {{kDrgn, kWrong,
            "from 0.0.27 on it looks the task of CPU n up by n + 1, and gives it the next CPU's stack"}});
      return;
    }
    std::vector<int32_t> sorted = pids;
    std::sort(sorted.begin(), sorted.end());
    if (counts_from(sorted, 1)) {
      Add("prstatus-order", "the PRSTATUS notes are not in the order of their CPUs",
          {{kCrash, kWrong, "it takes note i for CPU i"}, {kLibkdumpfile, kWrong, "it takes note i for CPU i"}});
      return;
    }
    const size_t at = static_cast<size_t>(
        std::find_if(pids.begin(), pids.end(), [&, i = 0](int32_t pid) mutable { return pid != ++i; }) - pids.begin());
    Add("pr_pid", absl::StrFormat("pr_pid of PRSTATUS note %d is %d, not %d", at, pids[at], at + 1),
        {{kDrgn, kWrong, "from 0.0.27 on it looks the task of CPU n up by n + 1"}});
  }

  void CheckQemu() {
    if (IsKdumps()) return;
    if (qemu_.empty()) {
      Add("qemu-notes", "there are no QEMU notes",
          {{kCrash, kWrong,
            "it then takes notes for online CPUs only, and after a panic all others are offline: "
            "backtraces of other CPUs are wrong"}});
      return;
    }
    if (qemu_.size() != prstatus_.size()) {
      Add("qemu-notes",
          absl::StrFormat("there are %d QEMU notes for %d PRSTATUS notes", qemu_.size(), prstatus_.size()),
          {{kCrash, kWrong, "it takes note i of either kind for CPU i"}});
    }
    constexpr size_t kShort = offsetof(QemuCpuState, kernel_gs_base);
    for (size_t i = 0; i < qemu_.size(); ++i) {
      uint32_t head[2] = {};
      const std::vector<uint8_t>& desc = qemu_[i]->desc;
      if (desc.size() >= sizeof(head)) std::memcpy(head, desc.data(), sizeof(head));
      const bool size_fits = desc.size() == sizeof(QemuCpuState) || desc.size() == kShort;
      if (size_fits && head[0] == kQemuCpuStateVersion && head[1] == desc.size()) continue;
      Add("qemu-note-size",
          absl::StrFormat("QEMU note %d has %d bytes and says version %d, size %d; wanted are version 1, size %d", i,
                          desc.size(), head[0], head[1], sizeof(QemuCpuState)),
          {{kCrash, kWrong, "it reads CR3 and the IDT's base out of it at fixed offsets"}});
      return;
    }
  }

  // docs/abi/xen-notes.md
  void CheckXen() {
    const std::string how = "it knows nothing of Xen; `vmcore guest --extract` makes a vmcore of one domain";
    Add("xen", "it is of a whole machine with Xen, and crash takes it for dom0's",
        {{kDrgn, kRefused, how},
         {kGdb, kRefused, how},
         {kMakedumpfile, kRefused, how},
         {kLibkdumpfile, kRefused, how}});
    if (!qemu_.empty()) {
      Add("xen-qemu-notes", "there are QEMU notes beside Xen's note",
          {{kCrash, kRefused, "it then goes by CR3 before it has dom0's p2m, and gives up"}});
    }
  }

  // A PV kernel runs with a selector of Xen's, and `vmcore guest --extract` shows it with privilege 0.
  void CheckXenDomain() {
    const auto in_pv_kernel = [](const CpuState& cpu) {
      return cpu.started && (cpu.cs.selector | 3) == kXenGuestKernelCs;
    };
    if (!std::ranges::any_of(core_.cpus(), in_pv_kernel)) return;
    Add("xen-domain", "it is of a PV domain of Xen, taken out of its machine",
        {{kCrash, kRefused,
          "it sees that the kernel ran under Xen and wants the domain's p2m; it opens the core of the whole machine"}});
  }

  // namesz must count a name with its NUL, and nothing after it.
  void CheckNameSizes() {
    for (const VmcoreNote& note : core_.notes()) {
      const bool known = note.name == "CORE" || note.name == "QEMU" || note.name == "VMCOREINFO";
      if (!known || note.namesz == note.name.size() + 1) continue;
      Add("n_namesz",
          absl::StrFormat("n_namesz of a %s note is %d, not %d", note.name, note.namesz, note.name.size() + 1),
          {{kDrgn, note.name == "VMCOREINFO" ? kRefused : kWrong, "it knows a note by its name and that size only"},
           {kLibkdumpfile, kWrong, "it passes over the note"}});
      return;
    }
  }

  void CheckOrder() {
    int stage = 0;
    for (const VmcoreNote& note : core_.notes()) {
      const int wanted = note.name == "CORE" ? 0 : note.name == "QEMU" ? 1 : note.name == "VMCOREINFO" ? 2 : 3;
      if (wanted < stage && !IsKdumps()) {
        Add("note-order",
            absl::StrFormat("a %s note comes late: the order is CORE, QEMU, VMCOREINFO, others", note.name));
        return;
      }
      stage = std::max(stage, wanted);
    }
  }

  void CheckTypes() {
    for (const VmcoreNote& note : core_.notes()) {
      if (!IsTypeThatCrashKnows(note.type) || MayHaveSuchAType(note)) continue;
      Add("note-type", absl::StrFormat("a %s note has type %#x, which is another's", note.name, note.type),
          {{kCrash, kWrong, "it goes by the type before the name, and takes it for the other"}});
      return;
    }
  }

  void CheckVmcoreInfo() {
    if (vmcoreinfo_ == nullptr) {
      std::vector<Breakage> breaks = {{kDrgn, kRefused, "it opens no kernel's core without"},
                                      {kMakedumpfile, kRefused, "it knows nothing of the kernel without"},
                                      {kLibkdumpfile, kWrong, "it finds no page tables without"}};
      if (qemu_.empty()) {
        breaks.push_back({kCrash, kRefused, "without QEMU notes too it cannot find out where KASLR put the kernel"});
      } else {
        breaks.push_back({kCrash, kLess, "it finds the kernel by CR3, and `crash --osrelease` says unknown"});
      }
      Add("vmcoreinfo", "there is no VMCOREINFO note", breaks);
      return;
    }
    const std::string_view text(reinterpret_cast<const char*>(vmcoreinfo_->desc.data()), vmcoreinfo_->desc.size());
    const auto& info = core_.vmcoreinfo();
    if (!info.has_value()) return;  // already reported as a fault of the file
    if (info->Value("PAGESIZE") != "4096" || info->Symbol("swapper_pg_dir").value_or(0) == 0) {
      Add("vmcoreinfo-keys", "VMCOREINFO has no PAGESIZE of 4096 or no SYMBOL(swapper_pg_dir)",
          {{kDrgn, kRefused, "it wants both"}, {kMakedumpfile, kRefused, "it wants the page size"}});
    }
    if (!info->Number("phys_base").has_value()) {
      Add("vmcoreinfo-phys-base", "VMCOREINFO has no NUMBER(phys_base)",
          {{kCrash, kLess, "it takes phys_base from a PT_LOAD"},
           {kMakedumpfile, kLess, "it takes phys_base from a PT_LOAD"}});
    }
    if (!text.ends_with('\n')) {
      Add("vmcoreinfo-cut", "VMCOREINFO does not end at the end of a line: n_descsz is not that of the text",
          {{kMakedumpfile, kLess, "the last keys may be missing or damaged"}});
    }
    if (has_crashtime_ && !qemu_.empty()) {
      Add("crashtime", "VMCOREINFO has CRASHTIME, which only a kernel that dumped itself writes",
          {{kDrgn, kWrong,
            "it leaves the PRSTATUS notes aside and reads the kernel's crash_notes, which nobody filled"}});
    }
  }

  const Vmcore& core_;
  std::vector<const VmcoreNote*> prstatus_;
  std::vector<const VmcoreNote*> qemu_;
  const VmcoreNote* vmcoreinfo_ = nullptr;
  bool has_crashtime_ = false;
  std::vector<Finding> findings_;
};

}  // namespace

bool IsXenMachines(const Vmcore& core) {
  return std::ranges::any_of(core.notes(), [](const VmcoreNote& note) {
    return note.name == kXenNoteName && note.type == kXenCrashInfoType && note.desc.size() == sizeof(XenCrashInfo);
  });
}

std::vector<Finding> CheckNotes(const Vmcore& core) { return NotesCheck(core).Run(); }

}  // namespace vmm
