#include "vmm/cli/flags.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <span>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_format.h"
#include "base/result_file.h"
#include "base/status.h"
#include "base/version.h"
#include "dump/kernel/symbol_list.h"
#include "vmm/backend/host_share.h"
#include "vmm/cli/command_line.h"
#include "vmm/cli/disk_flags.h"
#include "vmm/cli/flag_values.h"
#include "vmm/cli/guestinfo_flags.h"
#include "vmm/cli/program_flags.h"
#include "vmm/cli/vmcoreinfo_file.h"
#include "vmm/platform/memory_map.h"

ABSL_FLAG(std::string, kernel, "", "FILE: bzImage, vmlinux, UKI or multiboot kernel (Xen), compressed or not");
ABSL_FLAG(std::string, initrd, "", "FILE: initial RAM disk [that of a UKI]");
ABSL_FLAG(std::string, append, "", "TEXT: the kernel's command line [that of a UKI]");
ABSL_FLAG(vmm::RepeatedText, module, {},
          "'FILE ARGS': a boot module of a multiboot kernel, as Xen's dom0\n"
          "kernel and then its initrd are; with a PROGRAM it is NAME, a kernel\n"
          "module that is loaded first, with its dependencies; repeatable");
ABSL_FLAG(std::string, boot, "auto",
          "HOW: auto, direct or classic [auto]\n"
          "direct decompresses the kernel here, classic in the guest,\n"
          "auto takes direct where it can");
ABSL_FLAG(std::string, kaslr, "on", "on|off|SEED: where the kernel is placed; direct boot only [on]");
ABSL_FLAG(std::string, memory, "1G", "SIZE: guest RAM, at least 64M [1G]");
ABSL_FLAG(int, cpus, 1, "N: vCPUs, 1 to 255 [1]");
ABSL_FLAG(std::string, cpu_features, "", "LIST: -name hides a CPU feature, +name asks for one: -la57,-avx2");
ABSL_FLAG(std::string, on_panic, "dump", "WHAT: dump, exit or pause [dump]");
ABSL_FLAG(std::string, catch, "auto",
          "LIST: ends caught in the kernel's code, while the other CPUs\n"
          "still run: panic, oops, bug, warn, kasan; or off; auto is\n"
          "panic, where the kernel's symbols are found [auto]");
ABSL_FLAG(std::string, symbols, "",
          "FILE: System.map or vmlinux, in place of the symbols that the\n"
          "kernel has in its own memory");
ABSL_FLAG(std::string, catch_console, "off",
          "LIST: console lines that are taken for a panic too: panic, oops,\n"
          "bug, kasan, warning, soft-lockup, hard-lockup, rcu-stall,\n"
          "hung-task, lockdep, memory-leak [off]");
ABSL_FLAG(std::string, panic_grace, "200ms", "TIME: for the dying kernel's last console lines [200ms]");
ABSL_FLAG(std::string, dump_dir, ".", "DIR: where the vmcore is written [.]");
ABSL_FLAG(std::string, dump_name, "", "NAME: of the vmcore [the first free of vmcore, vmcore.1, ...]");
ABSL_FLAG(std::string, dump_fallback_dir, "", "DIR: where it is written if that fails");
ABSL_FLAG(std::string, dump_format, "elf",
          "HOW: elf, kdump-zlib or kdump-zstd; gdb reads only elf, Debian 12's\n"
          "makedumpfile no zstd [elf]");
ABSL_FLAG(std::string, dump_level, "1",
          "N: 0 or 1 keep all memory, 31 drops page cache, user and free\n"
          "memory as makedumpfile -d 31 does, for kernels 4.16 to 7.2\n"
          "except 6.3 to 6.5 [1]");
ABSL_FLAG(std::string, dump, "",
          "WHERE: - or fd:N streams the vmcore to standard output (the\n"
          "console then goes to stderr) or to descriptor N, not to a file");
ABSL_FLAG(std::string, dump_once, "",
          "DIR: where one vmcore for each crash signature is written, named\n"
          "by it; of the second death of its kind there is none");
