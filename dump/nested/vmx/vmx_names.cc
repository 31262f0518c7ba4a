#include "dump/nested/vmx/vmx_names.h"

#include <span>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

constexpr std::string_view kExitReasons[] = {
    "exception or NMI",
    "external interrupt",
    "triple fault",
    "INIT",
    "SIPI",
    "I/O SMI",
    "other SMI",
    "interrupt window",
    "NMI window",
    "task switch",
    "CPUID",
    "GETSEC",
    "HLT",
    "INVD",
    "INVLPG",
    "RDPMC",
    "RDTSC",
    "RSM",
    "VMCALL",
    "VMCLEAR",
    "VMLAUNCH",
    "VMPTRLD",
    "VMPTRST",
    "VMREAD",
    "VMRESUME",
    "VMWRITE",
    "VMXOFF",
    "VMXON",
    "control-register access",
    "MOV DR",
    "I/O instruction",
    "RDMSR",
    "WRMSR",
    "entry failed: guest state",
    "entry failed: MSR loading",
    "",
    "MWAIT",
    "monitor trap flag",
    "",
    "MONITOR",
    "PAUSE",
    "entry failed: machine check",
    "",
    "TPR below threshold",
    "APIC access",
    "virtualized EOI",
    "GDTR or IDTR access",
    "LDTR or TR access",
    "EPT violation",
    "EPT misconfiguration",
    "INVEPT",
    "RDTSCP",
    "VMX-preemption timer",
    "INVVPID",
    "WBINVD or WBNOINVD",
    "XSETBV",
    "APIC write",
    "RDRAND",
    "INVPCID",
    "VMFUNC",
    "ENCLS",
    "RDSEED",
    "page-modification log full",
    "XSAVES",
    "XRSTORS",
    "PCONFIG",
    "SPP-related event",
    "UMWAIT",
    "TPAUSE",
    "LOADIWKEY",
    "ENCLV",
    "",
    "ENQCMD PASID translation failure",
    "ENQCMDS PASID translation failure",
    "bus lock",
    "instruction timeout",
    "SEAMCALL",
    "TDCALL",
};

struct BitName {
  int bit;
  std::string_view name;
};

struct ControlNames {
  uint32_t default1;  // bits that are always one
  std::span<const BitName> names;
};

constexpr BitName kPinBased[] = {
    {0, "external-interrupt exiting"}, {3, "NMI exiting"},       {5, "virtual NMIs"},
    {6, "VMX-preemption timer"},       {7, "posted interrupts"},
};
constexpr BitName kPrimary[] = {
    {2, "interrupt-window exiting"},
    {3, "TSC offsetting"},
    {7, "HLT exiting"},
    {9, "INVLPG exiting"},
    {10, "MWAIT exiting"},
    {11, "RDPMC exiting"},
    {12, "RDTSC exiting"},
    {15, "CR3-load exiting"},
    {16, "CR3-store exiting"},
    {17, "tertiary controls"},
    {19, "CR8-load exiting"},
    {20, "CR8-store exiting"},
    {21, "TPR shadow"},
    {22, "NMI-window exiting"},
    {23, "MOV-DR exiting"},
    {24, "unconditional I/O exiting"},
    {25, "I/O bitmaps"},
    {27, "monitor trap flag"},
    {28, "MSR bitmaps"},
    {29, "MONITOR exiting"},
    {30, "PAUSE exiting"},
    {31, "secondary controls"},
};
constexpr BitName kSecondary[] = {
    {0, "virtualize APIC accesses"},
    {1, "EPT"},
    {2, "descriptor-table exiting"},
    {3, "RDTSCP"},
    {4, "virtualize x2APIC mode"},
    {5, "VPID"},
    {6, "WBINVD exiting"},
    {7, "unrestricted guest"},
    {8, "APIC-register virtualization"},
    {9, "virtual-interrupt delivery"},
    {10, "PAUSE-loop exiting"},
    {11, "RDRAND exiting"},
    {12, "INVPCID"},
    {13, "VM functions"},
    {14, "VMCS shadowing"},
    {15, "ENCLS exiting"},
    {16, "RDSEED exiting"},
    {17, "PML"},
    {18, "EPT-violation #VE"},
    {19, "conceal from PT"},
    {20, "XSAVES/XRSTORS"},
    {21, "PASID translation"},
    {22, "mode-based execute control"},
    {23, "sub-page write permissions"},
    {24, "PT uses guest addresses"},
    {25, "TSC scaling"},
    {26, "user wait and pause"},
    {27, "PCONFIG"},
    {28, "ENCLV exiting"},
    {30, "bus-lock detection"},
    {31, "instruction timeout"},
};
constexpr BitName kExit[] = {
    {2, "save debug controls"},
    {9, "64-bit host"},
    {12, "load PERF_GLOBAL_CTRL"},
    {15, "acknowledge interrupt"},
    {18, "save PAT"},
    {19, "load PAT"},
    {20, "save EFER"},
    {21, "load EFER"},
    {22, "save preemption timer"},
    {23, "clear BNDCFGS"},
    {24, "conceal from PT"},
    {25, "clear RTIT_CTL"},
    {26, "clear LBR_CTL"},
    {28, "load CET state"},
    {29, "load PKRS"},
    {30, "save PERF_GLOBAL_CTRL"},
    {31, "secondary controls"},
};
constexpr BitName kEntry[] = {
    {2, "load debug controls"},
    {9, "IA-32e mode guest"},
    {10, "to SMM"},
    {11, "deactivate dual-monitor treatment"},
    {13, "load PERF_GLOBAL_CTRL"},
    {14, "load PAT"},
    {15, "load EFER"},
    {16, "load BNDCFGS"},
    {17, "conceal from PT"},
    {18, "load RTIT_CTL"},
    {20, "load CET state"},
    {21, "load LBR_CTL"},
    {22, "load PKRS"},
};

ControlNames NamesOf(VmxControlWord word) {
  switch (word) {
    case VmxControlWord::kPinBased: return {0x16, kPinBased};
    case VmxControlWord::kPrimary: return {0x04006172, kPrimary};
    case VmxControlWord::kSecondary: return {0, kSecondary};
    case VmxControlWord::kExit: return {0x36dfb & ~(1u << 9 | 1u << 15), kExit};
    case VmxControlWord::kEntry: return {0x11fb, kEntry};
  }
  return {};
}

}  // namespace

std::string_view VmExitReasonName(uint16_t reason) {
  const bool known = reason < std::size(kExitReasons) && !kExitReasons[reason].empty();
  return known ? kExitReasons[reason] : "unknown";
}

std::string VmxControlNames(VmxControlWord word, uint32_t value) {
  const ControlNames control = NamesOf(word);
  std::string text;
  for (int bit = 0; bit < 32; ++bit) {
    if ((value >> bit & 1) == 0 || (control.default1 >> bit & 1) != 0) continue;
    if (!text.empty()) text += ", ";
    std::string name = absl::StrFormat("bit %d", bit);
    for (const BitName& each : control.names) {
      if (each.bit == bit) name = std::string(each.name);
    }
    text += name;
  }
  return text;
}

}  // namespace vmm
