#include "dump/nested/svm/svm_names.h"

#include <string_view>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

constexpr uint64_t kExceptions = 0x40;
constexpr uint64_t kInstructions = 0x60;  // from here on, one name per code

constexpr std::string_view kFromInstructions[] = {
    "INTR",
    "NMI",
    "SMI",
    "INIT",
    "virtual INTR",
    "CR0 write but for TS and MP",
    "SIDT",
    "SGDT",
    "SLDT",
    "STR",
    "LIDT",
    "LGDT",
    "LLDT",
    "LTR",
    "RDTSC",
    "RDPMC",
    "PUSHF",
    "POPF",
    "CPUID",
    "RSM",
    "IRET",
    "INT n",
    "INVD",
    "PAUSE",
    "HLT",
    "INVLPG",
    "INVLPGA",
    "I/O",
    "MSR",
    "task switch",
    "FERR freeze",
    "shutdown",
    "VMRUN",
    "VMMCALL",
    "VMLOAD",
    "VMSAVE",
    "STGI",
    "CLGI",
    "SKINIT",
    "RDTSCP",
    "ICEBP",
    "WBINVD",
    "MONITOR",
    "MWAIT",
    "MWAIT, armed",
    "XSETBV",
    "RDPRU",
    "EFER write trap",
    "CR0 write trap",
    "CR1 write trap",
    "CR2 write trap",
    "CR3 write trap",
    "CR4 write trap",
    "CR5 write trap",
    "CR6 write trap",
    "CR7 write trap",
    "CR8 write trap",
    "CR9 write trap",
    "CR10 write trap",
    "CR11 write trap",
    "CR12 write trap",
    "CR13 write trap",
    "CR14 write trap",
    "CR15 write trap",
    "INVLPGB",
    "INVLPGB, illegal",
    "INVPCID",
    "MCOMMIT",
    "TLBSYNC",
    "bus lock",
    "HLT when idle",
};
static_assert(std::size(kFromInstructions) == 0xa7 - kInstructions);

}  // namespace

std::string SvmExitCodeName(uint64_t code) {
  if (code < 0x10) return absl::StrFormat("CR%d read", code);
  if (code < 0x20) return absl::StrFormat("CR%d write", code - 0x10);
  if (code < 0x30) return absl::StrFormat("DR%d read", code - 0x20);
  if (code < kExceptions) return absl::StrFormat("DR%d write", code - 0x30);
  if (code < kInstructions) return absl::StrFormat("exception %d", code - kExceptions);
  if (code - kInstructions < std::size(kFromInstructions)) return std::string(kFromInstructions[code - kInstructions]);
  switch (code) {
    case 0x400: return "nested page fault";
    case 0x401: return "AVIC: incomplete IPI";
    case 0x402: return "AVIC: no acceleration";
    case 0x403: return "VMGEXIT";
    case ~uint64_t{0}:
    case 0xffffffff: return "invalid guest state";
    case ~uint64_t{1}: return "busy";
    default: return "unknown";
  }
}

std::string SvmInterceptNames(int word, uint32_t value) {
  std::string text;
  for (int bit = 0; bit < 32; ++bit) {
    if ((value >> bit & 1) == 0) continue;
    if (!text.empty()) text += ", ";
    const std::string name = SvmExitCodeName(static_cast<uint64_t>(32 * word + bit));
    text += name == "unknown" ? absl::StrFormat("bit %d", bit) : name;
  }
  return text;
}

}  // namespace vmm