ABSL_FLAG(int, dump_keep, 0,
          "N: of the dumps named vmcore, vmcore.1, ... in its directory\n"
          "only the newest N stay; 0 is all [0]");
ABSL_FLAG(std::string, dump_min_free, "0", "SIZE: must stay free where the vmcore is written [0]");
ABSL_FLAG(bool, vmport, false,
          "VMware's backdoor port, with guestinfo: for vmware-rpctool, vmtoolsd,\n"
          "cloud-init and others in the guest");
ABSL_FLAG(vmm::RepeatedText, guestinfo, {}, "KEY=VALUE: guestinfo.KEY for the guest to read; repeatable");
ABSL_FLAG(vmm::RepeatedText, guestinfo_file, {}, "KEY=FILE: the same, with the file's bytes; repeatable");
ABSL_FLAG(vmm::OptionalText, soft_power, {},
          "TIME: SIGTERM asks the guest's tools to halt it, and waits\n"
          "so long [off; without a TIME 60s]");
ABSL_FLAG(vmm::OptionalText, vmware_cpuid, {},
          "HOW: CPUID names VMware as the hypervisor: first, before\n"
          "KVM, or only [off; without HOW first]");
ABSL_FLAG(bool, vmware_dmi, false, "SMBIOS tables name VMware as the maker");
ABSL_FLAG(std::string, watchdog, "off",
          "HOW: ib700, the watchdog at ports 0x441 and 0x443; a guest that\n"
          "starts it and does not feed it hangs: exit 122 [off]");
ABSL_FLAG(bool, test_device, false,
          "the test device of kvm-unit-tests; a status V at port 0xf4 is\n"
          "then exit code V * 2 + 1, as with QEMU");
ABSL_FLAG(std::string, rng, "on", "HOW: on or off: virtio-rng, a source of entropy [on]");
ABSL_FLAG(vmm::RepeatedText, disk, {},
          "FILE[,ro|,overlay[=FILE2]]: a raw image or block device as a disk of\n"
          "the guest, /dev/vda first; ro is read-only, overlay keeps the guest's\n"
          "changes in memory, or in FILE2; repeatable");
ABSL_FLAG(vmm::RepeatedText, virtio_port, {},
          "NAME=WHERE: a stream, /dev/virtio-ports/NAME in the guest; WHERE is\n"
          "FILE, unix:PATH or fd:N; repeatable");
ABSL_FLAG(std::string, vsock, "",
          "PATH: a socket to the guest's vsock ports, by \"CONNECT port\"; the guest\n"
          "reaches PATH_port");
ABSL_FLAG(vmm::RepeatedText, share, {},
          "DIR: a folder of the host for the guest to mount; with :TAG, its\n"
          "name there, or share; with ,ro and ,9p, or virtiofs; repeatable");
ABSL_FLAG(vmm::RepeatedText, net, {},
          "HOW: a network card: user, by passt, with ,port=HOST:GUEST for TCP\n"
          "from the host, or tap:NAME; each with ,mac=ADDRESS; repeatable");
ABSL_FLAG(std::string, hang_after, "off",
          "TIME: a guest that hangs for so long is sent an NMI, dumped,\n"
          "and ends with exit 122 [off]");
ABSL_FLAG(std::string, dump_every, "off",
          "TIME: a dump of the living guest into --dump-dir after each such\n"
          "time, as SIGUSR1 and Ctrl-A d make one; with --dump-keep=N [off]");
ABSL_FLAG(std::string, live_dump, "auto",
          "HOW: auto: the guest runs on while such a dump is written, where it\n"
          "can; stop: it stands still [auto]");
ABSL_FLAG(std::string, core_mappings, "needed",
          "WHAT: needed or all [needed]; all adds vmalloc and modules, for gdb,\n"
          "but drgn with libkdumpfile 0.5.1 cannot read that");
