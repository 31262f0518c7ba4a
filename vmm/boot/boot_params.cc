#include "vmm/boot/boot_params.h"

#include <array>
#include <cstring>

#include "absl/strings/str_format.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

using Page = std::array<uint8_t, kBootParamsSize>;

template <typename T>
void Put(Page& page, uint64_t offset, const T& value) {
  static_assert(sizeof(T) <= kBootParamsSize);
  std::memcpy(page.data() + offset, &value, sizeof(T));
}

uint32_t Low(uint64_t value) { return static_cast<uint32_t>(value); }
uint32_t High(uint64_t value) { return static_cast<uint32_t>(value >> 32); }

}  // namespace

SetupHeader HeaderForElf() {
  SetupHeader header;
  header.boot_flag = kBootFlag;
  header.header = kSetupHeaderMagic;
  header.version = 0x20c;
  header.loadflags = kLoadflagLoadedHigh;
  header.xloadflags = kXlfKernel64;
  return header;
}

absl::Status WriteBootParams(GuestMemory& memory, const BootParams& params) {
  if (params.e820.size() > kE820MaxEntries) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("%d e820 entries, boot_params holds %d", params.e820.size(), kE820MaxEntries));
  }
  SetupHeader header = params.header;
  header.type_of_loader = kLoaderTypeUndefined;
  header.cmd_line_ptr = Low(kCommandLine.value);
  header.ramdisk_image = Low(params.initrd.start.value);
  header.ramdisk_size = Low(params.initrd.size);
  header.setup_data = header.version >= 0x209 ? params.setup_data.value : 0;
  // The loader decides whether the image was placed at random, so the file's own flag is ignored.
  header.loadflags = static_cast<uint8_t>((header.loadflags & ~kLoadflagKaslr) | (params.kaslr ? kLoadflagKaslr : 0));

  Page page{};
  Put(page, kBootParamsAcpiRsdpAddr, params.acpi_rsdp.value);
  Put(page, kBootParamsExtRamdiskImage, High(params.initrd.start.value));
  Put(page, kBootParamsExtRamdiskSize, High(params.initrd.size));
  Put(page, kBootParamsExtCmdLinePtr, High(kCommandLine.value));
  Put(page, kBootParamsE820Entries, static_cast<uint8_t>(params.e820.size()));
  Put(page, kBootParamsSentinel, uint8_t{0});
  Put(page, kSetupHeaderOffset, header);
  for (size_t i = 0; i < params.e820.size(); ++i) {
    Put(page, kBootParamsE820Table + i * sizeof(E820Entry), params.e820[i]);
  }
  return memory.Write(kBootParams, page);
}

}  // namespace vmm
