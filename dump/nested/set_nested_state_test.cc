#include "dump/nested/set_nested_state.h"

#include <cerrno>
#include <cstring>
#include <functional>
#include <string_view>
#include <vector>

#include "base/guest_memory.h"
#include "dump/nested/abi/nested_state_abi.h"
#include "dump/nested/abi/vmcb12.h"
#include "dump/nested/abi/vmcs12.h"
#include "dump/nested/testing/fixture.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

// A real blob, in which a test changes what is wrong.
struct Blob {
  explicit Blob(std::string_view fixture) : bytes(Fixture(fixture)) {
    bytes.resize(kNestedTwoPages + kNestedPageSize);  // memory goes on behind the state
    std::memcpy(&header, bytes.data(), sizeof(header));
    std::memcpy(&vmcs12, bytes.data() + sizeof(header), kVmcs12Size);
    std::memcpy(&vmcb, bytes.data() + sizeof(header), sizeof(vmcb));
    std::memcpy(&shadow_hdr, bytes.data() + kNestedOnePage, sizeof(shadow_hdr));
  }

  std::vector<uint8_t> Bytes(bool vmx) {
    std::memcpy(bytes.data(), &header, sizeof(header));
    if (vmx) {
      std::memcpy(bytes.data() + sizeof(header), &vmcs12, kVmcs12Size);
      std::memcpy(bytes.data() + kNestedOnePage, &shadow_hdr, sizeof(shadow_hdr));
    } else {
      std::memcpy(bytes.data() + sizeof(header), &vmcb, sizeof(vmcb));
    }
    return bytes;
  }

  std::vector<uint8_t> bytes;
  KvmNestedHeader header;
  Vmcs12 vmcs12 = {};
  Vmcb12 vmcb = {};
  uint32_t shadow_hdr = 0;
};

struct Case {
  std::string_view what;
  std::function<void(Blob&)> change;
  NestedStateTaker taker = {};
};

constexpr std::string_view kFresh = "vmx-plain-0-fresh.bin";
constexpr std::string_view kVmxonOnly = "vmx-plain-A-vmxon.bin";
constexpr std::string_view kInL1 = "vmx-plain-E-real.bin";
constexpr std::string_view kInL2 = "vmx-plain-F1-inL2.bin";
constexpr std::string_view kSvmInL2 = "svm-L2-49.bin";

void ExpectError(int error, std::string_view fixture, const std::vector<Case>& cases) {
  for (const Case& each : cases) {
    Blob blob(fixture);
    each.change(blob);
    const auto verdict = CheckSetNestedState(blob.Bytes(each.taker.vmx), each.taker);
    EXPECT_EQ(error, verdict.error) << fixture << ": " << each.what << ": " << verdict.why;
    EXPECT_EQ(error == 0, verdict.why.empty()) << each.what;
  }
}

void Nothing(Blob&) {}

TEST(SetNestedStateTest, WhatKvmGaveItTakesBack) {
  for (const std::string& name : BlobNames()) {
    const auto verdict = CheckSetNestedState(Fixture(name), {.vmx = name.starts_with("vmx")});
    EXPECT_EQ(0, verdict.error) << name << ": " << verdict.why;
  }
}

TEST(SetNestedStateTest, MemoryThatEndsBeforeTheStateIsAFault) {
  EXPECT_EQ(EFAULT, CheckSetNestedState({}, {}).error);
  std::vector<uint8_t> bytes = Fixture(kFresh);
  bytes.pop_back();
  EXPECT_EQ(EFAULT, CheckSetNestedState(bytes, {}).error);
  bytes = Fixture(kInL1);
  bytes.resize(128 + 997);
  EXPECT_EQ(EFAULT, CheckSetNestedState(bytes, {}).error);
  bytes = Fixture(kSvmInL2);
  bytes.pop_back();
  EXPECT_EQ(EFAULT, CheckSetNestedState(bytes, {.vmx = false}).error);
}

// What follows is what a real kvm_intel of Linux 6.1 answered, one by one.

