#include "dump/kernel/testing/made_up_kernel.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_format.h"
#include "dump/abi/pt_regs_abi.h"
#include "dump/kernel/testing/btf_builder.h"
#include "dump/kernel/testing/kallsyms_builder.h"

namespace vmm {
namespace {

constexpr uint64_t kPerCpuCurrent = 0x40;  // of current_task within a CPU's per-CPU area
constexpr uint64_t kCommOffset = 0x500;
constexpr uint64_t kThreadInfoCpu = 8;  // all further ones: within a task_struct
constexpr uint64_t kStateOffset = 0x18;
constexpr uint64_t kFlagsOffset = 0x20;
constexpr uint64_t kOnCpuOffset = 0x28;
constexpr uint64_t kTaskListOffset = 0x200;
constexpr uint64_t kExitStateOffset = 0x2f0;
constexpr uint64_t kTgidOffset = 0x304;
constexpr uint64_t kThreadOffset = 0x600;
constexpr uint64_t kPidOffset = 0x300;

// The first id of Linux's ring: one round before 0, so that ids soon wrap.
constexpr uint64_t kFirstId = (1ull << 62) - (1 << MadeUpKernel::kDescCountBits);

// Offsets in struct module.
constexpr uint64_t kListOffset = 8;
constexpr uint64_t kNameOffset = 24;
constexpr uint64_t kCoreOffset = 0x140;
constexpr uint64_t kKallsymsOffset = 0x180;
constexpr uint64_t kArchOffset = 0x1c0;

constexpr uint64_t kModulePhys = 0x2a00000;  // unused in LinuxGuest
constexpr uint64_t kModuleOrc = MadeUpKernel::kModuleStruct + 0x400;
constexpr uint64_t kModuleSymbols = MadeUpKernel::kModuleStruct + 0x600;

struct Orc {
  uint64_t ip;
  int16_t sp_offset, bp_offset;
  uint8_t sp_reg, bp_reg;
  int type;  // 0 call, 1 regs, -1 end of stack
};

// The numbers of SP (5) and PREV_SP (1) in `layout`.
uint16_t Register(uint8_t number, OrcLayout layout) {
  if (layout != OrcLayout::kType3Renumbered) return number;
  return number == 5 ? 3 : number == 1 ? 8 : number;
}

uint16_t Bits(const Orc& orc, OrcLayout layout) {
  const auto bits = static_cast<uint16_t>(Register(orc.sp_reg, layout) | Register(orc.bp_reg, layout) << 4);
  if (layout != OrcLayout::kTypeAndEnd) return static_cast<uint16_t>(bits | (orc.type < 0 ? 1 : orc.type + 2) << 8);
  return static_cast<uint16_t>(orc.type < 0 ? bits | 1 << 10 : bits | orc.type << 8);
}

}  // namespace

MadeUpKernel::MadeUpKernel(MadeUpKernelOptions options)
    : options_(options), own_guest_(std::make_unique<LinuxGuest>()), guest_(own_guest_.get()) {
  PutAll();
}

MadeUpKernel::MadeUpKernel(LinuxGuest& guest, MadeUpKernelOptions options) : options_(options), guest_(&guest) {
  PutAll();
}

void MadeUpKernel::PutAll() {
  PutBtf();
  PutSymbols();
  PutOrc();
  PutLog();
  PutModule();
  PutTasks();
  PutStacks();
  PutVmcoreInfo();
}

void MadeUpKernel::Put(uint64_t vaddr, std::string_view bytes) { guest_->Put(Physical(vaddr), bytes); }
void MadeUpKernel::PutWord(uint64_t vaddr, uint64_t word) { guest_->PutWord(Physical(vaddr), word); }
void MadeUpKernel::Put32(uint64_t vaddr, uint32_t word) {
  Put(vaddr, {reinterpret_cast<const char*>(&word), sizeof(word)});
}

void MadeUpKernel::PutSymbols() {
  symbols_ = ManyFunctions(kText + 0x10000, 600);
  const auto add = [&](uint64_t address, char type, std::string_view name) {
    symbols_.push_back({address, type, std::string(name)});
  };
  add(kPerCpuCurrent, 'A', "current_task");
  add(kText, 'T', "_stext");
  add(kText, 'T', "startup_64");
  add(kPanic, 'T', "panic"), add(kCaller, 't', "sysrq_handle_crash"), add(kSyscall, 'T', "do_syscall_64");
  add(kEntry, 'T', "entry_SYSCALL_64"), add(kIdle, 't', "default_idle"), add(kStart, 't', "start_secondary");
  add(kInterrupt, 'T', "asm_sysvec_reboot"), add(kStop, 'T', "stop_this_cpu"), add(kStop + 0x100, 'T', "after_stop");
  add(kStopOthers, 't', "native_stop_other_cpus"), add(kCrashStop, 'T', "crash_smp_send_stop");
  add(kCrashStop + 0x100, 'T', "after_crash_stop"), add(kEtext, 'T', "_etext");
  add(kData, 'R', "linux_banner");
  add(kData + 0x800, 'd', "prb"), add(kPanicCpu, 'D', "panic_cpu"), add(kData + 0x810, 'b', "tainted_mask");
  add(kKexecCrashImage, 'B', "kexec_crash_image");
  add(kData + 0x900, 'D', "__per_cpu_offset");
  add(kModulesHead, 'D', "modules");
  add(kTasks, 'D', "init_task");
  if (options_.orc) {
    add(kOrcIps, 'R', "__start_orc_unwind_ip"), add(kOrcIps + 4 * 9, 'R', "__stop_orc_unwind_ip");
    add(kOrcEntries, 'R', "__start_orc_unwind");
  }
  if (options_.btf) add(kBtf, 'R', "__start_BTF"), add(kBtf + btf_size_, 'R', "__stop_BTF");
  std::stable_sort(symbols_.begin(), symbols_.end(),
                   [](const Symbol& a, const Symbol& b) { return a.address < b.address; });
  const BuiltKallsyms built = BuildKallsyms(symbols_, kKallsyms);
  Put(kKallsyms, {reinterpret_cast<const char*>(built.bytes.data()), built.bytes.size()});
  Put(kData, "Linux version 6.1.0-56-cloud-amd64 (made up) #1 SMP\n");
  constexpr std::string_view kTraced("\xf3\x0f\x1e\xfa\x0f\x1f\x44\x00\x00\x55\x48", 11);
  Put(kStopOthers, kTraced), Put(kCrashStop, kTraced);
  Put32(kPanicCpu, 0);
  PutWord(kData + 0x810, 1 << 9);  // tainted: warned
}

void MadeUpKernel::PutOrc() {
  const Orc table[9] = {
      {kPanic, 0x28, 0, 5, 0, 0},  {kCaller, 0x18, 0, 5, 0, 0}, {kSyscall, 0x10, -0x10, 5, 1, 0},
      {kEntry, 0, 0, 5, 0, 1},     {kIdle, 8, 0, 5, 0, 0},      {kStart, 0, 0, 0, 0, -1},
      {kInterrupt, 0, 0, 5, 0, 1}, {kStop, 0x20, 0, 5, 0, 0},   {kStop + 0x100, 8, 0, 5, 0, 0},
  };
  for (size_t i = 0; i < std::size(table); ++i) {
    Put32(kOrcIps + 4 * i, static_cast<uint32_t>(table[i].ip - (kOrcIps + 4 * i)));
    const uint16_t words[] = {static_cast<uint16_t>(table[i].sp_offset), static_cast<uint16_t>(table[i].bp_offset),
                              Bits(table[i], options_.orc_layout)};
    Put(kOrcEntries + 6 * i, {reinterpret_cast<const char*>(words), sizeof(words)});
  }
}

void MadeUpKernel::PutBtf() {
  BtfBuilder btf;
  const uint32_t u64 = btf.Int("long unsigned int", 8);
  const uint32_t u32 = btf.Int("unsigned int", 4);
  const uint32_t character = btf.Int("char", 1);
  const uint32_t comm = btf.Array(character, 16);
  const uint32_t name = btf.Array(character, 56);
  const uint32_t pid = btf.Typedef("pid_t", u32);
  const uint32_t thread = btf.Struct("thread_struct", 0x10, {{"sp", u64, 8}});
  const uint32_t thread_info = btf.Struct("thread_info", 0x10, {{"cpu", u32, kThreadInfoCpu}});
  btf.Struct("task_struct", 0x1000,
             {{"thread_info", thread_info, 0},
              {"__state", u32, kStateOffset},
              {"flags", u32, kFlagsOffset},
              {"on_cpu", u32, kOnCpuOffset},
              {"tasks", u64, kTaskListOffset},
              {"exit_state", u32, kExitStateOffset},
              {"pid", pid, kPidOffset},
              {"tgid", pid, kTgidOffset},
              {"comm", comm, kCommOffset},
              {"thread", thread, kThreadOffset}});
  const uint32_t layout = btf.Struct("module_layout", 0x40, {{"base", u64, 0}, {"size", u32, 8}});
  const uint32_t arch =
      btf.Struct("mod_arch_specific", 24, {{"num_orcs", u32, 0}, {"orc_unwind_ip", u64, 8}, {"orc_unwind", u64, 16}});
  btf.Struct("module", 0x380,
             {{"list", u64, kListOffset},
              {"name", name, kNameOffset},
              {"core_layout", layout, kCoreOffset},
              {"kallsyms", u64, kKallsymsOffset},
              {"arch", arch, kArchOffset}});
  btf.Struct("mod_kallsyms", 32, {{"symtab", u64, 0}, {"num_symtab", u32, 8}, {"strtab", u64, 16}});
  const std::vector<uint8_t> bytes = btf.Build();
  btf_size_ = bytes.size();
  Put(kBtf, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void MadeUpKernel::PutLog() {
  PutWord(kData + 0x800, kRing);
  Put32(kRing, kDescCountBits);
  PutWord(kRing + 8, kDescs);
  PutWord(kRing + 16, kInfos);
  Put32(kRing + 48, kLogTextBits);
  PutWord(kRing + 56, kLogText);
  next_id_ = kFirstId;
  PutWord(kRing + 24, kFirstId);
  PutWord(kRing + 32, kFirstId);
  Log(0, 5, "Linux version 6.1.0-56-cloud-amd64 (made up) #1 SMP");
  Log(1'234'567'891, 6, "two\nlines");
  Log(3'000'001'000, 0, "Kernel panic - not syncing: sysrq triggered crash");
}

void MadeUpKernel::Log(uint64_t time_ns, uint8_t level, std::string_view text) {
  constexpr uint64_t kCount = 1 << kDescCountBits;
  constexpr uint64_t kSize = 1 << kLogTextBits;
  const uint64_t slot = next_id_ % kCount;
  const uint64_t block = AlignUp(8 + text.size(), 8);
  const uint64_t begin = next_lpos_;
  const bool wraps = begin % kSize + block > kSize;
  const uint64_t data = wraps ? 0 : begin % kSize;
  next_lpos_ = wraps ? AlignUp(begin, kSize) + block : begin + block;
  PutWord(kLogText + data, next_id_);
  Put(kLogText + data + 8, text);
  PutWord(kDescs + 24 * slot, next_id_ | 2ull << 62);  // finalized
  PutWord(kDescs + 24 * slot + 8, begin);
  PutWord(kDescs + 24 * slot + 16, next_lpos_);
  PutWord(kInfos + 88 * slot, (next_id_ - kFirstId) & ((1ull << 62) - 1));
  PutWord(kInfos + 88 * slot + 8, time_ns);
  Put32(kInfos + 88 * slot + 16, static_cast<uint32_t>(text.size()) | uint32_t{level} << 29);
  PutWord(kRing + 24, next_id_);  // head
  const uint64_t tail = (next_id_ - (kCount - 1)) & ((1ull << 62) - 1);
  if (((next_id_ - kFirstId) & ((1ull << 62) - 1)) >= kCount - 1) PutWord(kRing + 32, tail);
  next_id_ = (next_id_ + 1) & ((1ull << 62) - 1);
}

void MadeUpKernel::PutModule() {
  guest_->Map(guest_->swapper(), kModule, GuestAddr{kModulePhys}, kPageSize);
  PutWord(kModulesHead, kModuleStruct + kListOffset);
  PutWord(kModuleStruct + kListOffset, kModulesHead);
  Put(kModuleStruct + kNameOffset, "pvpanic");
  PutWord(kModuleStruct + kCoreOffset, kModule);
  Put32(kModuleStruct + kCoreOffset + 8, kPageSize);
  Put32(kModuleStruct + kArchOffset, 1);
  PutWord(kModuleStruct + kArchOffset + 8, kModuleOrc);
  PutWord(kModuleStruct + kArchOffset + 16, kModuleOrc + 0x100);
  Put32(kModuleOrc, static_cast<uint32_t>(kModule - kModuleOrc));
  const uint16_t entry[] = {0x10, 0, Bits({kModule, 0x10, 0, 5, 0, 0}, options_.orc_layout)};
  Put(kModuleOrc + 0x100, {reinterpret_cast<const char*>(entry), sizeof(entry)});

  PutWord(kModuleStruct + kKallsymsOffset, kModuleSymbols);
  PutWord(kModuleSymbols, kModuleSymbols + 0x40);
  Put32(kModuleSymbols + 8, 2);
  PutWord(kModuleSymbols + 16, kModuleSymbols + 0x100);
  Elf64_Sym symbols[2] = {};
  symbols[1].st_name = 1;
  symbols[1].st_value = kModule;
  Put(kModuleSymbols + 0x40, {reinterpret_cast<const char*>(symbols), sizeof(symbols)});
  Put(kModuleSymbols + 0x101, "pvpanic_panic_notify");
}

void MadeUpKernel::PutTasks() {
  Put(kTasks + kCommOffset, "swapper/0");
  Put(kTasks + 0x1000 + kCommOffset, "sh");
  Put32(kTasks + 0x1000 + kPidOffset, 96);
  for (uint64_t cpu = 0; cpu < 2; ++cpu) {
    PutWord(kData + 0x900 + 8 * cpu, kPerCpu + 0x1000 * cpu);
    PutWord(kPerCpu + 0x1000 * cpu + kPerCpuCurrent, cpu == 0 ? kTasks + 0x1000 : kTasks);
  }
  PutSleepers();
}

// Two tasks and a kernel thread that went to sleep in sysrq_handle_crash, called by start_secondary. They follow the
// two tasks on CPUs in the list.
void MadeUpKernel::PutSleepers() {
  constexpr uint32_t kUninterruptible = 2, kIdle = 0x402, kKernelThread = 0x200000;
  const auto address = [](uint64_t i) { return i < 2 ? kTasks + 0x1000 * i : kSleepers + 0x1000 * (i - 2); };
  constexpr uint64_t kCount = 5;
  for (uint64_t i = 0; i < kCount; ++i) {
    PutWord(address(i) + kTaskListOffset, address((i + 1) % kCount) + kTaskListOffset);
    if (i < 2) {
      Put32(address(i) + kOnCpuOffset, 1);
      Put32(address(i) + kThreadInfoCpu, i == 0 ? 1 : 0);
      continue;
    }
    const bool kernel_thread = i + 1 == kCount;
    Put(address(i) + kCommOffset, kernel_thread ? "kworker/1:0" : "dd");
    Put32(address(i) + kPidOffset, static_cast<uint32_t>(99 + i));
    Put32(address(i) + kTgidOffset, static_cast<uint32_t>(99 + i));
    Put32(address(i) + kStateOffset, kernel_thread ? kIdle : kUninterruptible);
    if (kernel_thread) Put32(address(i) + kFlagsOffset, kKernelThread);
    const uint64_t sp = address(i) + 0x800;  // what __switch_to_asm pushed: six registers and a return address
    PutWord(address(i) + kThreadOffset + 8, sp);
    PutWord(sp + 0x30, kCaller + 0x16);
    PutWord(sp + 0x38 + 0x10, kStart + 0x2a);
  }
}

void MadeUpKernel::PutStack(uint64_t vaddr, uint64_t word) {
  // As LinuxGuest lays them out: pages 0 and 1 of a stack, then, after a gap, 2 and 3.
  for (uint64_t cpu = 0; cpu < 2; ++cpu) {
    const uint64_t offset = vaddr - guest_->stack(static_cast<int>(cpu));
    if (offset >= 4 * kPageSize) continue;
    const uint64_t phys = 0x2400000 + 0x10000 * cpu + offset + (offset >= 2 * kPageSize ? 2 * kPageSize : 0);
    guest_->PutWord(GuestAddr{phys}, word);
  }
}

// CPU 0, innermost first: pvpanic_panic_notify, panic, sysrq_handle_crash, do_syscall_64, entry_SYSCALL_64 from user
// mode. CPU 1: stop_this_cpu in an interrupt, over default_idle, start_secondary.
void MadeUpKernel::PutStacks() {
  std::vector<CpuState>& cpus = guest_->snapshot().cpus;
  uint64_t sp = guest_->stack(0) + 0x3000;
  cpus[0].rip = kModule + 0x60;
  cpus[0].rsp = sp;
  cpus[0].rbp = 0x5555;
  cpus[0].cs.selector = 0x10;
  PutStack(sp + 8, kPanic + 0x77);
  PutStack(sp + 0x10 + 0x20, kCaller + 0x16);
  PutStack(sp + 0x38 + 0x10, kSyscall + 0x5d);
  PutStack(sp + 0x50, 0xb0b0b0b0);  // the RBP that do_syscall_64 has saved
  PutStack(sp + 0x58, kEntry + 0x6e);
  const uint64_t regs = sp + 0x60;
  PutStack(regs + offsetof(PtRegs, ip), 0x47b7a0);
  PutStack(regs + offsetof(PtRegs, cs), 0x33);
  PutStack(regs + offsetof(PtRegs, sp), 0x7ffe00001000);
  PutStack(regs + offsetof(PtRegs, orig_ax), 1);
  if (cpus.size() < 2) return;

  sp = guest_->stack(1) + 0x2000;
  cpus[1].rip = kStop + 0x60;
  cpus[1].rsp = sp;
  cpus[1].cs.selector = 0x10;
  PutStack(sp + 0x18, kInterrupt + 0x16);
  const uint64_t interrupted = sp + 0x20;
  PutStack(interrupted + offsetof(PtRegs, ip), kIdle + 0xb);
  PutStack(interrupted + offsetof(PtRegs, cs), 0x10);
  PutStack(interrupted + offsetof(PtRegs, sp), interrupted + sizeof(PtRegs));
  PutStack(interrupted + sizeof(PtRegs), kStart + 0x2a);
}

void MadeUpKernel::PutVmcoreInfo() {
  std::string text = guest_->VmcoreInfoText();
  text += absl::StrFormat("SYMBOL(prb)=%x\n", kData + 0x800);
  text +=
      "SIZE(printk_ringbuffer)=88\nOFFSET(printk_ringbuffer.desc_ring)=0\nOFFSET(printk_ringbuffer.text_data_ring)=48\n"
      "OFFSET(prb_desc_ring.count_bits)=0\nOFFSET(prb_desc_ring.descs)=8\nOFFSET(prb_desc_ring.infos)=16\n"
      "OFFSET(prb_desc_ring.head_id)=24\nOFFSET(prb_desc_ring.tail_id)=32\nSIZE(prb_desc)=24\n"
      "OFFSET(prb_desc.state_var)=0\nOFFSET(prb_desc.text_blk_lpos)=8\nOFFSET(prb_data_blk_lpos.begin)=0\n"
      "OFFSET(prb_data_blk_lpos.next)=8\nSIZE(printk_info)=88\nOFFSET(printk_info.seq)=0\n"
      "OFFSET(printk_info.ts_nsec)=8\nOFFSET(printk_info.text_len)=16\nOFFSET(printk_info.caller_id)=20\n"
      "OFFSET(prb_data_ring.size_bits)=0\nOFFSET(prb_data_ring.data)=8\n";
  guest_->PutNote(LinuxGuest::kNote, text);
}

}  // namespace vmm
