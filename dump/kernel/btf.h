// BTF: a kernel's types, which a kernel with CONFIG_DEBUG_INFO_BTF carries in its own memory (Linux
// Documentation/bpf/btf.rst). It gives the offsets of struct fields without debug symbols.
#ifndef DUMP_KERNEL_BTF_H_
#define DUMP_KERNEL_BTF_H_

#include <atomic>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/budget.h"
#include "dump/kernel/kernel_memory.h"
#include "dump/kernel/kernel_symbols.h"

namespace vmm {

// Immutable: any thread may call.
class Btf {
 public:
  static constexpr size_t kMaxSize = kBtfBudget.bytes;

  // InvalidArgument, with the offset, if `bytes` are not complete and consistent BTF of version 1. ResourceExhausted if
  // they cost more than kBtfBudget.
  static absl::StatusOr<Btf> Parse(std::vector<uint8_t> bytes);

  // Reads the bytes from __start_BTF to __stop_BTF. NotFound if the kernel has no BTF.
  static absl::StatusOr<Btf> Read(const KernelMemory& memory, const KernelSymbols& symbols);

  // Look-ups together cost at most kBtfLookUpBudget. After that nothing is found any more.

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

  // The number of members and names that all look-ups have compared so far.
  uint64_t look_up_steps() const { return *look_up_steps_; }

 private:
  struct Type;
  struct Member;

  explicit Btf(std::vector<uint8_t> bytes) : bytes_(std::move(bytes)) {}

  absl::Status Index();
  std::optional<Type> TypeOf(uint32_t id) const;
  std::optional<Member> MemberOf(const Type& type, uint32_t index) const;
  std::string_view NameAt(uint32_t offset) const;
  void IndexStructs();
  std::optional<uint32_t> FindStruct(std::string_view name) const;

  // Pays for a look-up that compared `steps` times. False once kBtfLookUpBudget is spent.
  bool Pay(uint64_t steps) const;

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

  // The structs by the hash of their name, ascending, and by id.
  struct NamedStruct {
    uint32_t hash = 0;
    uint32_t id = 0;

    friend auto operator<=>(const NamedStruct&, const NamedStruct&) = default;
  };
  std::vector<NamedStruct> structs_;

  // On the heap, so that a Btf can move.
  std::unique_ptr<std::atomic<uint64_t>> look_up_steps_ = std::make_unique<std::atomic<uint64_t>>(0);
};

}  // namespace vmm

#endif  // DUMP_KERNEL_BTF_H_
