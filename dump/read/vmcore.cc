#include "dump/read/vmcore.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "dump/read/cpus_of_notes.h"
#include "dump/read/file_kind.h"
#include "dump/read/read_elf.h"
#include "dump/read/read_kdump.h"

namespace vmm {
namespace {

constexpr std::string_view kKdumpSignature = "KDUMP   ";
constexpr std::string_view kFlattenedSignature("makedumpfile\0\0\0\0", 16);

// Why `file`, which is neither an ELF file nor a kdump file, is no vmcore.
absl::Status RefuseOtherKind(const CoreFile& file) {
  std::string head(std::min<uint64_t>(kKindHeadSize, file.size()), '\0');
  RETURN_IF_ERROR(file.ReadAt(0, {reinterpret_cast<uint8_t*>(head.data()), head.size()}));
  std::string tail(std::min<uint64_t>(kKindTailSize, file.size()), '\0');
  RETURN_IF_ERROR(file.ReadAt(file.size() - tail.size(), {reinterpret_cast<uint8_t*>(tail.data()), tail.size()}));
  std::string why = NameOtherKind(head, tail);
  if (why.empty()) why = NameOtherSuffix(file.path());
  if (why.empty()) why = "no vmcore: it begins as neither an ELF core nor a kdump file does";
  return absl::InvalidArgumentError(absl::StrFormat("%s: %s", file.path(), why));
}

// The one place that knows all formats. Each reader of one takes a CoreFile that outlives what it
// returns.
absl::StatusOr<VmcoreContents> ReadContents(const CoreFile& file) {
  std::array<char, 16> magic = {};
  const size_t size = std::min<uint64_t>(magic.size(), file.size());
  RETURN_IF_ERROR(file.ReadAt(0, {reinterpret_cast<uint8_t*>(magic.data()), size}));
  const std::string_view start(magic.data(), magic.size());
  if (start.starts_with("\x7f"
                        "ELF"))
    return ReadElf(file);
  if (start.starts_with(kKdumpSignature) || start == kFlattenedSignature) return ReadKdump(file);
  return RefuseOtherKind(file);
}

}  // namespace

std::string NameOf(VmcoreFormat format) {
  switch (format) {
    case VmcoreFormat::kElf: return "ELF core";
    case VmcoreFormat::kKdump: return "kdump-compressed";
  }
  return "unknown";
}

absl::StatusOr<std::unique_ptr<Vmcore>> Vmcore::Open(const std::string& path) {
  ASSIGN_OR_RETURN(CoreFile file, CoreFile::Open(path));
  return Take(std::move(file));
}

absl::StatusOr<std::unique_ptr<Vmcore>> Vmcore::Take(UniqueFd fd, std::string path) {
  ASSIGN_OR_RETURN(CoreFile file, CoreFile::Take(std::move(fd), std::move(path)));
  return Take(std::move(file));
}

absl::StatusOr<std::unique_ptr<Vmcore>> Vmcore::Take(CoreFile file) {
  // The contents refer to the file, so it must be where it stays first.
  std::unique_ptr<Vmcore> core(new Vmcore(std::move(file)));
  ASSIGN_OR_RETURN(core->contents_, ReadContents(core->file_));
  core->cpus_ = CpusOfNotes(core->notes());
  if (const VmcoreNote* note = core->FindNote("VMCOREINFO"); note != nullptr) {
    absl::StatusOr<VmcoreInfo> info = VmcoreInfo::Parse(std::string(note->desc.begin(), note->desc.end()));
    if (info.ok()) {
      core->vmcoreinfo_ = *std::move(info);
    } else {
      core->contents_.faults.push_back({"vmcoreinfo-damaged", std::string(info.status().message())});
    }
  }
  return core;
}

const VmcoreNote* Vmcore::FindNote(std::string_view name) const {
  const auto note = std::find_if(contents_.notes.begin(), contents_.notes.end(),
                                 [&](const VmcoreNote& n) { return n.name == name && n.type == 0; });
  return note == contents_.notes.end() ? nullptr : &*note;
}

}  // namespace vmm
