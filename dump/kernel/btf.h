// BTF: the types of a kernel, which it carries in its own memory since CONFIG_DEBUG_INFO_BTF (Linux
// Documentation/bpf/btf.rst). From it come the offsets of struct fields, without debug symbols.
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
  // More than any kernel has: Debian's is 5 MB.
  static constexpr size_t kMaxSize = 64 << 20;

  // InvalidArgument, with the offset, where `bytes` are not whole and consistent BTF of version 1.
  static absl::StatusOr<Btf> Parse(std::vector<uint8_t> bytes);

  // Reads what lies from __start_BTF to __stop_BTF. NotFound where the kernel has none.
  static absl::StatusOr<Btf> Read(const KernelMemory& memory, const KernelSymbols& symbols);

  // The size of `struct name`, in bytes.
  std::optional<uint64_t> SizeOf(std::string_view name) const;

  // A field of `struct name`; `path` goes into inner structs by dots ("core_layout.base"), through
  // anonymous ones by itself. Of an array, `size` is that of all and `element_size` of one element.
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

  // What `id` stands for behind typedefs, const and volatile.
  std::optional<uint32_t> Resolve(uint32_t id) const;
  std::optional<uint64_t> SizeOfType(uint32_t id) const;

  // The member `name` of the struct `id` or of an anonymous struct within.
  struct Found {
    uint64_t offset = 0;
    uint32_t type = 0;
  };
  std::optional<Found> FindMember(uint32_t id, std::string_view name, int depth, int* budget) const;

  std::vector<uint8_t> bytes_;
  uint32_t strings_ = 0;  // in bytes_
  uint32_t strings_size_ = 0;
  std::vector<uint32_t> types_;  // where each type starts in bytes_; that of id 0, void, is 0
};

}  // namespace vmm

#endif  // DUMP_KERNEL_BTF_H_
