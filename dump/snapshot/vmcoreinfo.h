// The guest kernel's VMCOREINFO: lines "KEY=value" that tell a dump's readers where things are (Linux
// kernel/vmcore_info.c, Documentation/admin-guide/kdump/vmcoreinfo.rst). The guest wrote it, so nothing in it is
// believed before it is checked.
#ifndef DUMP_SNAPSHOT_VMCOREINFO_H_
#define DUMP_SNAPSHOT_VMCOREINFO_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace vmm {

// Linux itself stays below one page; QEMU takes up to 1 MiB.
inline constexpr size_t kMaxVmcoreInfo = 64 << 10;

// Immutable.
class VmcoreInfo {
 public:
  // InvalidArgument unless `text` is at most kMaxVmcoreInfo bytes and names a release of
  // printable characters. `text` is kept byte for byte, for the note of the core.
  static absl::StatusOr<VmcoreInfo> Parse(std::string text);

  const std::string& text() const { return text_; }

  // OSRELEASE: what `uname -r` says in the guest. Letters, digits and "._+~-" only, so it
  // may be put into a message, a script or a file name.
  std::string_view release() const { return release_; }

  // The value of the first line that begins with `key` and "=".
  std::optional<std::string_view> Value(std::string_view key) const;

  // SYMBOL(name)=, hexadecimal: a kernel-virtual address, KASLR applied.
  std::optional<uint64_t> Symbol(std::string_view name) const;

  // NUMBER(name)=, decimal, perhaps negative; or 0x and hexadecimal.
  std::optional<int64_t> Number(std::string_view name) const;

  // OFFSET(name)=, decimal: of a field in its struct.
  std::optional<uint64_t> Offset(std::string_view name) const;

  // SIZE(name)=, decimal: of a struct.
  std::optional<uint64_t> Size(std::string_view name) const;

  // KERNELOFFSET=, hexadecimal: the distance by which KASLR moved the kernel's virtual addresses.
  std::optional<uint64_t> KernelOffset() const;

 private:
  explicit VmcoreInfo(std::string text) : text_(std::move(text)) {}

  std::string text_;
  std::string release_;
};

}  // namespace vmm

#endif  // DUMP_SNAPSHOT_VMCOREINFO_H_