ABSL_FLAG(std::string, vmcoreinfo, "", "FILE: VMCOREINFO, note or text, tried before what is found in RAM");
ABSL_FLAG(std::string, console, "",
          "FILE: where the guest's console goes; off keeps it for the record,\n"
          "- is standard output, with a PROGRAM standard error [-; with a\n"
          "PROGRAM off, or - if --verbose]");
ABSL_FLAG(std::string, timeout, "off", "TIME: end the run after so long, exit 124 [off]");
ABSL_FLAG(std::string, sandbox, "on",
          "HOW: on, log or off: vmm gives up rights, files and system\n"
          "calls before its guest runs; log names calls that on forbids [on]");
ABSL_FLAG(std::string, qmp, "",
          "PATH: a socket for QEMU's monitor protocol: drgn --qemu=PATH reads\n"
          "the guest's memory while it runs; stop, cont, dump-guest-memory");
ABSL_FLAG(std::string, gdb, "",
          "PATH: a socket for gdb: target remote PATH; a file of commands for\n"
          "gdb, with the kernel's place, is written to PATH.gdb");
ABSL_FLAG(bool, start_paused, false, "the guest waits for --gdb's continue or --qmp's cont before it begins");
ABSL_FLAG(std::string, result, "",
          "FILE: a JSON record of the run; - is standard output. What is no regular file is written to, not replaced");
ABSL_FLAG(std::string, ktap, "",
          "FILE: the results of the guest's tests (KTAP or TAP on its console),\n"
          "as KTAP; the test that was running at a death is not ok");
ABSL_FLAG(std::string, junit, "", "FILE: the same as JUnit's XML");
ABSL_FLAG(bool, verbose, false, "say more on stderr");
ABSL_FLAG(bool, help, false, "this text");
ABSL_FLAG(bool, version, false, "the version");

