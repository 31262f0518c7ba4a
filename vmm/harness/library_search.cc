#include "vmm/harness/library_search.h"

#include <optional>
#include <set>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/input_file.h"
#include "base/status.h"
#include "vmm/harness/elf_needs.h"

namespace vmm {
namespace {

constexpr size_t kMaxLibraries = 4096;
constexpr uint64_t kMaxCache = 64 << 20;

// A file that was found, in the order in which the loader maps them.
struct Loaded {
  std::string path;
  ElfNeeds needs;
  size_t loader = 0;  // index of the file that needed it first; its own index: the program
};

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// The folders in a DT_RPATH, DT_RUNPATH or LD_LIBRARY_PATH of a file in `origin`. An empty one is the current folder,
// which in the guest is not this one: it is left out.
std::vector<std::string> Folders(std::string_view list, const std::string& origin) {
  std::vector<std::string> folders;
  for (const std::string& folder : std::vector<std::string>(absl::StrSplit(std::string(list), absl::ByAnyChar(":;")))) {
    if (folder.empty()) continue;
    // glibc's $LIB is its distribution's choice. A folder that does not exist is passed over.
    for (const char* const lib : {"lib/x86_64-linux-gnu", "lib64", "lib"}) {
      folders.push_back(absl::StrReplaceAll(folder, {{"${ORIGIN}", origin},
                                                     {"$ORIGIN", origin},
                                                     {"${LIB}", lib},
                                                     {"$LIB", lib},
                                                     {"${PLATFORM}", "x86_64"},
                                                     {"$PLATFORM", "x86_64"}}));
      if (folder.find("LIB") == std::string::npos) break;
    }
  }
  return folders;
}

class Search {
 public:
  explicit Search(const LibraryFolders& folders) : folders_(folders) {}

  absl::StatusOr<std::vector<std::string>> All(const std::string& path) {
    ASSIGN_OR_RETURN(const InputFile program, Annotate(InputFile::Open(path), path));
    ASSIGN_OR_RETURN(ElfNeeds needs, Annotate(ReadElfNeeds(program), path));
    loaded_.push_back({.path = path, .needs = std::move(needs)});
    for (size_t i = 0; i < loaded_.size(); ++i) {
      const std::vector<std::string> needed = loaded_[i].needs.needed;  // a copy, because loaded_ grows
      for (const std::string& name : needed) RETURN_IF_ERROR(Load(name, i));
    }
    std::vector<std::string> paths;
    for (size_t i = 1; i < loaded_.size(); ++i) paths.push_back(loaded_[i].path);
    return paths;
  }

 private:
  absl::Status Load(const std::string& name, size_t loader) {
    if (!names_.insert(name).second) return absl::OkStatus();
    // The loader itself has been loaded already.
    if (const std::string& interpreter = loaded_[0].needs.interpreter;
        !interpreter.empty() && interpreter.ends_with("/" + name)) {
      return absl::OkStatus();
    }
    if (loaded_.size() > kMaxLibraries) {
      return absl::ResourceExhaustedError(absl::StrFormat("more than %d libraries are needed", kMaxLibraries));
    }
    tried_.clear();
    std::optional<Loaded> found = Find(name, loader);
    if (!found.has_value()) {
      return absl::NotFoundError(absl::StrFormat("%s needs the library %s, which is in none of: %s",
                                                 loaded_[loader].path, name, absl::StrJoin(tried_, ", ")));
    }
    found->loader = loader;
    if (!found->needs.soname.empty()) names_.insert(found->needs.soname);
    loaded_.push_back(*std::move(found));
    return absl::OkStatus();
  }

  std::optional<Loaded> Find(const std::string& name, size_t loader) {
    if (name.find('/') != std::string::npos) {
      const std::vector<std::string> expanded = Folders(name, FolderOf(loaded_[loader].path));
      return expanded.empty() ? std::nullopt : Try(expanded[0]);
    }
    const ElfNeeds& needs = loaded_[loader].needs;
    if (needs.runpath.empty()) {
      for (size_t i = loader;; i = loaded_[i].loader) {
        const Loaded& file = loaded_[i];
        if (file.needs.runpath.empty()) {
          if (auto found = TryIn(Folders(file.needs.rpath, FolderOf(file.path)), name)) return found;
        }
        if (file.loader == i) break;
      }
    }
    if (auto found = TryIn(folders_.environment, name)) return found;
    if (auto found = TryIn(Folders(needs.runpath, FolderOf(loaded_[loader].path)), name)) return found;
    if (const auto cached = folders_.cache.find(name); cached != folders_.cache.end()) {
      if (auto found = Try(cached->second)) return found;
    }
    return TryIn(folders_.defaults, name);
  }

  std::optional<Loaded> TryIn(const std::vector<std::string>& folders, const std::string& name) {
    for (const std::string& folder : folders) {
      if (tried_.size() < 32) tried_.push_back(folder);
      if (auto found = Try(folder + "/" + name)) return found;
    }
    return std::nullopt;
  }

  // Nothing if the file is not there, or the loader would pass it over.
  static std::optional<Loaded> Try(const std::string& path) {
    const absl::StatusOr<InputFile> file = InputFile::Open(path);
    if (!file.ok()) return std::nullopt;
    absl::StatusOr<ElfNeeds> needs = ReadElfNeeds(*file);
    if (!needs.ok()) return std::nullopt;
    return Loaded{.path = path, .needs = *std::move(needs)};
  }

  const LibraryFolders& folders_;
  std::vector<Loaded> loaded_;
  std::set<std::string> names_;  // asked for, or given by a soname
  std::vector<std::string> tried_;
};

}  // namespace

LibraryFolders HostLibraryFolders() {
  LibraryFolders folders;
  folders.defaults = {"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib",
                      "/usr/local/lib"};
  const absl::StatusOr<std::string> cache = ReadSmallInput("/etc/ld.so.cache", kMaxCache);
  if (cache.ok()) folders.cache = ReadLoaderCache(*cache);
  return folders;
}

absl::StatusOr<std::vector<std::string>> FindLibraries(const std::string& path, const LibraryFolders& folders) {
  return Search(folders).All(path);
}

}  // namespace vmm
