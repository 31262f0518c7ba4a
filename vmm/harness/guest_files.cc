#include "vmm/harness/guest_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "vmm/harness/elf_needs.h"
#include "vmm/harness/no_program.h"

namespace vmm {
namespace {

constexpr int kMaxScripts = 5;           // the kernel's limit for a script whose interpreter is a script, and so on
constexpr uint64_t kMaxFirstLine = 256;  // the kernel reads so much of a script
constexpr std::string_view kLoaderCachePath = "/etc/ld.so.cache";

// The words of a "#!" line: the interpreter, and its argument if it has one.
absl::StatusOr<std::vector<std::string>> ReadFirstLine(const InputFile& file) {
  std::string line(std::min(file.size(), kMaxFirstLine), '\0');
  RETURN_IF_ERROR(file.Read(0, {reinterpret_cast<uint8_t*>(line.data()), line.size()}));
  if (!line.starts_with("#!")) return std::vector<std::string>();
  line = line.substr(2, line.find('\n') - 2);
  return std::vector<std::string>(absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty()));
}

// The program that env(1) is to start: `#!/usr/bin/env [-S] [NAME=VALUE...] PROGRAM`.
std::string ProgramOfEnv(const std::vector<std::string>& words) {
  for (size_t i = 1; i < words.size(); ++i) {
    if (words[i].starts_with('-') || words[i].find('=') != std::string::npos) continue;
    return words[i];
  }
  return "";
}

bool IsExecutable(const std::string& path) {
  struct stat status = {};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 0111) != 0;
}

absl::Status NotFound(std::string message) { return NoProgramError(NoProgram::kNotFound, message); }
absl::Status CannotExecute(std::string message) { return NoProgramError(NoProgram::kCannotExecute, message); }

}  // namespace

absl::Status GuestFiles::AddProgram(const std::string& path) { return AddProgramAt(path, 0); }

absl::Status GuestFiles::AddProgramAt(const std::string& path, int depth) {
  if (archive_.Has(path)) return absl::OkStatus();
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return NotFound(absl::StrFormat("%s: there is no such program", path));
  const absl::StatusOr<InputFile> file = InputFile::Open(path, {.may_be_empty = true});
  if (!file.ok())
    return CannotExecute(Annotate(file.status(), path).ToString(absl::StatusToStringMode::kWithNoExtraData));
  if ((status.st_mode & 0111) == 0) {
    return CannotExecute(absl::StrFormat("%s is not executable; chmod +x makes it so", path));
  }
  if (LooksLikeElf(*file)) return AddElf(path, *file);
  return AddScript(path, *file, depth);
}

absl::Status GuestFiles::AddElf(const std::string& path, const InputFile& file) {
  const absl::StatusOr<ElfNeeds> needs = ReadElfNeeds(file);
  if (!needs.ok()) return CannotExecute(absl::StrFormat("%s is %s", path, std::string(needs.status().message())));
  RETURN_IF_ERROR(archive_.AddFile(path, file, 0755));
  if (needs->interpreter.empty()) return absl::OkStatus();
  if (!IsExecutable(needs->interpreter)) {
    return NotFound(absl::StrFormat("%s needs the loader %s, which is not on this host", path, needs->interpreter));
  }
  RETURN_IF_ERROR(AddLoader(needs->interpreter));
  const absl::Status libraries = AddLibraries(path);
  return absl::IsNotFound(libraries) ? NotFound(std::string(libraries.message())) : libraries;
}

absl::Status GuestFiles::AddLoader(const std::string& interpreter) {
  RETURN_IF_ERROR(CopyOnce(interpreter, AbsolutePath(interpreter), /*executable=*/true));
  // In the guest the loader must find what it finds here.
  if (folders_.cache.empty()) return absl::OkStatus();
  return CopyOnce(std::string(kLoaderCachePath), std::string(kLoaderCachePath), /*executable=*/false);
}

absl::Status GuestFiles::AddLibraries(const std::string& path) {
  ASSIGN_OR_RETURN(const std::vector<std::string> libraries, FindLibraries(path, folders_));
  for (const std::string& library : libraries) {
    RETURN_IF_ERROR(CopyOnce(library, AbsolutePath(library), /*executable=*/true));
  }
  return absl::OkStatus();
}