namespace vmm {
namespace {

constexpr std::string_view kUsage =
    "vmm boots a Linux kernel on /dev/kvm, and when it panics leaves a vmcore.\n"
    "\n"
    "  vmm --kernel=bzImage -- PROGRAM [ARGUMENTS]\n"
    "  vmm --kernel=bzImage --initrd=initrd.img --append='console=ttyS0'\n"
    "\n"
    "With a PROGRAM, the guest runs it with the libraries that it has here, and its\n"
    "standard input, output and error are ours. Without one, the guest's serial console\n"
    "is standard input and output (on a terminal, Ctrl-A x quits, Ctrl-A d dumps the\n"
    "living guest, Ctrl-A n sends it an NMI). Our own words go to stderr; the last line\n"
    "there says how the run ended. SIGUSR1 dumps the living guest.\n"
    "Exit status: 0 power-off, 1-119 the guest's own, 120 panic, 121 triple fault,\n"
    "122 hang, 123 reset or lost, 124 time-out, 125 vmm could not run it, 126 panic but\n"
    "no dump, 127 no such program.\n"
    "\n"
    "Two commands have a --help of their own: vmm batch FILE runs many guests at once,\n"
    "vmm doctor [--kernel=FILE] says what this machine or kernel lacks.\n";

const std::vector<FlagGroup>& Groups() {
  static const auto& groups = *new std::vector<FlagGroup>{
      {"What to boot", {"kernel", "initrd", "append", "module", "boot", "kaslr"}},
      {"The machine",
       {"memory", "cpus", "cpu_features", "watchdog", "rng", "disk", "share", "net", "vsock", "virtio_port",
        "test_device"}},
      {"The program", {"file", "rootfs", "shell", "modules_dir", "env", "cwd", "exit_status"}},
      {"VMware's side of the machine",
       {"vmport", "guestinfo", "guestinfo_file", "soft_power", "vmware_cpuid", "vmware_dmi"}},
      {"When the guest panics",
       {"on_panic", "catch", "symbols", "catch_console", "panic_grace", "dump_dir", "dump_name", "dump_fallback_dir",
        "dump_once", "dump_keep", "dump_min_free", "dump_format", "dump_level", "dump", "core_mappings", "vmcoreinfo"}},
      {"While the guest lives", {"dump_every", "live_dump"}},
      {"The run",
       {"timeout", "hang_after", "console", "sandbox", "qmp", "gdb", "start_paused", "result", "ktap", "junit",
        "verbose", "help", "version"}},
  };
  return groups;
}

// Returns the value of a flag as parsed by `reader`. An error begins with the flag's name and value.
template <typename Reader>
auto Value(std::string_view name, const absl::Flag<std::string>& flag, Reader reader) {
  const std::string text = absl::GetFlag(flag);
  return Annotate(reader(text), absl::StrFormat("--%s=%s", name, text));
}

absl::StatusOr<uint64_t> ReadMemorySize(std::string_view text) {
  ASSIGN_OR_RETURN(const uint64_t bytes, ParseSize(text));
  const uint64_t host = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  if (bytes < kMinMemory) return absl::InvalidArgumentError(absl::StrFormat("%d bytes; at least 64M is needed", bytes));
  if (bytes > host) {
    return absl::InvalidArgumentError(absl::StrFormat("more than this host's %d MiB of memory", host >> 20));
  }
  if (bytes % kPageSize != 0) return absl::InvalidArgumentError("not a multiple of the page size, 4K");
  return bytes;
}

// Returns the value of a flag that needs none, as parsed by `reader`; `otherwise` if the flag was not given.
template <typename T, typename Reader>
absl::StatusOr<T> OptionalValue(std::string_view name, const absl::Flag<OptionalText>& flag, T otherwise,
                                Reader reader) {
  const OptionalText value = absl::GetFlag(flag);
  if (!value.given) return otherwise;
  return Annotate(reader(value.text), absl::StrFormat("--%s=%s", name, value.text));
}

absl::StatusOr<VmwareConfig> VmwareFromFlags() {
  VmwareConfig vmware{.port = absl::GetFlag(FLAGS_vmport), .dmi = absl::GetFlag(FLAGS_vmware_dmi)};
  ASSIGN_OR_RETURN(vmware.cpuid,
                   OptionalValue("vmware-cpuid", FLAGS_vmware_cpuid, HypervisorLeaf::kKvm, ParseHypervisorLeaf));
  ASSIGN_OR_RETURN(vmware.soft_power, OptionalValue<std::optional<absl::Duration>>("soft-power", FLAGS_soft_power,
                                                                                   std::nullopt, ParseSoftPower));
  ASSIGN_OR_RETURN(vmware.guestinfo,
                   ReadGuestInfo(absl::GetFlag(FLAGS_guestinfo).values, absl::GetFlag(FLAGS_guestinfo_file).values));
  if (vmware.port) return vmware;
  const std::string_view flag = !absl::GetFlag(FLAGS_guestinfo).values.empty()        ? "--guestinfo"
                                : !absl::GetFlag(FLAGS_guestinfo_file).values.empty() ? "--guestinfo-file"
                                : vmware.soft_power.has_value()                       ? "--soft-power"
                                                                                      : "";
  if (flag.empty()) return vmware;
  return absl::InvalidArgumentError(absl::StrFormat("%s: the guest has no port for it; add --vmport", flag));
}

absl::StatusOr<absl::Duration> ReadHangAfter(std::string_view text) {
  ASSIGN_OR_RETURN(const absl::Duration time, ParseDuration(text, /*allow_off=*/true));
  if (time < absl::Seconds(1)) return absl::InvalidArgumentError("less than 1s is too short to tell a hang");
  return time;
}

absl::StatusOr<absl::Duration> ReadDumpEvery(std::string_view text) {
  ASSIGN_OR_RETURN(const absl::Duration time, ParseDuration(text, /*allow_off=*/true));
  if (time < absl::Milliseconds(100)) return absl::InvalidArgumentError("must be at least 100ms");
  return time;
}

// Returns true if the guest may run on while it is dumped.
absl::StatusOr<bool> ReadLiveDump(std::string_view text) {
  if (text == "auto") return true;
  if (text == "stop") return false;
  return absl::InvalidArgumentError("must be auto or stop");
}

// -1: write a file instead of a stream.
absl::StatusOr<int> ReadDumpStream(std::string_view text) {
  if (text.empty()) return -1;
  if (text == "-") {
    if (isatty(STDOUT_FILENO) != 0)
      return absl::InvalidArgumentError("standard output is a terminal; a vmcore is not for it");
    return STDOUT_FILENO;
  }
  int fd = -1;
  const char* const end = text.data() + text.size();
  if (!text.starts_with("fd:") || std::from_chars(text.data() + 3, end, fd).ptr != end || fd < 0)
    return absl::InvalidArgumentError("must be - or fd:N; for a file, see --dump-dir and --dump-name");
  if (fd <= STDERR_FILENO) return absl::InvalidArgumentError("0, 1 and 2 are taken; - is standard output");
  const int flags = fcntl(fd, F_GETFL);
  // A descriptor that the caller left open for us is not close-on-exec; one that we opened ourselves is.
  const bool is_ours = (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
  if (flags < 0 || is_ours) return absl::InvalidArgumentError(absl::StrFormat("descriptor %d is not open", fd));
  if ((flags & O_ACCMODE) == O_RDONLY) {
    return absl::InvalidArgumentError(absl::StrFormat("descriptor %d is open for reading only", fd));
  }
  return fd;
}

absl::Status DumpOnceFromFlag(VmConfig& config) {
  const std::string dir = absl::GetFlag(FLAGS_dump_once);
  if (dir.empty()) return absl::OkStatus();
  const std::string_view other = config.dump_dir != "."                ? "--dump-dir"
                                 : !config.dump.name.empty()           ? "--dump-name"
                                 : absl::GetFlag(FLAGS_dump_keep) != 0 ? "--dump-keep"
                                 : !absl::GetFlag(FLAGS_dump).empty()  ? "--dump"
                                                                       : "";
  if (!other.empty()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("--dump-once=%s says where the vmcore is and what it is called: not with %s", dir, other));
  }
  config.dump_dir = dir;
  config.dump_once = true;
  return absl::OkStatus();
}

absl::Status DumpFromFlags(VmConfig& config) {
  config.dump_dir = absl::GetFlag(FLAGS_dump_dir);
  config.dump.name = absl::GetFlag(FLAGS_dump_name);
  if (config.dump.name.find('/') != std::string::npos || config.dump.name == "." || config.dump.name == "..") {
    return absl::InvalidArgumentError(
        absl::StrFormat("--dump-name=%s: must be a plain file name; the directory is --dump-dir", config.dump.name));
  }
  config.dump_fallback_dir = absl::GetFlag(FLAGS_dump_fallback_dir);
  RETURN_IF_ERROR(DumpOnceFromFlag(config));
  ASSIGN_OR_RETURN(config.dump.format, Value("dump-format", FLAGS_dump_format, ParseDumpFormat));
  ASSIGN_OR_RETURN(config.dump.level, Value("dump-level", FLAGS_dump_level, ParseDumpLevel));
  ASSIGN_OR_RETURN(config.dump.mappings, Value("core-mappings", FLAGS_core_mappings, ParseCoreMappings));
  if (const std::string path = absl::GetFlag(FLAGS_vmcoreinfo); !path.empty()) {
    ASSIGN_OR_RETURN(config.vmcoreinfo, Annotate(ReadVmcoreInfoFile(path), "--vmcoreinfo"));
  }
  ASSIGN_OR_RETURN(config.dump.min_free, Value("dump-min-free", FLAGS_dump_min_free, ParseSize));
  ASSIGN_OR_RETURN(config.dump_fd, Value("dump", FLAGS_dump, ReadDumpStream));
  config.dump.keep = absl::GetFlag(FLAGS_dump_keep);
  if (config.dump.keep < 0) {
    return absl::InvalidArgumentError(absl::StrFormat("--dump-keep=%d: must be 0 or more", config.dump.keep));
  }
  if (config.dump.keep > 0 && !config.dump.name.empty()) {
    return absl::InvalidArgumentError("--dump-keep counts the dumps that vmm names itself: not with --dump-name");
  }
  if (config.dump_fd >= 0 && config.dump.format != DumpFormat::kElf) {
    return absl::InvalidArgumentError("--dump streams an ELF core: a kdump file is not written from start to end");
  }
  if (config.dump_fd == STDOUT_FILENO && absl::GetFlag(FLAGS_result) == "-") {
    return absl::InvalidArgumentError("--dump=- and --result=- cannot both have standard output");
  }
  if (config.dump_fd >= 0 && OwnDescriptor(absl::GetFlag(FLAGS_result)) == config.dump_fd) {
    return absl::InvalidArgumentError(
        absl::StrFormat("--dump and --result cannot both have descriptor %d", config.dump_fd));
  }
  return absl::OkStatus();
}

// Two things cannot both have the program's standard output, or be the guest's first program.
absl::Status CheckProgram(const VmConfig& config) {
  if (!config.program.has_value()) return absl::OkStatus();
  if (!config.boot.initrd_path.empty()) {
    return absl::InvalidArgumentError(
        "--initrd is not for a run with a program, whose initramfs is made here: see --file");
  }
  const std::string_view flag = config.dump_fd == STDOUT_FILENO ? "--dump=-"
                                : config.result_path == "-"     ? "--result=-"
                                                                : "";
  if (flag.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrFormat("%s: standard output is the program's; name a file", flag));
}

absl::StatusOr<VmConfig> ConfigFromFlags(std::vector<std::string> words) {
  VmConfig config;
  config.boot.kernel_path = absl::GetFlag(FLAGS_kernel);
  if (config.boot.kernel_path.empty() && !words.empty()) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s: not a flag, so it is a program for the guest, and that needs a kernel: --kernel=FILE", words[0]));
  }
  if (config.boot.kernel_path.empty()) {
    return absl::InvalidArgumentError("--kernel=FILE is needed: a bzImage or vmlinux; see --help");
  }
  config.boot.initrd_path = absl::GetFlag(FLAGS_initrd);
  config.boot.command_line = absl::GetFlag(FLAGS_append);
  ASSIGN_OR_RETURN(config.boot.mode, Value("boot", FLAGS_boot, ParseBootMode));
  ASSIGN_OR_RETURN(config.boot.kaslr, Value("kaslr", FLAGS_kaslr, ParseKaslr));

