#include "dump/nested/testing/set_nested_state_cases.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "dump/nested/testing/fixture.h"

namespace vmm {
namespace {

using Parts = NestedStateParts;

constexpr std::string_view kFresh = "vmx-plain-0-fresh.bin";
constexpr std::string_view kVmxonOnly = "vmx-plain-A-vmxon.bin";
constexpr std::string_view kInL1 = "vmx-plain-E-real.bin";
constexpr std::string_view kInL2 = "vmx-plain-F1-inL2.bin";
constexpr std::string_view kSvmInL2 = "svm-L2-49.bin";

void Nothing(Parts&) {}

void Add(std::vector<SetNestedStateCase>& cases, int error, std::string_view fixture,
         std::vector<SetNestedStateCase> more) {
  for (SetNestedStateCase& each : more) {
    each.fixture = fixture;
    each.error = error;
    cases.push_back(std::move(each));
  }
}

void AddHeadersRefused(std::vector<SetNestedStateCase>& cases) {
  Add(cases, EINVAL, kInL1,
      {
          {"size 0", [](Parts& b) { b.header.size = 0; }},
          {"size 127", [](Parts& b) { b.header.size = 127; }},
          {"flags 0x10", [](Parts& b) { b.header.flags = 0x10; }},
          {"flags 0x8000", [](Parts& b) { b.header.flags = 0x8000; }},
          {"an EVMCS that was not enabled", [](Parts& b) { b.header.flags = kNestedEvmcs; }},
          {"format 1", [](Parts& b) { b.header.format = 1; }},
          {"format 2", [](Parts& b) { b.header.format = 2; }},
          {"run pending, not in L2", [](Parts& b) { b.header.flags = kNestedRunPending; }},
          {"no VMXON, but a vmcs12", [](Parts& b) { b.header.vmx.vmxon_pa = ~0ull; }},
          {"vmxon unaligned", [](Parts& b) { b.header.vmx.vmxon_pa = 0x1001; }},
          {"vmxon too high", [](Parts& b) { b.header.vmx.vmxon_pa = 1ull << 40; }},
          {"vmxon is vmcs12", [](Parts& b) { b.header.vmx.vmxon_pa = b.header.vmx.vmcs12_pa; }},
          {"no vmcs12, but its page", [](Parts& b) { b.header.vmx.vmcs12_pa = ~0ull; }},
          {"vmcs12 unaligned", [](Parts& b) { b.header.vmx.vmcs12_pa = 0x2010; }},
          {"vmcs12 too high", [](Parts& b) { b.header.vmx.vmcs12_pa = 1ull << 40; }},
          {"vmcs12 without its page", [](Parts& b) { b.header.size = 128; }},
          {"smm.flags 4", [](Parts& b) { b.header.vmx.smm_flags = 4; }},
          {"smm.flags 1 outside SMM", [](Parts& b) { b.header.vmx.smm_flags = 1; }},
          {"smm.flags 2 outside SMM", [](Parts& b) { b.header.vmx.smm_flags = 2; }},
          {"smm.flags 3 outside SMM", [](Parts& b) { b.header.vmx.smm_flags = 3; }},
          {"vmx.flags 2", [](Parts& b) { b.header.vmx.vmx_flags = 2; }},
          {"wrong revision", [](Parts& b) { b.vmcs12.hdr ^= 1; }},
          {"no VMX in CPUID", Nothing, {.enabled = false}},
      });
  Add(cases, EINVAL, kFresh,
      {
          {"no VMXON, but flags", [](Parts& b) { b.header.flags = kNestedGuestMode; }},
          {"no VMXON, but a vmcs12_pa", [](Parts& b) { b.header.vmx.vmcs12_pa = 0x2000; }},
          {"no VMXON, but smm.flags", [](Parts& b) { b.header.vmx.smm_flags = 1; }, {.in_smm = true}},
      });
  Add(cases, EINVAL, kVmxonOnly, {{"no VMX in CPUID", Nothing, {.enabled = false}}});
}

void AddRunningL2sRefused(std::vector<SetNestedStateCase>& cases) {
  Add(cases, EINVAL, kInL2,
      {
          {"size 128", [](Parts& b) { b.header.size = 128; }},
          {"size 128 + 997", [](Parts& b) { b.header.size = 128 + 997; }},
          {"in SMM", Nothing, {.in_smm = true}},
          {"eptp reserved bit 7", [](Parts& b) { b.vmcs12.ept_pointer |= 1 << 7; }},
          {"eptp memory type 2", [](Parts& b) { b.vmcs12.ept_pointer = 0x3001a; }},
          {"eptp walk length 3", [](Parts& b) { b.vmcs12.ept_pointer = 0x30016; }},
          {"guest_cr0 PG without PE", [](Parts& b) { b.vmcs12.guest_cr0 &= ~1ull; }},
          {"guest_cr4 without VMXE", [](Parts& b) { b.vmcs12.guest_cr4 &= ~0x2000ull; }},
          {"host_cr4 without VMXE", [](Parts& b) { b.vmcs12.host_cr4 &= ~0x2000ull; }},
          {"host_rip not canonical", [](Parts& b) { b.vmcs12.host_rip = 1ull << 60; }},
          {"host_cs 0", [](Parts& b) { b.vmcs12.host_cs_selector = 0; }},
          {"pin-based controls 0", [](Parts& b) { b.vmcs12.pin_based_vm_exec_control = 0; }},
          {"event of type 7, vector 255", [](Parts& b) { b.vmcs12.vm_entry_intr_info_field = 0x800007ff; }},
          {"link pointer unaligned", [](Parts& b) { b.vmcs12.vmcs_link_pointer = 0x3001; }},
          {"activity state 9", [](Parts& b) { b.vmcs12.guest_activity_state = 9; }},
          {"cr3_target_count 5", [](Parts& b) { b.vmcs12.cr3_target_count = 5; }},
      });
}

void AddOddButTaken(std::vector<SetNestedStateCase>& cases) {
  Add(cases, 0, kFresh,
      {
          {"nothing at all, without VMX", Nothing, {.enabled = false}},
      });
  Add(cases, 0, kInL1,
      {
          {"size 128 + 998", [](Parts& b) { b.header.size = 128 + 998; }},
          {"size 4223", [](Parts& b) { b.header.size = 4223; }},
          {"size 0x7fffffff", [](Parts& b) { b.header.size = 0x7fffffff; }},
          {"GIF_SET", [](Parts& b) { b.header.flags = kNestedGifSet; }},
          {"MTF pending in L1", [](Parts& b) { b.header.flags = kNestedMtfPending; }},
          {"any deadline",
           [](Parts& b) {
             b.header.vmx.vmx_flags = kNestedPreemptionTimerDeadline;
             b.header.vmx.preemption_timer_deadline = ~0ull;
           }},
          {"shadow bit", [](Parts& b) { b.vmcs12.hdr |= kVmcsShadowBit; }},
          {"all ones behind the revision",
           [](Parts& b) {
             std::memset(&b.vmcs12, 0xff, kVmcs12Size);
             b.vmcs12.hdr = kVmcs12Revision;
           }},
      });
  Add(cases, 0, kInL2,
      {
          {"abort", [](Parts& b) { b.vmcs12.abort = 4; }},
          {"launch_state 1", [](Parts& b) { b.vmcs12.launch_state = 1; }},
          {"launch_state 2", [](Parts& b) { b.vmcs12.launch_state = 2; }},
          {"padding", [](Parts& b) { b.vmcs12.padding[3] = 1; }},
          {"dead_space", [](Parts& b) { b.vmcs12.dead_space[0] = 1; }},
          {"tail", [](Parts& b) { b.bytes[kNestedOnePage - 1] = 1; }},
          {"rflags 0", [](Parts& b) { b.vmcs12.guest_rflags = 0; }},
          {"rip not canonical", [](Parts& b) { b.vmcs12.guest_rip = 1ull << 60; }},
          {"dr7 too wide, not loaded",
           [](Parts& b) {
             b.vmcs12.vm_entry_controls &= ~(1u << 2);
             b.vmcs12.guest_dr7 = ~0ull;
           }},
          {"efer does not match, not loaded",
           [](Parts& b) {
             b.vmcs12.vm_entry_controls &= ~(1u << 15);
             b.vmcs12.guest_ia32_efer = 0;
           }},
          {"run pending", [](Parts& b) { b.header.flags |= kNestedRunPending; }},
      });
}

void AddSvmRefused(std::vector<SetNestedStateCase>& cases) {
  const NestedStateTaker svm = {.vmx = false};
  const NestedStateTaker without_svme = {.vmx = false, .enabled = false};
  Add(cases, EINVAL, kSvmInL2,
      {
          {"format VMX", [](Parts& b) { b.header.format = 0; }, svm},
          {"flags 4", [](Parts& b) { b.header.flags |= 4; }, svm},
          {"EFER.SVME clear", Nothing, without_svme},
          {"in SMM", Nothing, {.vmx = false, .in_smm = true}},
          {"size 4223", [](Parts& b) { b.header.size = 4223; }, svm},
          {"vmcb_pa unaligned", [](Parts& b) { b.header.svm.vmcb_pa = 0x2001; }, svm},
          {"vmcb_pa too high", [](Parts& b) { b.header.svm.vmcb_pa = 1ull << 40; }, svm},
          {"VMRUN not intercepted", [](Parts& b) { b.vmcb.control.intercepts[4] = 2; }, svm},
          {"asid 0", [](Parts& b) { b.vmcb.control.asid = 0; }, svm},
          {"nested paging that the host lacks", Nothing, {.vmx = false, .nested_paging = false}},
          {"nested_cr3 too high", [](Parts& b) { b.vmcb.control.nested_cr3 = 1ull << 40; }, svm},
          {"msrpm too high", [](Parts& b) { b.vmcb.control.msrpm_base_pa = (1ull << 40) - 4096; }, svm},
          {"PG clear", [](Parts& b) { b.vmcb.save.cr0 &= ~0x80000000ull; }, svm},
          {"PE clear", [](Parts& b) { b.vmcb.save.cr0 &= ~1ull; }, svm},
          {"VM set", [](Parts& b) { b.vmcb.save.rflags |= 1 << 17; }, svm},
          {"save.efer.SVME clear", [](Parts& b) { b.vmcb.save.efer &= ~0x1000ull; }, svm},
          {"NW without CD", [](Parts& b) { b.vmcb.save.cr0 |= 1 << 29; }, svm},
          {"cr0 too wide", [](Parts& b) { b.vmcb.save.cr0 |= 1ull << 32; }, svm},
          {"dr7 too wide", [](Parts& b) { b.vmcb.save.dr7 |= 1ull << 32; }, svm},
          {"long mode without PAE", [](Parts& b) { b.vmcb.save.cr4 &= ~0x20ull; }, svm},
          {"L and D", [](Parts& b) { b.vmcb.save.cs.attrib |= 0x600; }, svm},
      });
}

void AddSvmOddButTaken(std::vector<SetNestedStateCase>& cases) {
  const NestedStateTaker svm = {.vmx = false};
  Add(cases, 0, kSvmInL2,
      {
          {"GIF clear", [](Parts& b) { b.header.flags &= ~kNestedGifSet; }, svm},
          {"low bits of nested_cr3", [](Parts& b) { b.vmcb.control.nested_cr3 |= 0xfff; }, svm},
      });
  Add(cases, 0, "svm-0-fresh.bin", {{"EFER.SVME clear", Nothing, {.vmx = false, .enabled = false}}});
}

}  // namespace

NestedStateParts::NestedStateParts(std::string_view fixture) : bytes(Fixture(fixture)) {
  bytes.resize(kNestedTwoPages + kNestedPageSize);
  std::memcpy(&header, bytes.data(), sizeof(header));
  std::memcpy(&vmcs12, bytes.data() + sizeof(header), kVmcs12Size);
  std::memcpy(&vmcb, bytes.data() + sizeof(header), sizeof(vmcb));
  std::memcpy(&shadow_hdr, bytes.data() + kNestedOnePage, sizeof(shadow_hdr));
}

std::vector<uint8_t> NestedStateParts::Bytes(bool vmx) {
  std::memcpy(bytes.data(), &header, sizeof(header));
  if (vmx) {
    std::memcpy(bytes.data() + sizeof(header), &vmcs12, kVmcs12Size);
    std::memcpy(bytes.data() + kNestedOnePage, &shadow_hdr, sizeof(shadow_hdr));
  } else {
    std::memcpy(bytes.data() + sizeof(header), &vmcb, sizeof(vmcb));
  }
  return bytes;
}

std::vector<uint8_t> SetNestedStateCase::Bytes() const {
  NestedStateParts parts(fixture);
  change(parts);
  return parts.Bytes(taker.vmx);
}

std::vector<SetNestedStateCase> SetNestedStateCases(bool vmx) {
  std::vector<SetNestedStateCase> cases;
  if (vmx) {
    AddHeadersRefused(cases);
    AddRunningL2sRefused(cases);
    AddOddButTaken(cases);
  } else {
    AddSvmRefused(cases);
    AddSvmOddButTaken(cases);
  }
  return cases;
}

}  // namespace vmm
