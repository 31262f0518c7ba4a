#include "vmm/harness/modules/module_file.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>

#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/input_file.h"
#include "base/status.h"
#include "vmm/boot/image_bytes.h"
#include "vmm/boot/unwrap.h"
#include "vmm/harness/modules/soft_dependency.h"

namespace vmm {
namespace {

constexpr uint64_t kMaxModule = 256 << 20;
constexpr size_t kMaxNames = 4096;

absl::Status Bad(std::string message) { return absl::InvalidArgumentError(message); }

absl::StatusOr<std::string> ReadAndUnpack(const std::string& path) {
  ASSIGN_OR_RETURN(InputFile file, InputFile::Open(path, {.most = kMaxModule}));
  ImageBytes bytes(std::move(file));
  std::vector<uint8_t> head(std::min<uint64_t>(bytes.size(), 64));
  RETURN_IF_ERROR(bytes.Read(0, head));
  if (const std::optional<Codec> codec = IdentifyWrapping(head); codec.has_value()) {
    ASSIGN_OR_RETURN(bytes, Unwrap(bytes, *codec));
  }
  if (bytes.size() > kMaxModule) return Bad(absl::StrFormat("%d bytes; the limit is %d", bytes.size(), kMaxModule));
  std::string module(bytes.size(), '\0');
  RETURN_IF_ERROR(bytes.Read(0, {reinterpret_cast<uint8_t*>(module.data()), module.size()}));
  return module;
}

// Returns the bytes of `module` from `offset`, or nothing if it has not so many.
std::optional<std::string_view> Part(std::string_view module, uint64_t offset, uint64_t size) {
  if (offset > module.size() || size > module.size() - offset) return std::nullopt;
  return module.substr(offset, size);
}

template <typename T>
std::optional<T> ObjectAt(std::string_view module, uint64_t offset) {
  const std::optional<std::string_view> bytes = Part(module, offset, sizeof(T));
  if (!bytes.has_value()) return std::nullopt;
  T object;
  std::memcpy(&object, bytes->data(), sizeof object);
  return object;
}

absl::StatusOr<std::string_view> FindModinfo(std::string_view module) {
  const auto header = ObjectAt<Elf64_Ehdr>(module, 0);
  if (!header.has_value() || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
      header->e_ident[EI_CLASS] != ELFCLASS64) {
    return Bad("it is not a 64-bit ELF file");
  }
  const auto section = [&](uint64_t index) -> std::optional<Elf64_Shdr> {
    if (header->e_shoff > module.size()) return std::nullopt;
    return ObjectAt<Elf64_Shdr>(module, header->e_shoff + index * sizeof(Elf64_Shdr));
  };
  const std::optional<Elf64_Shdr> names = section(header->e_shstrndx);
  for (uint64_t i = 0; names.has_value() && i < header->e_shnum; ++i) {
    const std::optional<Elf64_Shdr> candidate = section(i);
    if (!candidate.has_value()) break;
    constexpr std::string_view kName(".modinfo\0", 9);
    if (candidate->sh_name > module.size() || names->sh_offset > module.size()) continue;
    if (Part(module, names->sh_offset + candidate->sh_name, kName.size()) != kName) continue;
    if (const auto bytes = Part(module, candidate->sh_offset, candidate->sh_size)) return *bytes;
  }
  return Bad("it has no section .modinfo: it is not a kernel module");
}

}  // namespace

std::string ModuleName(std::string_view path) {
  std::string name(path.substr(path.rfind('/') + 1));  // npos + 1 is 0
  for (const std::string_view suffix : {".xz", ".zst", ".gz"}) {
    if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
  }
  if (!name.ends_with(".ko")) return "";
  name.resize(name.size() - 3);
  std::ranges::replace(name, '-', '_');
  return name;
}

absl::StatusOr<std::string> ReadModule(const std::string& path) {
  return Annotate(ReadAndUnpack(path), absl::StrFormat("module %s", path));
}

absl::StatusOr<ModuleInfo> ReadModuleInfo(std::string_view module) {
  ASSIGN_OR_RETURN(const std::string_view modinfo, FindModinfo(module));
  ModuleInfo info;
  for (size_t at = 0; at < modinfo.size();) {
    const size_t end = std::min(modinfo.find('\0', at), modinfo.size());
    const std::string_view line = modinfo.substr(at, end - at);
    at = end + 1;
    const size_t equals = std::min(line.find('='), line.size());
    const std::string_view key = line.substr(0, equals);
    const std::string value(line.substr(std::min(equals + 1, line.size())));
    if (key == "depends") info.depends = absl::StrSplit(value, ',', absl::SkipEmpty());
    if (key == "softdep") ReadSoftDependencies(value, info.before, info.after);
    if (key == "vermagic") info.release = value.substr(0, value.find(' '));
  }
  if (info.depends.size() + info.before.size() + info.after.size() > kMaxNames) {
    return Bad(absl::StrFormat("it depends on more than %d modules", kMaxNames));
  }
  return info;
}

}  // namespace vmm