  ASSIGN_OR_RETURN(config.memory_bytes, Value("memory", FLAGS_memory, ReadMemorySize));
  config.cpus = absl::GetFlag(FLAGS_cpus);
  if (config.cpus < 1 || config.cpus > 255) {
    return absl::InvalidArgumentError(absl::StrFormat("--cpus=%d: must be 1 to 255", config.cpus));
  }
  ASSIGN_OR_RETURN(config.cpu_features, Value("cpu-features", FLAGS_cpu_features, ParseCpuFeatures));

  ASSIGN_OR_RETURN(config.vmware, VmwareFromFlags());
  ASSIGN_OR_RETURN(config.watchdog, Value("watchdog", FLAGS_watchdog, ParseWatchdog));
  config.test_device = absl::GetFlag(FLAGS_test_device);
  ASSIGN_OR_RETURN(config.virtio.rng, Value("rng", FLAGS_rng, ParseOnOff));
  ASSIGN_OR_RETURN(config.virtio.disks, ReadDisks(absl::GetFlag(FLAGS_disk).values));
  ASSIGN_OR_RETURN(config.virtio.ports, ReadPorts(absl::GetFlag(FLAGS_virtio_port).values));
  config.virtio.vsock_path = absl::GetFlag(FLAGS_vsock);
  for (const std::string& text : absl::GetFlag(FLAGS_share).values) {
    ASSIGN_OR_RETURN(HostFolder folder, Annotate(ParseShare(text), "--share=" + text));
    config.virtio.folders.push_back(std::move(folder));
  }
  for (const std::string& text : absl::GetFlag(FLAGS_net).values) {
    ASSIGN_OR_RETURN(HostNetwork network, Annotate(ParseNet(text), "--net=" + text));
    config.virtio.networks.push_back(std::move(network));
  }

