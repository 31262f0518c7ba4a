#include "vmm/boot/setup_data.h"

#include <sys/random.h>

#include <array>
#include <cerrno>

#include "base/status.h"
#include "vmm/boot/abi/bzimage_abi.h"
#include "vmm/platform/memory_map.h"

namespace vmm {

absl::Status WriteSetupData(GuestMemory& memory) {
  std::array<uint8_t, 32> seed;
  if (getrandom(seed.data(), seed.size(), 0) != static_cast<ssize_t>(seed.size()))
    return ErrnoStatus(errno, "getrandom");
  const SetupDataHead head{.next = 0, .type = kSetupRngSeed, .len = seed.size()};
  RETURN_IF_ERROR(memory.WriteObject(kSetupData, head));
  return memory.Write(GuestAddr{kSetupData.value + sizeof(head)}, seed);
}

}  // namespace vmm
