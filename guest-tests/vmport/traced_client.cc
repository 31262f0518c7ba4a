#include "guest-tests/vmport/traced_client.h"

#include <cpuid.h>
#include <elf.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string_view>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "base/unique_fd.h"

namespace vmm {
namespace {

constexpr uint8_t kInEaxDx = 0xed;
constexpr uint8_t kInt3 = 0xcc;
constexpr std::string_view kCpuid = "\x0f\xa2";
constexpr size_t kMaxIns = 1'000'000;
constexpr uint32_t kHypervisorLeaf = 0x40000000;
constexpr uint32_t kHypervisorBit = 1u << 31;  // leaf 1, ECX

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError("cannot open " + path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string ReadBack(const UniqueFd& fd) {
  std::string text;
  std::array<char, 4096> buffer;
  ssize_t got;
  while ((got = pread(fd.get(), buffer.data(), buffer.size(), static_cast<off_t>(text.size()))) > 0) {
    text.append(buffer.data(), static_cast<size_t>(got));
  }
  return text;
}

// The addresses of the CPUID instructions of a program or library, as linked, and its entry point.
struct Program {
  uint64_t entry = 0;
  std::vector<uint64_t> cpuids;
};

absl::StatusOr<Program> FindCpuids(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string file, ReadFile(path));
  Elf64_Ehdr header;
  if (file.size() < sizeof(header)) return absl::InvalidArgumentError(path + " is no ELF program");
  std::memcpy(&header, file.data(), sizeof(header));
  Program program;
  program.entry = header.e_entry;
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    const size_t at = header.e_phoff + i * sizeof(segment);
    if (at + sizeof(segment) > file.size()) return absl::InvalidArgumentError(path + " is cut");
    std::memcpy(&segment, file.data() + at, sizeof(segment));
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0 || segment.p_offset > file.size()) continue;
    const std::string_view code = std::string_view(file).substr(segment.p_offset, segment.p_filesz);
    for (size_t found = code.find(kCpuid); found != code.npos; found = code.find(kCpuid, found + 1)) {
      program.cpuids.push_back(segment.p_vaddr + found);
    }
  }
  return program;
}

class Tracer {
 public:
  Tracer(pid_t pid, const TraceOptions& options) : pid_(pid), options_(options) {}
  ~Tracer() {
    if (ended_) return;
    kill(pid_, SIGKILL);
    int status = 0;
    while (waitpid(-1, &status, __WALL) > 0) {
    }
  }

  // Runs the program from the stop after exec to its end.
  absl::Status Run(const std::string& path, TracedRun& run) {
    int status = 0;
    pid_t thread = 0;
    RETURN_IF_ERROR(Wait(thread, status));
    if (!WIFSTOPPED(status)) return absl::InternalError("the program did not start");
    if (ptrace(PTRACE_SETOPTIONS, pid_, nullptr, PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL) != 0) {
      return ErrnoStatus(errno, "PTRACE_SETOPTIONS");
    }
    RETURN_IF_ERROR(StopAtEntry(path));
    thread = pid_;
    int signal = 0;
    while (true) {
      // A thread that was killed meanwhile is gone; the next wait reports its end.
      if (ptrace(PTRACE_CONT, thread, nullptr, signal) != 0 && errno != ESRCH) return ErrnoStatus(errno, "PTRACE_CONT");
      do {
        RETURN_IF_ERROR(Wait(thread, status));
        if (thread == pid_ && !WIFSTOPPED(status)) {
          ended_ = true;
          run.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
          return absl::OkStatus();
        }
      } while (!WIFSTOPPED(status));
      ASSIGN_OR_RETURN(const bool answered, Answer(thread, status, run));
      signal = answered ? 0 : WSTOPSIG(status);
      if (run.asked.size() > kMaxIns) return absl::DeadlineExceededError("the program never stops asking");
      if (answered && options_.done && options_.done()) kill(pid_, SIGKILL);
    }
  }

 private:
  static absl::Status Wait(pid_t& thread, int& status) {
    while ((thread = waitpid(-1, &status, __WALL)) < 0) {
      if (errno != EINTR) return ErrnoStatus(errno, "waitpid");
    }
    return absl::OkStatus();
  }

