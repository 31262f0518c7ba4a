// The user's configuration of a run, checked and in our own types. vmm/cli/flags.h makes one from the flags; a test
// harness fills it in by hand.
#ifndef VMM_CONFIG_VM_CONFIG_H_
#define VMM_CONFIG_VM_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "devices/vmport/backdoor.h"
#include "dump/snapshot/vmcoreinfo.h"
#include "dump/write/vmcore_options.h"
#include "vmm/backend/host_share.h"
#include "vmm/boot/load_kernel.h"
#include "vmm/catch/catch_config.h"
#include "vmm/config/disk_config.h"
#include "vmm/harness/program_config.h"
#include "vmm/kvm/cpu_features.h"
#include "vmm/kvm/hypervisor_leaf.h"
#include "vmm/sandbox/sandbox_mode.h"
#include "vmm/witness/kernel_signs.h"

namespace vmm {

enum class OnPanic {
  kDump,   // write a vmcore, then end
  kExit,   // end at once
  kPause,  // stop the vCPUs and wait for a signal; keep RAM and registers
};

// The parts of VMware that the machine shows, each independent: docs/abi/vmport.md, docs/guestinfo.md.
struct VmwareConfig {
  bool port = false;  // the backdoor
  HypervisorLeaf cpuid = HypervisorLeaf::kKvm;
  bool dmi = false;  // SMBIOS tables

  // The following need the port.
  std::vector<std::pair<std::string, std::string>> guestinfo;  // key, value; the last value of a key counts
  std::optional<absl::Duration> soft_power;                    // how long SIGTERM waits for the guest to power off
  BackdoorTap tap;
};

// The virtio devices of the machine. vmm/machine/virtio_devices.h makes them.
struct VirtioConfig {
  bool rng = true;  // a source of entropy
  std::vector<DiskConfig> disks;
  std::vector<PortConfig> ports;
  std::string vsock_path;  // the socket by which programs of the host reach the guest; empty: none
  std::vector<HostFolder> folders;
  std::vector<HostNetwork> networks;
};

struct VmConfig {
  // The kernel to boot, and how. The machine fills in acpi_rsdp and cpu_has_la57.
  BootConfig boot;

  std::string kvm_path = "/dev/kvm";  // no flag; a test names one that does not exist
  uint64_t memory_bytes = 1ull << 30;
  int cpus = 1;
  CpuFeatures cpu_features;
  VmwareConfig vmware;
  bool watchdog = false;     // an ib700
  bool test_device = false;  // what kvm-unit-tests wants of a machine
  VirtioConfig virtio;

  std::optional<ProgramConfig> program;  // what the guest is for; empty: the user's initrd says
  // What becomes of the guest's console. Empty: standard output; with a program it is only kept for the record, or with
  // `verbose` goes to standard error. "-": standard output; with a program standard error. "off": kept only. Else a
  // file.
  std::string console;

  OnPanic on_panic = OnPanic::kDump;
  CatchConfig catching;                   // what to catch at the fault itself
  std::vector<KernelSign> catch_console;  // which console messages count as a panic
  absl::Duration panic_grace = absl::Milliseconds(200);
  VmcoreOptions dump;  // the user's part of it
  std::string dump_dir = ".";
  bool dump_once = false;         // one dump for each kind of death stays in dump_dir
  std::string dump_fallback_dir;  // empty: none
  int dump_fd = -1;  // the vmcore is streamed there first; if it is standard output, the console is not. -1: no stream
  std::optional<VmcoreInfo> vmcoreinfo;  // the user's, tried before any that is found

  SandboxMode sandbox = SandboxMode::kOff;  // confines the calling thread for good: a program of its own wants kOn

  // Dumps of the living guest: one after each such time, besides those that a user asks for.
  absl::Duration dump_every = absl::InfiniteDuration();
  bool flip = true;  // the guest runs on during such a dump where it can; false: it always stands still

  absl::Duration hang_after = absl::InfiniteDuration();
  absl::Duration timeout = absl::InfiniteDuration();
  std::string qmp_path;       // the monitor's socket; empty: none
  std::string gdb_path;       // the debugger's socket; empty: none
  bool start_paused = false;  // no vCPU runs before the monitor or the debugger says so
  std::string result_path;    // empty: no JSON record; "-": standard output
  std::string ktap_path;      // the results of the guest's tests, as KTAP; empty: not wanted
  std::string junit_path;     // the same as JUnit's XML
  bool verbose = false;

  // The exact command line, quoted for a shell; goes into the record.
  std::string command;
};

}  // namespace vmm

#endif  // VMM_CONFIG_VM_CONFIG_H_
