// Writes the few terms of AML that an ACPI table made at run time needs. Source: ACPI Specification 6.4, chapter 20 for
// the terms, 6.4 (section) for resource descriptors.
//
//   AmlScope("\\_SB_", AmlDevice("VR00", AmlName("_HID", AmlString("LNRO0005"))))
#ifndef VMM_BOOT_AML_H_
#define VMM_BOOT_AML_H_

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace vmm {

using AmlBytes = std::vector<uint8_t>;

AmlBytes AmlJoin(std::initializer_list<AmlBytes> parts);

// `name`: four characters. `path`: as in AML, so names in it have four characters too.
AmlBytes AmlScope(std::string_view path, const AmlBytes& terms);
AmlBytes AmlDevice(std::string_view name, const AmlBytes& terms);
AmlBytes AmlName(std::string_view name, const AmlBytes& value);

AmlBytes AmlInteger(uint32_t value);
AmlBytes AmlString(std::string_view text);  // ASCII
// A buffer of resource descriptors, to which it adds the end tag.
AmlBytes AmlResourceTemplate(const AmlBytes& descriptors);

// Memory32Fixed (ReadWrite, base, size)
AmlBytes AmlMemory32Fixed(uint32_t base, uint32_t size);
// Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) {gsi}
AmlBytes AmlEdgeInterrupt(uint32_t gsi);

}  // namespace vmm

#endif  // VMM_BOOT_AML_H_
