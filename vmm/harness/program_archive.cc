#include "vmm/harness/program_archive.h"

#include <cstdlib>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/status.h"
#include "vmm/boot/bzimage.h"
#include "vmm/boot/command_line.h"
#include "vmm/boot/kernel_file.h"
#include "vmm/harness/channel.h"
#include "vmm/harness/cpio_writer.h"
#include "vmm/harness/guest_files.h"
#include "vmm/harness/init_elf.h"
#include "vmm/harness/library_search.h"
#include "vmm/harness/modules/module_file.h"
#include "vmm/harness/modules/module_tree.h"
#include "vmm/harness/plan.h"

namespace vmm {
namespace {

constexpr uint64_t kMaxPlan = 8 << 20;  // bytes of arguments and environment; execve(2) takes at most 6 MiB

// Init needs these before it has mounted devtmpfs, or where the kernel has none.
struct DeviceNode {
  std::string_view path;
  uint32_t major, minor;
};
constexpr DeviceNode kNodes[] = {{"/dev/console", 5, 1}, {"/dev/null", 1, 3},  {"/dev/mem", 1, 1},
                                 {"/dev/port", 1, 4},    {"/dev/zero", 1, 5},  {"/dev/urandom", 1, 9},
                                 {"/dev/kmsg", 1, 11},   {"/dev/ttyS0", 4, 64}};

std::string TerminalName(const ProgramConfig& config) {
  const char* const ours = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return config.terminal && ours != nullptr ? ours : "dumb";
}

std::vector<std::string> Environment(const ProgramConfig& config) {
  std::map<std::string, std::string> values = {{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                                               {"HOME", "/root"},
                                               {"TERM", TerminalName(config)}};
  for (const std::string& variable : config.environment) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(variable, absl::MaxSplits('=', 1));
    values[parts.first] = parts.second;
  }
  std::vector<std::string> words;
  for (const auto& [name, value] : values) words.push_back(absl::StrFormat("%s=%s", name, value));
  return words;
}

std::vector<std::string> LibraryPath(const std::vector<std::string>& environment) {
  constexpr std::string_view kName = "LD_LIBRARY_PATH=";
  for (const std::string& variable : environment) {
    if (variable.starts_with(kName)) return absl::StrSplit(variable.substr(kName.size()), ':', absl::SkipEmpty());
  }
  return {};
}

// The first word of the version in a bzImage's header, as uname -r gives it. Empty if it is not known.
absl::StatusOr<std::string> KernelRelease(const std::string& kernel_path) {
  ASSIGN_OR_RETURN(const KernelFile file, Annotate(OpenKernelFile(kernel_path), "kernel " + kernel_path));
  if (file.is_elf) return "";
  ASSIGN_OR_RETURN(const BzImage image, Annotate(ParseBzImage(file.head, file.kernel.size()), "kernel " + kernel_path));
  return image.version.substr(0, image.version.find(' '));
}

absl::StatusOr<ModuleTree> OpenModules(const ProgramConfig& config, const std::string& release) {
  std::string folder = config.modules_folder;
  if (folder.empty() && release.empty()) {
    return absl::InvalidArgumentError("the kernel does not tell its release: --modules-dir=DIR must name its modules");
  }
  if (folder.empty()) folder = "/lib/modules/" + release;
  return ModuleTree::Open(folder);
}

// A module to load, and the flag that asks for it, for messages.
struct WantedModule {
  std::string name;
  std::string flag;
};

absl::Status AddModule(const WantedModule& wanted, const ModuleTree& tree, const std::string& release,
                       CpioWriter& archive, Plan& plan) {
  ASSIGN_OR_RETURN(const std::vector<ModuleToLoad> modules, Annotate(tree.LoadOrder(wanted.name), wanted.flag));
  for (const ModuleToLoad& module : modules) {
    const std::string at = absl::StrFormat("/.vmm/modules/%s.ko", ModuleName(module.path));
    if (archive.Has(at)) continue;
    ASSIGN_OR_RETURN(const std::string bytes, ReadModule(module.path));
    ASSIGN_OR_RETURN(const ModuleInfo info, Annotate(ReadModuleInfo(bytes), "module " + module.path));
    if (!release.empty() && !info.release.empty() && info.release != release) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "%s: %s is for the kernel %s, but the kernel to boot is %s: give its own by --modules-dir=DIR", wanted.flag,
          module.path, info.release, release));
    }
    RETURN_IF_ERROR(archive.AddBytes(at, BytesOfText(bytes), 0644));
    plan.Add(module.required ? kPlanModule : kPlanSoftModule, at);
  }
  return absl::OkStatus();
}

