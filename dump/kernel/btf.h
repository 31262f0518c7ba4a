// BTF: a kernel's types, which a kernel with CONFIG_DEBUG_INFO_BTF carries in its own memory (Linux
// Documentation/bpf/btf.rst). It gives the offsets of struct fields without debug symbols.
#ifndef DUMP_KERNEL_BTF_H_
#define DUMP_KERNEL_BTF_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/kernel/kernel_memory.h"
#include "dump/kernel/kernel_symbols.h"

namespace vmm {

// Immutable: any thread may call.
class Btf {
 public:
  // No kernel has more: Debian's is 5 MB.
  static constexpr size_t kMaxSize = 64 << 20;

  // InvalidArgument, with the offset, if `bytes` are not complete and consistent BTF of version 1.
  static absl::StatusOr<Btf> Parse(std::vector<uint8_t> bytes);

  // Reads the bytes from __start_BTF to __stop_BTF. NotFound if the kernel has no BTF.
  static absl::StatusOr<Btf> Read(const KernelMemory& memory, const KernelSymbols& symbols);

  // The size of `struct name`, in bytes.
  std::optional<uint64_t> SizeOf(std::string_view name) const;

  // A field of `struct name`. Dots in `path` lead into inner structs ("core_layout.base"); anonymous structs need no
  // step. For an array, `size` is the size of the whole array and `element_size` the size of one element.
  struct Field {
    uint64_t offset = 0;
    uint64_t size = 0;
    uint64_t element_size = 0;

    friend bool operator==(const Field&, const Field&) = default;
  };
  std::optional<Field> FindField(std::string_view name, std::string_view path) const;

 private:
  struct Type;
  struct Member;

  explicit Btf(std::vector<uint8_t> bytes) : bytes_(std::move(bytes)) {}

  absl::Status Index();
  std::optional<Type> TypeOf(uint32_t id) const;
  std::optional<Member> MemberOf(const Type& type, uint32_t index) const;
  std::string_view NameAt(uint32_t offset) const;
  std::optional<uint32_t> FindStruct(std::string_view name) const;

  // Follows `id` through typedefs, const and volatile to the type itself.
  std::optional<uint32_t> Resolve(uint32_t id) const;
  std::optional<uint64_t> SizeOfType(uint32_t id) const;

  // The member `name` of the struct `id`, or of an anonymous struct within it.
  struct Found {
    uint64_t offset = 0;
    uint32_t type = 0;
  };
  std::optional<Found> FindMember(uint32_t id, std::string_view name, int depth, int* budget) const;

  std::vector<uint8_t> bytes_;
  uint32_t strings_ = 0;  // in bytes_
  uint32_t strings_size_ = 0;
  std::vector<uint32_t> types_;  // offset in bytes_ of each type, by id; 0 for id 0, void
};

}  // namespace vmm

#endif  // DUMP_KERNEL_BTF_H_
