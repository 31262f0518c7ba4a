#include "vmm/boot/virtio_aml.h"

#include "absl/strings/str_format.h"
#include "vmm/platform/memory_map.h"

namespace vmm {

AmlBytes VirtioDevicesAml(int devices) {
  AmlBytes all;
  for (int n = 0; n < devices; ++n) {
    const uint32_t base = static_cast<uint32_t>(kVirtioBase.value + static_cast<uint64_t>(n) * kVirtioStride);
    const AmlBytes device = AmlDevice(
        absl::StrFormat("VR%02X", n),
        AmlJoin({AmlName("_HID", AmlString("LNRO0005")), AmlName("_UID", AmlInteger(static_cast<uint32_t>(n))),
                 AmlName("_CRS",
                         AmlResourceTemplate(AmlJoin({AmlMemory32Fixed(base, kVirtioRegisters),
                                                      AmlEdgeInterrupt(static_cast<uint32_t>(kVirtioGsis[n]))})))}));
    all.insert(all.end(), device.begin(), device.end());
  }
  return AmlScope("\\_SB_", all);
}

}  // namespace vmm
