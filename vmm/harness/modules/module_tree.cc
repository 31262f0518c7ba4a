#include "vmm/harness/modules/module_tree.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/input_file.h"
#include "base/status.h"
#include "vmm/harness/modules/module_file.h"
#include "vmm/harness/modules/soft_dependency.h"

namespace vmm {
namespace {

constexpr uint64_t kMaxList = 64 << 20;  // bytes of modules.dep and the like; Debian's have less than 1 MiB
constexpr size_t kMaxFiles = 100'000;
constexpr size_t kMaxOrder = 10'000;
constexpr int kMaxDepth = 64;  // of dependencies; Debian's have less than 10

std::string Plain(std::string_view name) {
  std::string plain(name);
  std::ranges::replace(plain, '-', '_');
  return plain;
}

bool Exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

// The lines of a list; none if there is no such file.
absl::StatusOr<std::vector<std::string>> ReadLines(const std::string& path) {
  if (!Exists(path)) return std::vector<std::string>();
  ASSIGN_OR_RETURN(const std::string text, Annotate(ReadSmallInput(path, kMaxList), path));
  return std::vector<std::string>(absl::StrSplit(text, '\n', absl::SkipEmpty()));
}

}  // namespace

// Collects the modules to load for one, as libkmod's kmod_module_get_probe_list() does.
class ModuleTree::Order {
 public:
  explicit Order(const ModuleTree& tree) : tree_(tree) {}

  absl::Status Add(const std::string& name, bool required, int depth) {
    if (!visited_.insert(name).second) return absl::OkStatus();
    if (depth > kMaxDepth || modules_.size() > kMaxOrder) {
      return absl::InvalidArgumentError(absl::StrFormat("module %s: its dependencies have no end", name));
    }
    const auto module = tree_.modules_.find(name);
    if (module == tree_.modules_.end()) return absl::OkStatus();  // built in, or a soft dependency that is not there
    std::vector<std::string> depends = module->second.depends;
    Soft soft = SoftOf(name);
    if (!tree_.listed_) {
      ASSIGN_OR_RETURN(const std::string bytes, ReadModule(module->second.path));
      ASSIGN_OR_RETURN(ModuleInfo info, Annotate(ReadModuleInfo(bytes), "module " + module->second.path));
      depends = std::move(info.depends);
      soft = {std::move(info.before), std::move(info.after)};
    }
    for (const std::string& needed : depends) {
      if (!tree_.modules_.contains(Plain(needed)) && !tree_.IsBuiltIn(needed)) {
        return absl::NotFoundError(
            absl::StrFormat("module %s needs %s, which is not in %s", name, needed, tree_.folder_));
      }
      RETURN_IF_ERROR(Add(Plain(needed), required, depth + 1));
    }
    for (const std::string& other : soft.before) RETURN_IF_ERROR(AddSoft(Plain(other), depth + 1));
    modules_.push_back({module->second.path, required});
    for (const std::string& other : soft.after) RETURN_IF_ERROR(AddSoft(Plain(other), depth + 1));
    return absl::OkStatus();
  }

  std::vector<ModuleToLoad> Take() { return std::move(modules_); }

 private:
  absl::Status AddSoft(const std::string& name, int depth) {
    if (tree_.modules_.contains(name)) return Add(name, /*required=*/false, depth);
    for (auto [at, end] = tree_.aliases_.equal_range(name); at != end; ++at) {
      RETURN_IF_ERROR(Add(at->second, /*required=*/false, depth));
    }
    return absl::OkStatus();
  }

  Soft SoftOf(const std::string& name) const {
    const auto soft = tree_.soft_.find(name);
    return soft == tree_.soft_.end() ? Soft{} : soft->second;
  }

  const ModuleTree& tree_;
  std::set<std::string> visited_;
  std::vector<ModuleToLoad> modules_;
};

absl::StatusOr<ModuleTree> ModuleTree::Open(const std::string& folder) {
  ModuleTree tree;
  tree.folder_ = folder;
  tree.listed_ = Exists(folder + "/modules.dep");
  RETURN_IF_ERROR(tree.ReadLists());
  if (!tree.listed_) RETURN_IF_ERROR(tree.SearchFiles());
  return tree;
}

absl::Status ModuleTree::ReadLists() {
  ASSIGN_OR_RETURN(const std::vector<std::string> built_in, ReadLines(folder_ + "/modules.builtin"));
  for (const std::string& line : built_in) built_in_.insert(ModuleName(line));
  if (!listed_) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<std::string> dependencies, ReadLines(folder_ + "/modules.dep"));
  for (const std::string& line : dependencies) AddListedModule(line);
  ASSIGN_OR_RETURN(const std::vector<std::string> soft, ReadLines(folder_ + "/modules.softdep"));
  for (const std::string& line : soft) {
    const std::vector<std::string> words = absl::StrSplit(line, absl::MaxSplits(' ', 2));
    if (words.size() < 3 || words[0] != "softdep") continue;
    Soft& entry = soft_[Plain(words[1])];
    ReadSoftDependencies(words[2], entry.before, entry.after);
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> aliases, ReadLines(folder_ + "/modules.alias"));
  for (const std::string& line : aliases) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (words.size() != 3 || words[0] != "alias" || words[1].find_first_of("*?[") != std::string::npos) continue;
    aliases_.emplace(Plain(words[1]), Plain(words[2]));
  }
  return absl::OkStatus();
}

// "kernel/a.ko: kernel/b.ko kernel/c.ko": c is loaded first, then b, then a.
void ModuleTree::AddListedModule(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string path(line.substr(0, colon));
  Module module{.path = path.starts_with('/') ? path : folder_ + "/" + path, .depends = {}};
  for (const std::string& needed :
       std::vector<std::string>(absl::StrSplit(std::string(line.substr(colon + 1)), ' ', absl::SkipEmpty()))) {
    module.depends.push_back(ModuleName(needed));
  }
  std::ranges::reverse(module.depends);
  if (const std::string name = ModuleName(path); !name.empty()) modules_.emplace(name, std::move(module));
}

absl::Status ModuleTree::SearchFiles() {
  std::error_code error;
  size_t files = 0;
  for (std::filesystem::recursive_directory_iterator at(folder_, error), end; !error && at != end;
       at.increment(error)) {
    if (++files > kMaxFiles) {
      return absl::ResourceExhaustedError(absl::StrFormat("%s: more than %d files", folder_, kMaxFiles));
    }
    const std::string path = at->path().string();
    if (const std::string name = ModuleName(path); !name.empty()) modules_.emplace(name, Module{path, {}});
  }
  if (!modules_.empty()) return absl::OkStatus();
  return absl::NotFoundError(absl::StrFormat(
      "%s: neither modules.dep nor any module is in it; --modules-dir=DIR names the folder of the kernel's modules",
      folder_));
}

bool ModuleTree::IsBuiltIn(std::string_view name) const { return built_in_.contains(Plain(name)); }

absl::StatusOr<std::vector<ModuleToLoad>> ModuleTree::LoadOrder(std::string_view name) const {
  const std::string plain = Plain(name);
  if (!modules_.contains(plain)) {
    if (IsBuiltIn(plain)) return std::vector<ModuleToLoad>();
    return absl::NotFoundError(absl::StrFormat("there is no module %s in %s", name, folder_));
  }
  Order order(*this);
  RETURN_IF_ERROR(order.Add(plain, /*required=*/true, 0));
  return order.Take();
}

}  // namespace vmm