TEST(SetNestedStateTest, KvmRefusesTheseHeaders) {
  ExpectError(EINVAL, kInL1,
              {
                  {"size 0", [](Blob& b) { b.header.size = 0; }},
                  {"size 127", [](Blob& b) { b.header.size = 127; }},
                  {"flags 0x10", [](Blob& b) { b.header.flags = 0x10; }},
                  {"flags 0x8000", [](Blob& b) { b.header.flags = 0x8000; }},
                  {"an EVMCS that was not enabled", [](Blob& b) { b.header.flags = kNestedEvmcs; }},
                  {"format 1", [](Blob& b) { b.header.format = 1; }},
                  {"format 2", [](Blob& b) { b.header.format = 2; }},
                  {"run pending, not in L2", [](Blob& b) { b.header.flags = kNestedRunPending; }},
                  {"no VMXON, but a vmcs12", [](Blob& b) { b.header.vmx.vmxon_pa = ~0ull; }},
                  {"vmxon unaligned", [](Blob& b) { b.header.vmx.vmxon_pa = 0x1001; }},
                  {"vmxon too high", [](Blob& b) { b.header.vmx.vmxon_pa = 1ull << 40; }},
                  {"vmxon is vmcs12", [](Blob& b) { b.header.vmx.vmxon_pa = b.header.vmx.vmcs12_pa; }},
                  {"no vmcs12, but its page", [](Blob& b) { b.header.vmx.vmcs12_pa = ~0ull; }},
                  {"vmcs12 unaligned", [](Blob& b) { b.header.vmx.vmcs12_pa = 0x2010; }},
                  {"vmcs12 too high", [](Blob& b) { b.header.vmx.vmcs12_pa = 1ull << 40; }},
                  {"vmcs12 without its page", [](Blob& b) { b.header.size = 128; }},
                  {"smm.flags 4", [](Blob& b) { b.header.vmx.smm_flags = 4; }},
                  {"smm.flags 1 outside SMM", [](Blob& b) { b.header.vmx.smm_flags = 1; }},
                  {"smm.flags 2 outside SMM", [](Blob& b) { b.header.vmx.smm_flags = 2; }},
                  {"smm.flags 3 outside SMM", [](Blob& b) { b.header.vmx.smm_flags = 3; }},
                  {"vmx.flags 2", [](Blob& b) { b.header.vmx.vmx_flags = 2; }},
                  {"wrong revision", [](Blob& b) { b.vmcs12.hdr ^= 1; }},
                  {"no VMX in CPUID", Nothing, {.enabled = false}},
              });
  ExpectError(EINVAL, kFresh,
              {
                  {"no VMXON, but flags", [](Blob& b) { b.header.flags = kNestedGuestMode; }},
                  {"no VMXON, but a vmcs12_pa", [](Blob& b) { b.header.vmx.vmcs12_pa = 0x2000; }},
                  {"no VMXON, but smm.flags", [](Blob& b) { b.header.vmx.smm_flags = 1; }, {.in_smm = true}},
              });
  ExpectError(EINVAL, kVmxonOnly, {{"no VMX in CPUID", Nothing, {.enabled = false}}});
}

TEST(SetNestedStateTest, KvmRefusesTheseStatesOfARunningL2) {
  ExpectError(EINVAL, kInL2,
              {
                  {"size 128", [](Blob& b) { b.header.size = 128; }},
                  {"size 128 + 997", [](Blob& b) { b.header.size = 128 + 997; }},
                  {"in SMM", Nothing, {.in_smm = true}},
                  {"eptp reserved bit 7", [](Blob& b) { b.vmcs12.ept_pointer |= 1 << 7; }},
                  {"eptp memory type 2", [](Blob& b) { b.vmcs12.ept_pointer = 0x3001a; }},
                  {"eptp walk length 3", [](Blob& b) { b.vmcs12.ept_pointer = 0x30016; }},
                  {"guest_cr0 PG without PE", [](Blob& b) { b.vmcs12.guest_cr0 &= ~1ull; }},
                  {"guest_cr4 without VMXE", [](Blob& b) { b.vmcs12.guest_cr4 &= ~0x2000ull; }},
                  {"host_cr4 without VMXE", [](Blob& b) { b.vmcs12.host_cr4 &= ~0x2000ull; }},
                  {"host_rip not canonical", [](Blob& b) { b.vmcs12.host_rip = 1ull << 60; }},
                  {"host_cs 0", [](Blob& b) { b.vmcs12.host_cs_selector = 0; }},
                  {"pin-based controls 0", [](Blob& b) { b.vmcs12.pin_based_vm_exec_control = 0; }},
                  {"event of type 7, vector 255", [](Blob& b) { b.vmcs12.vm_entry_intr_info_field = 0x800007ff; }},
                  {"link pointer unaligned", [](Blob& b) { b.vmcs12.vmcs_link_pointer = 0x3001; }},
                  {"activity state 9", [](Blob& b) { b.vmcs12.guest_activity_state = 9; }},
                  {"cr3_target_count 5", [](Blob& b) { b.vmcs12.cr3_target_count = 5; }},
              });
}

