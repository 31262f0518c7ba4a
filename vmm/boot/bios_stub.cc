#include "vmm/boot/bios_stub.h"

#include <array>

#include "base/bytes.h"
#include "base/status.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

// 16-bit code. An INT leaves IP, CS and FLAGS on the stack; IRET takes them from there.
constexpr std::array<uint8_t, 10> kHandler{
    0x55,                    // push %bp
    0x89, 0xe5,              // mov %sp, %bp
    0x80, 0x4e, 0x06, 0x01,  // orb $1, 6(%bp): the carry flag
    0x5d,                    // pop %bp
    0xcf,                    // iret
    0xf4,                    // hlt: not reached
};

struct Vector {  // Intel SDM vol. 3, 21.1.4
  uint16_t offset;
  uint16_t segment;
};

}  // namespace

absl::Status WriteBiosStub(GuestMemory& memory) {
  static_assert(kBiosStub.value >= 0xf0000 && kBiosStub.value + sizeof(kHandler) <= kHighMemory.value);
  std::array<Vector, 256> table;
  table.fill({.offset = static_cast<uint16_t>(kBiosStub.value - 0xf0000), .segment = 0xf000});
  RETURN_IF_ERROR(Annotate(memory.Write(kBiosStub, kHandler), "write the BIOS stub"));
  return Annotate(memory.Write(GuestAddr{0}, BytesOf(table)), "write the real-mode interrupt table");
}

}  // namespace vmm
