#include "dump/read/vmcore.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "absl/strings/cord.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "dump/abi/kdump_abi.h"
#include "dump/read/cpus_of_notes.h"
#include "dump/read/file_kind.h"
#include "dump/read/read_elf.h"
#include "dump/read/read_kdump.h"

namespace vmm {
namespace {

// `file` must outlive the result.
absl::StatusOr<std::shared_ptr<const ByteSource>> BytesOf(const CoreFile& file) {
  std::unique_ptr<ByteSource> source = MakeFileSource(file);
  if (IsFlattened(*source)) {
    ASSIGN_OR_RETURN(source, Annotate(Unflatten(std::move(source)), file.path()));
  }
  return std::shared_ptr<const ByteSource>(std::move(source));
}

// Says why a file that is neither an ELF file nor a kdump file is no vmcore.
absl::Status RefuseOtherKind(const ByteSource& bytes, const std::string& path) {
  std::string head(std::min<uint64_t>(kKindHeadSize, bytes.size()), '\0');
  RETURN_IF_ERROR(bytes.ReadAt(0, {reinterpret_cast<uint8_t*>(head.data()), head.size()}));
  std::string tail(std::min<uint64_t>(kKindTailSize, bytes.size()), '\0');
  RETURN_IF_ERROR(bytes.ReadAt(bytes.size() - tail.size(), {reinterpret_cast<uint8_t*>(tail.data()), tail.size()}));
  std::string why = NameOtherKind(head, tail);
  if (why.empty()) why = NameOtherSuffix(path);
  if (why.empty()) why = "no vmcore: it begins as neither an ELF core nor a kdump file does";
  return absl::InvalidArgumentError(absl::StrFormat("%s: %s", path, why));
}

// The one place that knows all formats.
absl::StatusOr<VmcoreContents> ReadContents(const std::shared_ptr<const ByteSource>& bytes, const std::string& path) {
  std::array<char, 8> magic = {};
  const size_t size = bytes->Available(0, magic.size());
  RETURN_IF_ERROR(bytes->ReadAt(0, {reinterpret_cast<uint8_t*>(magic.data()), size}));
  const std::string_view start(magic.data(), size);
  if (start.starts_with("\x7f"
                        "ELF"))
    return ReadElf(bytes, path);
  if (start == std::string_view(kKdumpSignature, magic.size())) return ReadKdump(bytes, path);
  if (size < magic.size() && bytes->cut_short().has_value()) return CutShortError(*bytes->cut_short());
  return RefuseOtherKind(*bytes, path);
}

// "PATH is cut short: ..."
absl::Status WithPath(const absl::Status& cut_short, const std::string& path) {
  absl::Status status(cut_short.code(), absl::StrFormat("%s %s", path, std::string(cut_short.message())));
  cut_short.ForEachPayload([&](auto name, const absl::Cord& payload) { status.SetPayload(name, payload); });
  return status;
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
  // The contents refer to the file, so it must be in its final place first.
  std::unique_ptr<Vmcore> core(new Vmcore(std::move(file)));
  ASSIGN_OR_RETURN(core->bytes_, BytesOf(core->file_));
  absl::StatusOr<VmcoreContents> contents = ReadContents(core->bytes_, core->file_.path());
  if (IsCutShort(contents.status())) return WithPath(contents.status(), core->file_.path());
  if (!contents.ok()) return contents.status();
  core->contents_ = *std::move(contents);
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