absl::Status AddModules(const ProgramConfig& config, const std::string& kernel_path, CpioWriter& archive, Plan& plan) {
  std::vector<WantedModule> wanted;
  if (config.root.has_value()) {
    for (const std::string& name : ModulesForRoot(*config.root)) wanted.push_back({name, "--rootfs"});
  }
  for (const std::string& name : config.modules) wanted.push_back({name, "--module=" + name});
  if (wanted.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string release, KernelRelease(kernel_path));
  const absl::StatusOr<ModuleTree> tree = OpenModules(config, release);
  // A kernel of one's own may have all that a root needs built in, and no modules. If not, init says so.
  if (!tree.ok() && config.modules.empty() && config.modules_folder.empty()) {
    LogDebug(absl::StrFormat("--rootfs: no modules are packed: %s", tree.status().message()));
    return absl::OkStatus();
  }
  if (!tree.ok()) return Annotate(tree.status(), wanted.back().flag);
  for (const WantedModule& module : wanted) RETURN_IF_ERROR(AddModule(module, *tree, release, archive, plan));
  return absl::OkStatus();
}

absl::Status AddBase(CpioWriter& archive) {
  RETURN_IF_ERROR(archive.AddBytes("/init", kInitElf, 0755));
  for (const std::string_view folder : {"/dev", "/proc", "/sys", "/run", "/root", "/etc", "/var"}) {
    RETURN_IF_ERROR(archive.AddFolder(folder));
  }
  for (const std::string_view folder : {"/tmp", "/var/tmp"}) RETURN_IF_ERROR(archive.AddFolder(folder, 01777));
  for (const DeviceNode& node : kNodes) RETURN_IF_ERROR(archive.AddDevice(node.path, node.major, node.minor, 0600));
  return absl::OkStatus();
}

// Returns the program's path in the guest, or a word for which init searches PATH there: a file that --file put there,
// or one of the host. With a root of its own the guest has its program already.
absl::StatusOr<std::string> AddProgram(const ProgramConfig& config, const CpioWriter& archive, GuestFiles& files) {
  const std::string& word = config.words[0];
  if (config.root.has_value() && !config.root->is_hosts_own()) return word;
  if (word.find('/') != std::string::npos && archive.Has(AbsolutePath(word))) return AbsolutePath(word);
  const char* const search_path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  ASSIGN_OR_RETURN(std::string path, FindProgram(word, search_path != nullptr ? search_path : "/usr/bin:/bin"));
  if (config.root.has_value()) {
    RETURN_IF_ERROR(CheckProgram(path));
  } else {
    RETURN_IF_ERROR(files.AddProgram(path));
  }
  return path;
}

// Ours, if the guest has the same tree.
std::string WorkingFolder(const ProgramConfig& config) {
  if (!config.working_folder.empty()) return config.working_folder;
  return config.root.has_value() && !config.root->is_hosts_own() ? "/" : AbsolutePath(".");
}

}  // namespace

absl::StatusOr<InputFile> MakeProgramArchive(const ProgramConfig& config, const std::string& kernel_path) {
  ASSIGN_OR_RETURN(CpioWriter archive, CpioWriter::Create());
  RETURN_IF_ERROR(AddBase(archive));
  Plan plan;
  const std::vector<std::string> environment = Environment(config);
  LibraryFolders folders = HostLibraryFolders();
  folders.environment = LibraryPath(environment);
  GuestFiles files(archive, std::move(folders));
  for (const auto& [host, guest] : config.files) {
    RETURN_IF_ERROR(Annotate(files.Add(AbsolutePath(host), guest), absl::StrFormat("--file=%s:%s", host, guest)));
  }
  ASSIGN_OR_RETURN(const std::string program, AddProgram(config, archive, files));
  RETURN_IF_ERROR(AddModules(config, kernel_path, archive, plan));
  const std::string folder = WorkingFolder(config);
  if (config.root.has_value()) {
    plan.Add(kPlanRoot, DescribeRoot(*config.root, folder, program));
  } else {
    RETURN_IF_ERROR(Annotate(archive.AddFolder(folder), "--cwd=" + folder));
  }
  if (config.terminal) plan.Add(kPlanTerminal, config.terminal_errors ? "e" : "");
  plan.Add(kPlanFolder, folder);
  plan.Add(kPlanProgram, program);
  for (const std::string& word : config.words) plan.Add(kPlanArgument, word);
  for (const std::string& variable : environment) plan.Add(kPlanVariable, variable);
  if (plan.bytes().size() > kMaxPlan) {
    return absl::InvalidArgumentError(
        absl::StrFormat("arguments and environment have %d bytes; the limit is %d", plan.bytes().size(), kMaxPlan));
  }
  RETURN_IF_ERROR(archive.AddBytes(PLAN_PATH, BytesOfText(plan.bytes()), 0600));
  return archive.Finish();
}

std::string ProgramCommandLine(const std::string& line, bool verbose) {
  std::string whole = line;
  const auto add = [&](std::string_view word) {
    if (!whole.empty()) whole += ' ';
    whole += word;
  };
  // Nobody else hears a kernel that dies early.
  if (!HasWordBeginning(line, "console=")) add("console=ttyS0");
  // Each character of the console is an exit, and so most of the time of a boot.
  const bool says_so = HasWord(line, "quiet") || HasWord(line, "debug") || HasWordBeginning(line, "loglevel=");
  if (!verbose && !says_so) add("quiet");
  return whole;
}

}  // namespace vmm