TEST(SetNestedStateTest, KvmTakesTheseThoughTheyAreOdd) {
  ExpectError(0, kFresh,
              {
                  {"nothing at all, without VMX", Nothing, {.enabled = false}},
              });
  ExpectError(0, kInL1,
              {
                  {"size 128 + 998", [](Blob& b) { b.header.size = 128 + 998; }},
                  {"size 4223", [](Blob& b) { b.header.size = 4223; }},
                  {"size 0x7fffffff", [](Blob& b) { b.header.size = 0x7fffffff; }},
                  {"GIF_SET", [](Blob& b) { b.header.flags = kNestedGifSet; }},
                  {"MTF pending in L1", [](Blob& b) { b.header.flags = kNestedMtfPending; }},
                  {"any deadline",
                   [](Blob& b) {
                     b.header.vmx.vmx_flags = kNestedPreemptionTimerDeadline;
                     b.header.vmx.preemption_timer_deadline = ~0ull;
                   }},
                  {"shadow bit", [](Blob& b) { b.vmcs12.hdr |= kVmcsShadowBit; }},
                  {"all ones behind the revision",
                   [](Blob& b) {
                     std::memset(&b.vmcs12, 0xff, kVmcs12Size);
                     b.vmcs12.hdr = kVmcs12Revision;
                   }},
              });
  ExpectError(0, kInL2,
              {
                  {"abort", [](Blob& b) { b.vmcs12.abort = 4; }},
                  {"launch_state 1", [](Blob& b) { b.vmcs12.launch_state = 1; }},
                  {"launch_state 2", [](Blob& b) { b.vmcs12.launch_state = 2; }},
                  {"padding", [](Blob& b) { b.vmcs12.padding[3] = 1; }},
                  {"dead_space", [](Blob& b) { b.vmcs12.dead_space[0] = 1; }},
                  {"tail", [](Blob& b) { b.bytes[kNestedOnePage - 1] = 1; }},
                  {"rflags 0", [](Blob& b) { b.vmcs12.guest_rflags = 0; }},
                  {"rip not canonical", [](Blob& b) { b.vmcs12.guest_rip = 1ull << 60; }},
                  {"dr7 too wide, not loaded",
                   [](Blob& b) {
                     b.vmcs12.vm_entry_controls &= ~(1u << 2);
                     b.vmcs12.guest_dr7 = ~0ull;
                   }},
                  {"efer does not match, not loaded",
                   [](Blob& b) {
                     b.vmcs12.vm_entry_controls &= ~(1u << 15);
                     b.vmcs12.guest_ia32_efer = 0;
                   }},
                  {"run pending", [](Blob& b) { b.header.flags |= kNestedRunPending; }},
              });
}

class ShadowVmcsTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kShadow = 0x3000;

  ShadowVmcsTest() {
    const GuestRange ranges[] = {{GuestAddr{0}, 1 << 20}};
    memory_ = *GuestMemory::Create(ranges);
    PutHeader(kVmcs12Revision | kVmcsShadowBit);
  }

  void PutHeader(uint32_t hdr) { EXPECT_TRUE(memory_->WriteObject(GuestAddr{kShadow}, hdr).ok()); }

  int Error(const std::function<void(Blob&)>& change) {
    Blob blob(kInL2);
    blob.header.size = kNestedTwoPages;
    blob.vmcs12.secondary_vm_exec_control |= 1 << 14;
    blob.vmcs12.vmcs_link_pointer = kShadow;
    blob.shadow_hdr = kVmcs12Revision | kVmcsShadowBit;
    change(blob);
    return CheckSetNestedState(blob.Bytes(true), {.memory = memory_.get()}).error;
  }

  std::unique_ptr<GuestMemory> memory_;
};