  // At the entry point the dynamic linker is done: the libraries are mapped.
  absl::Status StopAtEntry(const std::string& path) {
    memory_ = UniqueFd(open(absl::StrFormat("/proc/%d/mem", pid_).c_str(), O_RDWR | O_CLOEXEC));
    if (!memory_.valid()) return ErrnoStatus(errno, "open the program's memory");
    ASSIGN_OR_RETURN(program_, FindCpuids(path));
    ASSIGN_OR_RETURN(const std::string auxv, ReadFile(absl::StrFormat("/proc/%d/auxv", pid_)));
    for (size_t at = 0; at + sizeof(Elf64_auxv_t) <= auxv.size(); at += sizeof(Elf64_auxv_t)) {
      Elf64_auxv_t entry;
      std::memcpy(&entry, auxv.data() + at, sizeof(entry));
      if (entry.a_type == AT_ENTRY) entry_ = entry.a_un.a_val;
    }
    if (pread(memory_.get(), &at_entry_, 1, static_cast<off_t>(entry_)) != 1)
      return ErrnoStatus(errno, "read the entry");
    return Poke(entry_, kInt3);
  }

  absl::Status Poke(uint64_t address, uint8_t byte) {
    if (pwrite(memory_.get(), &byte, 1, static_cast<off_t>(address)) == 1) return absl::OkStatus();
    return ErrnoStatus(errno, "write the program's code");
  }

  absl::Status PlaceBreakpoints() {
    RETURN_IF_ERROR(Poke(entry_, at_entry_));
    RETURN_IF_ERROR(PlaceBreakpoints(program_, entry_ - program_.entry));
    // The first line of the list that names a library is the start of that library.
    ASSIGN_OR_RETURN(const std::string maps, ReadFile(absl::StrFormat("/proc/%d/maps", pid_)));
    std::map<std::string, uint64_t> libraries;
    std::istringstream lines(maps);
    for (std::string line; std::getline(lines, line);) {
      const size_t path = line.find('/');
      if (path == line.npos || line.find("/libvmtools.so") == line.npos) continue;
      libraries.emplace(line.substr(path), std::stoull(line, nullptr, 16));
    }
    for (const auto& [path, bias] : libraries) {
      ASSIGN_OR_RETURN(const Program library, FindCpuids(path));
      RETURN_IF_ERROR(PlaceBreakpoints(library, bias));
    }
    return absl::OkStatus();
  }

  absl::Status PlaceBreakpoints(const Program& program, uint64_t bias) {
    for (const uint64_t cpuid : program.cpuids) {
      RETURN_IF_ERROR(Poke(bias + cpuid, kInt3));
      breakpoints_.insert(bias + cpuid);
    }
    return absl::OkStatus();
  }

  // True if the signal was ours to answer; otherwise it is the program's.
  absl::StatusOr<bool> Answer(pid_t thread, int status, TracedRun& run) {
    const int signal = WSTOPSIG(status);
    if (status >> 16 == PTRACE_EVENT_CLONE) return true;
    if (signal == SIGSTOP && thread != pid_ && threads_.insert(thread).second) return true;  // a thread's first stop
    user_regs_struct regs;
    if (ptrace(PTRACE_GETREGS, thread, nullptr, &regs) != 0) {
      if (errno == ESRCH) return true;
      return ErrnoStatus(errno, "PTRACE_GETREGS");
    }
    if (signal == SIGTRAP && regs.rip - 1 == entry_ && breakpoints_.empty()) {
      RETURN_IF_ERROR(PlaceBreakpoints());
      regs.rip -= 1;
    } else if (signal == SIGTRAP && breakpoints_.contains(regs.rip - 1)) {
      AnswerCpuid(regs);
      regs.rip += kCpuid.size() - 1;
    } else if (signal == SIGSEGV && IsIn(regs.rip)) {
      AnswerIn(regs, run);
      regs.rip += 1;
    } else {
      return false;
    }
    if (ptrace(PTRACE_SETREGS, thread, nullptr, &regs) != 0) return ErrnoStatus(errno, "PTRACE_SETREGS");
    return true;
  }