absl::Status GuestFiles::AddScript(const std::string& path, const InputFile& file, int depth) {
  ASSIGN_OR_RETURN(const std::vector<std::string> words, ReadFirstLine(file));
  if (words.empty()) {
    return CannotExecute(absl::StrFormat("%s is neither an ELF program nor a script that begins with #!", path));
  }
  if (depth == kMaxScripts) return CannotExecute(absl::StrFormat("%s: its interpreter is a script, and so on", path));
  RETURN_IF_ERROR(archive_.AddFile(path, file, 0755));
  if (!words[0].starts_with('/') || !IsExecutable(words[0])) {
    return NotFound(absl::StrFormat("%s: its interpreter %s is no program on this host", path, words[0]));
  }
  RETURN_IF_ERROR(AddProgramAt(AbsolutePath(words[0]), depth + 1));
  const std::string started = words[0].ends_with("/env") ? ProgramOfEnv(words) : "";
  if (started.empty()) return absl::OkStatus();
  // The default PATH of the guest.
  const absl::StatusOr<std::string> found =
      FindProgram(started, "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  if (!found.ok()) return NotFound(absl::StrFormat("%s: its interpreter %s is no program on this host", path, started));
  return AddProgramAt(*found, depth + 1);
}

absl::Status GuestFiles::Add(const std::string& host, const std::string& at) {
  std::error_code error;
  if (std::filesystem::is_directory(host, error)) return AddFolder(host, at);
  return AddWithNeeds(host, at);
}

absl::Status GuestFiles::AddFolder(const std::string& host, const std::string& at) {
  RETURN_IF_ERROR(archive_.AddFolder(at));
  std::error_code error;
  std::filesystem::recursive_directory_iterator walk(host, error);
  for (; !error && walk != std::filesystem::recursive_directory_iterator(); walk.increment(error)) {
    const std::string path = walk->path().string();
    const std::string target = at + path.substr(host.size());
    std::error_code kind;
    if (walk->is_symlink(kind)) {
      RETURN_IF_ERROR(archive_.AddLink(target, std::filesystem::read_symlink(walk->path(), kind).string()));
    } else if (walk->is_directory(kind)) {
      RETURN_IF_ERROR(archive_.AddFolder(target));
    } else if (walk->is_regular_file(kind)) {
      RETURN_IF_ERROR(AddWithNeeds(path, target));
    }  // sockets, FIFOs and devices are no data
  }
  if (error) return ErrnoStatus(error.value(), "read folder " + host);
  return absl::OkStatus();
}

absl::Status GuestFiles::CopyOnce(const std::string& host, const std::string& at, bool executable) {
  if (archive_.Has(at)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const InputFile file, Annotate(InputFile::Open(host, {.may_be_empty = true}), host));
  return Annotate(archive_.AddFile(at, file, executable ? 0755 : 0644), host);
}

absl::Status GuestFiles::AddWithNeeds(const std::string& host, const std::string& at) {
  RETURN_IF_ERROR(CopyOnce(host, at, IsExecutable(host)));
  ASSIGN_OR_RETURN(const InputFile file, Annotate(InputFile::Open(host, {.may_be_empty = true}), host));
  if (!LooksLikeElf(file)) return absl::OkStatus();
  const absl::StatusOr<ElfNeeds> needs = ReadElfNeeds(file);
  if (!needs.ok()) return absl::OkStatus();
  if (!needs->interpreter.empty() && IsExecutable(needs->interpreter)) RETURN_IF_ERROR(AddLoader(needs->interpreter));
  if (needs->needed.empty()) return absl::OkStatus();
  const absl::Status libraries = AddLibraries(host);
  return absl::IsNotFound(libraries) ? absl::OkStatus() : libraries;
}

absl::StatusOr<std::string> FindProgram(const std::string& word, std::string_view search_path) {
  if (word.find('/') != std::string::npos) return AbsolutePath(word);
  for (const std::string& folder : std::vector<std::string>(absl::StrSplit(std::string(search_path), ':'))) {
    const std::string path = folder + "/" + word;
    if (!folder.empty() && IsExecutable(path)) return AbsolutePath(path);
  }
  return NotFound(absl::StrFormat("%s: no program of that name is in PATH (%s)", word, search_path));
}

absl::Status CheckProgram(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return NotFound(absl::StrFormat("%s: there is no such program", path));
  if (IsExecutable(path)) return absl::OkStatus();
  return CannotExecute(absl::StrFormat("%s is not executable; chmod +x makes it so", path));
}

std::string AbsolutePath(const std::string& path) {
  std::error_code error;
  std::filesystem::path whole(path);
  if (whole.is_relative()) whole = std::filesystem::current_path(error) / whole;
  std::string plain = whole.lexically_normal().string();
  while (plain.size() > 1 && plain.ends_with('/')) plain.pop_back();
  return plain;
}

}  // namespace vmm
