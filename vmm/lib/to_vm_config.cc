#include "vmm/lib/to_vm_config.h"

#include <unistd.h>

#include <string>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/platform/memory_map.h"

namespace libvmm {
namespace {

absl::Status Check(const Config& config) {
  if (config.kernel.empty()) return absl::InvalidArgumentError("kernel: must name a bzImage or vmlinux");
  const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const uint64_t host_mib = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * page >> 20;
  if (config.memory_mib < vmm::kMinMemory >> 20 || config.memory_mib > host_mib) {
    return absl::InvalidArgumentError(absl::StrFormat("memory_mib: %d; must be %d to %d, the host's memory",
                                                      config.memory_mib, vmm::kMinMemory >> 20, host_mib));
  }
  if (config.cpus < 1 || config.cpus > 255) {
    return absl::InvalidArgumentError(absl::StrFormat("cpus: %d; must be 1 to 255", config.cpus));
  }
  if (config.timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("timeout: %s; must be more than 0", absl::FormatDuration(config.timeout)));
  }
  if (config.hang_after < absl::Seconds(1)) {
    return absl::InvalidArgumentError(absl::StrFormat("hang_after: %s; less than 1s is too short to tell a hang",
                                                      absl::FormatDuration(config.hang_after)));
  }
  if (config.dump_level != vmm::kLevelNoZeros && config.dump_level != vmm::kLevelFiltered) {
    return absl::InvalidArgumentError(absl::StrFormat("dump_level: %d; must be 1 or 31", config.dump_level));
  }
  return absl::OkStatus();
}

absl::Status CheckProgram(const Config& config) {
  if (!config.program.empty()) {
    if (config.program[0].empty()) return absl::InvalidArgumentError("program: its first word is empty");
    if (config.initrd.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrFormat("initrd: %s; a program has an initramfs of its own: see files", config.initrd));
  }
  const std::string_view field = !config.files.empty()            ? "files"
                                 : !config.environment.empty()    ? "environment"
                                 : !config.modules.empty()        ? "modules"
                                 : !config.modules_folder.empty() ? "modules_folder"
                                 : !config.working_folder.empty() ? "working_folder"
                                                                  : "";
  if (field.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrFormat("%s: only for a run with a program", field));
}

absl::Status CheckPairs(const Config& config) {
  for (const auto& [host, guest] : config.files) {
    if (host.empty() || !guest.starts_with('/')) {
      return absl::InvalidArgumentError(
          absl::StrFormat("files: \"%s\" to \"%s\"; the path in the guest must begin with /", host, guest));
    }
  }
  for (const std::string& variable : config.environment) {
    if (variable.find('=') == 0 || variable.find('=') == variable.npos) {
      return absl::InvalidArgumentError(absl::StrFormat("environment: \"%s\"; must be NAME=VALUE", variable));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<vmm::VmConfig> ToVmConfig(const Config& config) {
  RETURN_IF_ERROR(Check(config));
  RETURN_IF_ERROR(CheckProgram(config));
  RETURN_IF_ERROR(CheckPairs(config));
  vmm::VmConfig vm;
  vm.boot.kernel_path = config.kernel;
  vm.boot.initrd_path = config.initrd;
  vm.boot.command_line = config.command_line;
  vm.memory_bytes = config.memory_mib << 20;
  vm.cpus = config.cpus;
  if (!config.program.empty()) {
    vm.program = vmm::ProgramConfig{.words = config.program,
                                    .files = config.files,
                                    .modules = config.modules,
                                    .modules_folder = config.modules_folder,
                                    .environment = config.environment,
                                    .working_folder = config.working_folder};
  }
  vm.console = "off";
  vm.on_panic = config.dump_dir.empty() ? vmm::OnPanic::kExit : vmm::OnPanic::kDump;
  vm.dump_dir = config.dump_dir;
  vm.dump.level = config.dump_level;
  vm.hang_after = config.hang_after;
  vm.timeout = config.timeout;
  vm.sandbox = vmm::SandboxMode::kOff;
  vm.command = "libvmm";
  return vm;
}

}  // namespace libvmm
