#include "dump/tool/command.h"

#include <filesystem>

#include "absl/strings/str_format.h"
#include "dump/tool/printable.h"

namespace vmm {

std::string DirectoryOf(const std::string& path) {
  const std::filesystem::path file(path);
  return file.has_parent_path() ? file.parent_path().string() : ".";
}

CommandFiles Invocation::Files() const {
  CommandFiles files{.inputs = operands_};
  if (const auto output = Value("output")) files.output_directories.push_back(DirectoryOf(*output));
  return files;
}

std::optional<std::string> Invocation::Value(const std::string& name) const {
  const auto option = options_.find(name);
  if (option == options_.end()) return std::nullopt;
  return option->second;
}

int Invocation::Fail(const absl::Status& status) const {
  err_ << "vmcore " << command_ << ": " << Printable(std::string(status.message())) << "\n";
  return kExitBadFile;
}

void Invocation::TellCutShort(const std::string& file_is_cut_short) const {
  cut_short_.push_back(Printable(file_is_cut_short));
  err_ << "vmcore " << command_ << ": " << cut_short_.back() << "\n";
}

int Invocation::Misused(std::string_view why) const {
  err_ << "vmcore " << command_ << ": " << Printable(why) << "\n"
       << "Try `vmcore " << command_ << " --help`.\n";
  return kExitBadUsage;
}

}  // namespace vmm