  bool IsIn(uint64_t rip) const {
    uint8_t opcode = 0;
    return pread(memory_.get(), &opcode, 1, static_cast<off_t>(rip)) == 1 && opcode == kInEaxDx;
  }

  // An IN writes EAX and so clears RAX's high half; in the other registers only the low half changes.
  void AnswerIn(user_regs_struct& regs, TracedRun& run) {
    const auto low = [](unsigned long long value) { return static_cast<uint32_t>(value); };
    BackdoorRegisters in = {low(regs.rax), low(regs.rbx), low(regs.rcx), low(regs.rdx),
                            low(regs.rsi), low(regs.rdi), low(regs.rbp)};
    run.asked.push_back(in);
    options_.on_in(in);
    run.answered.push_back(in);
    const auto set = [](unsigned long long& reg, uint32_t value) { reg = (reg >> 32 << 32) | value; };
    regs.rax = in.eax;
    set(regs.rbx, in.ebx);
    set(regs.rcx, in.ecx);
    set(regs.rdx, in.edx);
    set(regs.rsi, in.esi);
    set(regs.rdi, in.edi);
    set(regs.rbp, in.ebp);
  }

  void AnswerCpuid(user_regs_struct& regs) const {
    const auto leaf = static_cast<uint32_t>(regs.rax);
    uint32_t a = 0, b = 0, c = 0, d = 0;
    if (leaf >> 16 != kHypervisorLeaf >> 16) {
      __cpuid_count(leaf, static_cast<uint32_t>(regs.rcx), a, b, c, d);
      if (leaf == 1) c = options_.hypervisor.empty() ? c & ~kHypervisorBit : c | kHypervisorBit;
    } else if (leaf == kHypervisorLeaf && !options_.hypervisor.empty()) {
      std::array<char, 12> name = {};
      options_.hypervisor.copy(name.data(), name.size());
      a = kHypervisorLeaf + 0x10;
      std::memcpy(&b, name.data(), 4);
      std::memcpy(&c, name.data() + 4, 4);
      std::memcpy(&d, name.data() + 8, 4);
    }
    regs.rax = a;
    regs.rbx = b;
    regs.rcx = c;
    regs.rdx = d;
  }

  const pid_t pid_;
  const TraceOptions& options_;
  bool ended_ = false;
  UniqueFd memory_;
  Program program_;
  uint64_t entry_ = 0;
  uint8_t at_entry_ = 0;  // the byte that the breakpoint there replaces
  std::set<uint64_t> breakpoints_;
  std::set<pid_t> threads_;  // threads that have begun
};

// Runs in the child: socket(AF_VSOCK) fails, as on a host without vsock.
void RefuseVsock() {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_VSOCK, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {std::size(filter), filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    _exit(126);
  }
}

}  // namespace

absl::StatusOr<TracedRun> RunTraced(const std::vector<std::string>& argv, const TraceOptions& options) {
  // Uses files, because a pipe without a reader would stop the program.
  const UniqueFd out(memfd_create("stdout", MFD_CLOEXEC));
  const UniqueFd err(memfd_create("stderr", MFD_CLOEXEC));
  if (!out.valid() || !err.valid()) return ErrnoStatus(errno, "memfd_create");
  std::vector<char*> args;
  for (const std::string& arg : argv) args.push_back(const_cast<char*>(arg.c_str()));
  args.push_back(nullptr);

  const pid_t pid = fork();
  if (pid < 0) return ErrnoStatus(errno, "fork");
  if (pid == 0) {
    dup2(out.get(), STDOUT_FILENO);
    dup2(err.get(), STDERR_FILENO);
    RefuseVsock();
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    execv(args.front(), args.data());
    _exit(127);
  }
  TracedRun run;
  Tracer tracer(pid, options);
  RETURN_IF_ERROR(tracer.Run(argv.front(), run));
  run.out = ReadBack(out);
  run.err = ReadBack(err);
  return run;
}

}  // namespace vmm