TEST_F(ShadowVmcsTest, IsTakenWithItsPage) {
  EXPECT_EQ(0, Error(Nothing));
  EXPECT_EQ(0, Error([](Blob& b) { b.header.size = kNestedOnePage + 998; }));
}

TEST_F(ShadowVmcsTest, IsRefusedWithoutItsPage) {
  EXPECT_EQ(EINVAL, Error([](Blob& b) { b.header.size = kNestedOnePage; }));
}

TEST_F(ShadowVmcsTest, IsRefusedWithoutItsMarkOrItsRevision) {
  EXPECT_EQ(EINVAL, Error([](Blob& b) { b.shadow_hdr = kVmcs12Revision; }));
  EXPECT_EQ(EINVAL, Error([](Blob& b) { b.shadow_hdr ^= 1; }));
}

TEST_F(ShadowVmcsTest, IsRefusedBeforeMemoryIsRestored) {
  PutHeader(0);
  EXPECT_EQ(EINVAL, Error(Nothing));
}

TEST(SetNestedStateTest, KvmAmdRefusesThese) {
  const NestedStateTaker svm = {.vmx = false};
  const NestedStateTaker without_svme = {.vmx = false, .enabled = false};
  ExpectError(EINVAL, kSvmInL2,
              {
                  {"format VMX", [](Blob& b) { b.header.format = 0; }, svm},
                  {"flags 4", [](Blob& b) { b.header.flags |= 4; }, svm},
                  {"EFER.SVME clear", Nothing, without_svme},
                  {"in SMM", Nothing, {.vmx = false, .in_smm = true}},
                  {"size 4223", [](Blob& b) { b.header.size = 4223; }, svm},
                  {"vmcb_pa unaligned", [](Blob& b) { b.header.svm.vmcb_pa = 0x2001; }, svm},
                  {"vmcb_pa too high", [](Blob& b) { b.header.svm.vmcb_pa = 1ull << 40; }, svm},
                  {"VMRUN not intercepted", [](Blob& b) { b.vmcb.control.intercepts[4] = 2; }, svm},
                  {"asid 0", [](Blob& b) { b.vmcb.control.asid = 0; }, svm},
                  {"nested paging that the host lacks", Nothing, {.vmx = false, .nested_paging = false}},
                  {"nested_cr3 too high", [](Blob& b) { b.vmcb.control.nested_cr3 = 1ull << 40; }, svm},
                  {"msrpm too high", [](Blob& b) { b.vmcb.control.msrpm_base_pa = (1ull << 40) - 4096; }, svm},
                  {"PG clear", [](Blob& b) { b.vmcb.save.cr0 &= ~0x80000000ull; }, svm},
                  {"PE clear", [](Blob& b) { b.vmcb.save.cr0 &= ~1ull; }, svm},
                  {"VM set", [](Blob& b) { b.vmcb.save.rflags |= 1 << 17; }, svm},
                  {"save.efer.SVME clear", [](Blob& b) { b.vmcb.save.efer &= ~0x1000ull; }, svm},
                  {"NW without CD", [](Blob& b) { b.vmcb.save.cr0 |= 1 << 29; }, svm},
                  {"cr0 too wide", [](Blob& b) { b.vmcb.save.cr0 |= 1ull << 32; }, svm},
                  {"dr7 too wide", [](Blob& b) { b.vmcb.save.dr7 |= 1ull << 32; }, svm},
                  {"long mode without PAE", [](Blob& b) { b.vmcb.save.cr4 &= ~0x20ull; }, svm},
                  {"L and D", [](Blob& b) { b.vmcb.save.cs.attrib |= 0x600; }, svm},
              });
}

TEST(SetNestedStateTest, KvmAmdTakesTheseThoughTheyAreOdd) {
  const NestedStateTaker svm = {.vmx = false};
  ExpectError(0, kSvmInL2,
              {
                  {"GIF clear", [](Blob& b) { b.header.flags &= ~kNestedGifSet; }, svm},
                  {"low bits of nested_cr3", [](Blob& b) { b.vmcb.control.nested_cr3 |= 0xfff; }, svm},
              });
  ExpectError(0, "svm-0-fresh.bin", {{"EFER.SVME clear", Nothing, {.vmx = false, .enabled = false}}});
}

}  // namespace
}  // namespace vmm
