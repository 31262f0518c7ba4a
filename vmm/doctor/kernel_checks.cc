#include "vmm/doctor/kernel_checks.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/input_file.h"
#include "base/status.h"
#include "vmm/boot/bzimage.h"
#include "vmm/boot/kernel_file.h"
#include "vmm/boot/payload.h"
#include "vmm/ktap/trim.h"

namespace vmm {
namespace {

using Level = Diagnosis::Level;
using Value = KernelConfig::Value;

constexpr uint64_t kMostImage = 1ull << 30;
constexpr uint64_t kMostText = 64u << 20;

struct Need {
  std::string_view option;
  std::string_view other;   // an option that does as well; empty: none
  std::string_view module;  // the name of its module; empty: it cannot be one
  std::string_view use;     // what needs it
  Level level;              // of its lack
};

constexpr Need kNeeds[] = {
    {"64BIT", "", "", "vmm runs 64-bit kernels only", Level::kProblem},
    {"BLK_DEV_INITRD", "", "", "--initrd", Level::kWarning},
    {"SERIAL_8250_CONSOLE", "", "", "the kernel's messages, with --append=console=ttyS0", Level::kWarning},
    {"ACPI", "", "", "power-off, --cpus, pvpanic and virtio devices", Level::kWarning},
    {"SMP", "", "", "--cpus above 1", Level::kWarning},
    {"RANDOMIZE_BASE", "", "", "--kaslr", Level::kWarning},
    {"KALLSYMS", "", "", "--catch (or give --symbols=System.map)", Level::kWarning},
    {"PVPANIC_MMIO", "PVPANIC", "pvpanic-mmio", "a panic told by the kernel itself; --catch=panic needs it not",
     Level::kWarning},
    {"CRASH_CORE", "VMCORE_INFO", "", "VMCOREINFO, without which crash and drgn cannot open a dump", Level::kWarning},
    {"IB700_WDT", "", "ib700wdt", "--watchdog=ib700", Level::kWarning},
    {"X86_IOPL_IOPERM", "", "", "a program's status by port 0xf4", Level::kWarning},
    {"DEVMEM", "", "", "a program's streams in memory that it shares with vmm", Level::kWarning},
    {"VIRTIO_MMIO", "", "virtio_mmio", "virtio devices", Level::kWarning},
    {"VIRTIO_CONSOLE", "", "virtio_console", "virtio-console", Level::kWarning},
    {"VIRTIO_BLK", "", "virtio_blk", "virtio-blk: disks", Level::kWarning},
    {"VIRTIO_NET", "", "virtio_net", "virtio-net: a network", Level::kWarning},
    {"VIRTIO_FS", "", "virtiofs", "virtio-fs: shared folders", Level::kWarning},
    {"OVERLAY_FS", "", "overlay", "a shared folder that the guest may write to without changing the host's",
     Level::kWarning},
};

// True if modules.dep has a module of that name; '-' and '_' are equal.
bool HasModule(const std::string& modules, std::string_view name) {
  std::string dashed(name);
  std::replace(dashed.begin(), dashed.end(), '_', '-');
  return modules.find(absl::StrFormat("/%s.ko", name)) != std::string::npos ||
         modules.find(absl::StrFormat("/%s.ko", dashed)) != std::string::npos;
}

std::string ReadFile(const std::string& path) {
  const auto file = InputFile::Open(path, {.most = kMostText});
  if (!file.ok()) return "";
  auto text = file->ReadAll();
  return text.ok() ? *std::move(text) : "";
}

struct Image {
  std::string kind;
  std::string release;         // empty: not known
  std::vector<uint8_t> bytes;  // the decoded kernel; empty if it cannot be decoded
};

absl::StatusOr<Image> ReadBzImage(const KernelFile& file) {
  ASSIGN_OR_RETURN(const BzImage header, ParseBzImage(file.head, file.kernel.size()));
  Image image{.kind = "a bzImage", .release = header.version.substr(0, header.version.find(' '))};
  if (header.payload_size == 0 || header.payload_size > kPayloadMaxCompressed) return image;
  std::vector<uint8_t> packed(header.payload_size);
  RETURN_IF_ERROR(file.kernel.Read(header.payload_offset, packed));
  ASSIGN_OR_RETURN(const Payload payload, ParsePayload(packed));
  image.kind += absl::StrFormat(", %s", CodecName(payload.codec));
  image.bytes.resize(payload.size);
  RETURN_IF_ERROR(DecodePayload(payload, image.bytes));
  return image;
}

absl::StatusOr<Image> ReadImage(const std::string& path) {
  ASSIGN_OR_RETURN(const KernelFile file, OpenKernelFile(path));
  Image image{.kind = "a vmlinux (ELF)"};
  if (!file.is_elf) {
    ASSIGN_OR_RETURN(image, ReadBzImage(file));
  } else if (file.kernel.size() <= kMostImage) {
    image.bytes.resize(file.kernel.size());
    RETURN_IF_ERROR(file.kernel.Read(0, image.bytes));
  }
  if (file.initrd.has_value() || file.command_line.has_value()) image.kind = "a UKI with " + image.kind;
  if (image.release.empty()) image.release = FindRelease(image.bytes).value_or("");
  return image;
}

Diagnosis ModulesDiagnosis(const Image& image, const std::string& root, std::string& modules) {
  const std::string directory = "/lib/modules/" + image.release;
  modules = ReadFile(root + directory + "/modules.dep");
  if (!modules.empty()) return {Level::kOk, "modules", directory, ""};
  return {Level::kWarning, "modules", directory + ": no modules.dep there, so nothing that is a module can be had",
          "install the kernel's package, or make modules_install; depmod writes modules.dep"};
}

// The configuration and the place where it was found.
std::pair<std::string, std::string> FindConfig(const Image& image, const std::string& path, const std::string& root) {
  if (auto text = FindIkconfig(image.bytes); text.has_value())
    return {*std::move(text), "in the image (CONFIG_IKCONFIG)"};
  const size_t slash = path.rfind('/');
  const std::string beside = slash == std::string::npos ? "." : path.substr(0, slash);
  std::vector<std::string> places;
  if (!image.release.empty() && image.release.find('/') == std::string::npos) {
    places = {beside + "/config-" + image.release, root + "/boot/config-" + image.release,
              root + "/lib/modules/" + image.release + "/config"};
  }
  places.push_back(beside + "/.config");           // beside a vmlinux
  places.push_back(beside + "/../../../.config");  // of arch/x86/boot/bzImage
  for (const std::string& place : places) {
    if (std::string text = ReadFile(place); !text.empty()) return {std::move(text), place};
  }
  return {};
}

}  // namespace

Diagnoses CheckConfig(const KernelConfig& config, const std::string& modules) {
  Diagnoses findings;
  for (const Need& need : kNeeds) {
    Value value = config.Of(need.option);
    std::string_view option = need.option;
    if (!need.other.empty() && value == Value::kNo) {
      value = config.Of(need.other);
      if (value != Value::kNo) option = need.other;
    }
    Diagnosis finding{.subject = absl::StrFormat("CONFIG_%s", option),
                      .text = absl::StrFormat("built in: %s", need.use)};
    if (value == Value::kNo) {
      finding.level = need.level;
      finding.text = absl::StrFormat("not set; needed for: %s", need.use);
      finding.remedy = absl::StrFormat("set CONFIG_%s%s%s", need.option, need.module.empty() ? "=y" : "=y or =m",
                                       need.module.empty() ? "" : " if you want that");
    } else if (value == Value::kModule && !need.module.empty() && HasModule(modules, need.module)) {
      finding.text = absl::StrFormat("module %s: %s", need.module, need.use);
    } else if (value == Value::kModule) {
      finding.level = need.level;
      finding.text = absl::StrFormat("a module that is not installed here; needed for: %s", need.use);
      finding.remedy = "install the modules of this kernel";
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

Diagnoses CheckKernel(const std::string& path, const std::string& root) {
  const absl::StatusOr<Image> image = ReadImage(path);
  if (!image.ok())
    return {{Level::kProblem, path, std::string(image.status().message()), "give a bzImage or a vmlinux"}};
  if (image->release.empty()) {
    return {{Level::kWarning, path, image->kind + " that names no release of Linux", "nothing more can be said of it"}};
  }
  Diagnoses findings = {{Level::kOk, path, absl::StrFormat("%s, Linux %s", image->kind, image->release), ""}};
  std::string modules;
  findings.push_back(ModulesDiagnosis(*image, root, modules));
  const auto [text, place] = FindConfig(*image, path, root);
  const KernelConfig config(text);
  if (config.empty()) {
    findings.push_back(
        {Level::kWarning, "configuration", "not found: neither in the image nor beside it nor in /boot",
         absl::StrFormat("put it beside the image as config-%s, or build with CONFIG_IKCONFIG=y", image->release)});
    return findings;
  }
  findings.push_back({Level::kOk, "configuration", place, ""});
  for (Diagnosis& finding : CheckConfig(config, modules)) findings.push_back(std::move(finding));
  return findings;
}

}  // namespace vmm
