// A made-up guest whose kernel has everything that our code looks for: symbols, types, unwind tables, a log, a module,
// tasks. It has panicked on CPU 0; CPU 1 was interrupted while idle.
#ifndef DUMP_KERNEL_TESTING_MADE_UP_KERNEL_H_
#define DUMP_KERNEL_TESTING_MADE_UP_KERNEL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dump/kernel/find_kernel.h"
#include "dump/kernel/kernel_memory.h"
#include "dump/kernel/kernel_symbols.h"
#include "dump/kernel/orc.h"
#include "dump/testing/linux_guest.h"

namespace vmm {

// The layouts that it can have: three, each read in a different way.
inline constexpr OrcLayout kOrcLayouts[] = {OrcLayout::kTypeAndEnd, OrcLayout::kType3, OrcLayout::kType3Renumbered};

struct MadeUpKernelOptions {
  bool orc = true;
  bool btf = true;
  OrcLayout orc_layout = OrcLayout::kTypeAndEnd;
};

class MadeUpKernel {
 public:
  // Code. Each function is 0x100 bytes long and has the name that its comment gives. A size there is its stack frame's.
  static constexpr uint64_t kText = LinuxGuest::kText;
  static constexpr uint64_t kEtext = kText + 0x100000;
  static constexpr uint64_t kPanic = kText + 0x1000;       // panic: frame of 0x20 bytes
  static constexpr uint64_t kCaller = kText + 0x1100;      // sysrq_handle_crash: 0x10
  static constexpr uint64_t kSyscall = kText + 0x1200;     // do_syscall_64: 0, keeps RBP
  static constexpr uint64_t kEntry = kText + 0x1300;       // entry_SYSCALL_64: pt_regs at SP
  static constexpr uint64_t kIdle = kText + 0x1400;        // default_idle: 0, called by start_secondary
  static constexpr uint64_t kStart = kText + 0x1500;       // start_secondary: end of stack
  static constexpr uint64_t kInterrupt = kText + 0x1600;   // asm_sysvec_reboot: pt_regs at SP
  static constexpr uint64_t kStop = kText + 0x1700;        // stop_this_cpu: 0x18
  static constexpr uint64_t kStopOthers = kText + 0x3000;  // native_stop_other_cpus; with an ENDBR64 and ftrace's NOP
  static constexpr uint64_t kCrashStop = kText + 0x3100;   // crash_smp_send_stop; the same

  // The code of the module "pvpanic". It has one function, pvpanic_panic_notify, with a frame of 8 bytes.
  static constexpr uint64_t kModule = 0xffffffffc0400000;

  // Places of data that tests change.
  static constexpr uint64_t kData = kText + 0x220000;
  static constexpr uint64_t kPanicCpu = kData + 0x808;         // int, the CPU that panics
  static constexpr uint64_t kKexecCrashImage = kData + 0x818;  // pointer
  static constexpr uint64_t kModulesHead = kData + 0x1000;
  static constexpr uint64_t kModuleStruct = kData + 0x2000;
  static constexpr uint64_t kTasks = kData + 0x4000;  // init_task; 0x1000 further, CPU 0's task
  static constexpr uint64_t kPerCpu = kData + 0x8000;
  static constexpr uint64_t kSleepers = kData + 0xb000;  // tasks that wait, 0x1000 bytes each
  static constexpr uint64_t kOrcIps = kData + 0x10000;
  static constexpr uint64_t kOrcEntries = kData + 0x11000;
  static constexpr uint64_t kBtf = kData + 0x20000;
  static constexpr uint64_t kRing = kData + 0x30000;
  static constexpr uint64_t kDescs = kData + 0x31000;
  static constexpr uint64_t kInfos = kData + 0x32000;
  static constexpr uint64_t kLogText = kData + 0x34000;
  static constexpr uint64_t kKallsyms = kData + 0x40000;
  static constexpr uint32_t kDescCountBits = 4;
  static constexpr uint32_t kLogTextBits = 10;

  explicit MadeUpKernel(MadeUpKernelOptions options = {});
  // The same in a guest that exists already.
  MadeUpKernel(LinuxGuest& guest, MadeUpKernelOptions options);

  LinuxGuest& guest() { return *guest_; }
  const VmSnapshot& snapshot() { return guest_->snapshot(); }
  FoundKernel Find() { return FindKernel(guest_->snapshot()); }
  KernelMemory memory() { return KernelMemory(guest_->memory(), *Find().map); }

  // Adds a record to the log, as printk does; it may overwrite old ones.
  void Log(uint64_t time_ns, uint8_t level, std::string_view text);

  // Write to the image.
  void Put(uint64_t vaddr, std::string_view bytes);
  void PutWord(uint64_t vaddr, uint64_t word);
  void Put32(uint64_t vaddr, uint32_t word);
  GuestAddr Physical(uint64_t vaddr) const { return GuestAddr{vaddr - kText + LinuxGuest::kImagePhys}; }

  // RSP of CPU 0 or 1: the address on its stack where its innermost frame begins.
  uint64_t rsp(int cpu) { return guest_->snapshot().cpus[static_cast<size_t>(cpu)].rsp; }
  void PutStack(uint64_t vaddr, uint64_t word);

  const std::vector<Symbol>& symbols() const { return symbols_; }

 private:
  void PutAll();
  void PutSymbols();
  void PutOrc();
  void PutBtf();
  void PutLog();
  void PutModule();
  void PutTasks();
  void PutSleepers();
  void PutStacks();
  void PutVmcoreInfo();

  const MadeUpKernelOptions options_;
  std::unique_ptr<LinuxGuest> own_guest_;
  LinuxGuest* const guest_;
  std::vector<Symbol> symbols_;
  uint64_t btf_size_ = 0;
  uint64_t next_id_ = 0;
  uint64_t next_lpos_ = 0;
};

}  // namespace vmm

#endif  // DUMP_KERNEL_TESTING_MADE_UP_KERNEL_H_
