// The words by which the Xen hypervisor says on its console that a machine is lost, and who died.
#ifndef VMM_WITNESS_XEN_SIGNS_H_
#define VMM_WITNESS_XEN_SIGNS_H_

#include <optional>
#include <string_view>

namespace vmm {

enum class XenVictim {
  kXen,   // the hypervisor itself
  kDom0,  // the domain that has the hardware; the hypervisor then resets the machine, or stops
};

// "xen", "dom0": stable words, used in result.json.
std::string_view XenVictimName(XenVictim victim);

// Returns who died by one whole line of the console; nothing if the line does not tell of such a death. Only a line
// that begins with Xen's own mark, "(XEN) ", counts. A domain's programs cannot print one there at will: Xen puts
// "(dN) " before what an ordinary domain says. dom0 can forge it, but its word is the console's in any case.
std::optional<XenVictim> FindXenDeath(std::string_view line);

}  // namespace vmm

#endif  // VMM_WITNESS_XEN_SIGNS_H_
