// Builds BTF, type by type.
#ifndef DUMP_KERNEL_TESTING_BTF_BUILDER_H_
#define DUMP_KERNEL_TESTING_BTF_BUILDER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vmm {

class BtfBuilder {
 public:
  struct Member {
    std::string name;  // empty: an anonymous struct or union
    uint32_t type = 0;
    uint32_t offset = 0;  // in bytes
  };

  // Each returns the id of the new type.
  uint32_t Int(std::string_view name, uint32_t size);
  uint32_t Pointer(uint32_t to);
  uint32_t Array(uint32_t of, uint32_t count);
  uint32_t Typedef(std::string_view name, uint32_t of);
  uint32_t Union(std::string_view name, uint32_t size, const std::vector<Member>& members);
  uint32_t Struct(std::string_view name, uint32_t size, const std::vector<Member>& members);

  std::vector<uint8_t> Build() const;

 private:
  uint32_t Add(std::string_view name, uint32_t kind, uint32_t vlen, uint32_t size_or_type);
  uint32_t Name(std::string_view name);
  void Word(uint32_t word);

  std::string strings_ = std::string(1, '\0');
  std::vector<uint8_t> types_;
  uint32_t last_ = 0;
};

}  // namespace vmm

#endif  // DUMP_KERNEL_TESTING_BTF_BUILDER_H_