  ASSIGN_OR_RETURN(config.program, ProgramFromFlags(std::move(words)));
  std::vector<std::string>& modules = config.program.has_value() ? config.program->modules : config.boot.modules;
  modules = absl::GetFlag(FLAGS_module).values;
  config.console = absl::GetFlag(FLAGS_console);

  ASSIGN_OR_RETURN(config.on_panic, Value("on-panic", FLAGS_on_panic, ParseOnPanic));
  ASSIGN_OR_RETURN(config.catching, Value("catch", FLAGS_catch, ParseCatch));
  if (const std::string path = absl::GetFlag(FLAGS_symbols); !path.empty()) {
    ASSIGN_OR_RETURN(config.catching.symbols, Annotate(SymbolList::ReadFile(path), "--symbols"));
  }
  ASSIGN_OR_RETURN(config.catch_console, Value("catch-console", FLAGS_catch_console, ParseKernelSigns));
  const auto time = [](std::string_view text) { return ParseDuration(text, /*allow_off=*/false); };
  ASSIGN_OR_RETURN(config.panic_grace, Value("panic-grace", FLAGS_panic_grace, time));
  RETURN_IF_ERROR(DumpFromFlags(config));

  const auto time_or_off = [](std::string_view text) { return ParseDuration(text, /*allow_off=*/true); };
  ASSIGN_OR_RETURN(config.hang_after, Value("hang-after", FLAGS_hang_after, ReadHangAfter));
  ASSIGN_OR_RETURN(config.timeout, Value("timeout", FLAGS_timeout, time_or_off));
  ASSIGN_OR_RETURN(config.sandbox, Value("sandbox", FLAGS_sandbox, ParseSandbox));
  config.qmp_path = absl::GetFlag(FLAGS_qmp);
  config.gdb_path = absl::GetFlag(FLAGS_gdb);
  config.start_paused = absl::GetFlag(FLAGS_start_paused);
  if (config.start_paused && config.qmp_path.empty() && config.gdb_path.empty()) {
    return absl::InvalidArgumentError("--start-paused: nobody could start the guest; add --gdb=PATH or --qmp=PATH");
  }
  ASSIGN_OR_RETURN(config.dump_every, Value("dump-every", FLAGS_dump_every, ReadDumpEvery));
  ASSIGN_OR_RETURN(config.flip, Value("live-dump", FLAGS_live_dump, ReadLiveDump));
  config.result_path = absl::GetFlag(FLAGS_result);
  config.ktap_path = absl::GetFlag(FLAGS_ktap);
  config.junit_path = absl::GetFlag(FLAGS_junit);
  config.verbose = absl::GetFlag(FLAGS_verbose);
  RETURN_IF_ERROR(CheckProgram(config));
  return config;
}

}  // namespace

absl::StatusOr<VmmInvocation> ParseCommandLine(int argc, char** argv) {
  const std::vector<std::string> words(argv, argv + argc);
  const auto args = std::span(words).subspan(words.empty() ? 0 : 1);
  std::vector<std::string> program;
  RETURN_IF_ERROR(ParseFlags(args, Groups(), &program));
  if (absl::GetFlag(FLAGS_help)) return VmmInvocation{.text = HelpText(kUsage, Groups())};
  if (absl::GetFlag(FLAGS_version)) return VmmInvocation{.text = absl::StrFormat("vmm %s\n", kVersion)};
  ASSIGN_OR_RETURN(VmConfig config, ConfigFromFlags(std::move(program)));
  config.command = ShellQuote(words);
  return VmmInvocation{.config = std::move(config)};
}

}  // namespace vmm
