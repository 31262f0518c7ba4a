// Sizes and offsets of the kernel's structs, from the source that knows them: VMCOREINFO, which names a few dozen, or
// BTF, which has them all.
#ifndef DUMP_KERNEL_STRUCT_LAYOUT_H_
#define DUMP_KERNEL_STRUCT_LAYOUT_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "dump/kernel/btf.h"
#include "dump/snapshot/vmcoreinfo.h"

namespace vmm {

// A larger size or offset is not believed.
inline constexpr uint64_t kMaxStructSize = 16 << 20;

// A view; either may be null. Any thread may call.
class StructLayout {
 public:
  StructLayout(const VmcoreInfo* info, const Btf* btf) : info_(info), btf_(btf) {}

  // The size of "printk_info", in bytes: at most kMaxStructSize, not 0.
  std::optional<uint64_t> Size(std::string_view name) const;

  // The offset of "printk_info.seq", in bytes: at most kMaxStructSize.
  std::optional<uint64_t> Offset(std::string_view field) const;

  const Btf* btf() const { return btf_; }

 private:
  const VmcoreInfo* info_;
  const Btf* btf_;
};

}  // namespace vmm

#endif  // DUMP_KERNEL_STRUCT_LAYOUT_H_
