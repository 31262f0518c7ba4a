// Asks this host's KVM about KVM_SET_NESTED_STATE: it accepts what we write, and refuses what we say it refuses
// (dump/nested/testing/set_nested_state.h). Skipped if this host's guests cannot be hypervisors.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "dump/nested/abi/nested_state_abi.h"
#include "dump/nested/abi/vmcb12.h"
#include "dump/nested/nested_state.h"
#include "dump/nested/testing/fixture.h"
#include "dump/nested/testing/set_nested_state_cases.h"
#include "dump/nested/testing/vmx_operation.h"
#include "dump/nested/vmx/vmcs12_fields.h"

namespace vmm {
namespace {

constexpr size_t kMemory = 4 << 20;
constexpr size_t kMaxCpuidEntries = 256;

// With structs of our own: the request numbers include the size of the kernel header's struct, which differs in C++.
struct CpuidHeader {
  uint32_t nent = 0, padding = 0;
};
struct Cpuid {
  CpuidHeader header;
  kvm_cpuid_entry2 entries[kMaxCpuidEntries];
};
constexpr unsigned long kGetSupportedCpuid = _IOWR(KVMIO, 0x05, CpuidHeader);
constexpr unsigned long kSetCpuid2 = _IOW(KVMIO, 0x90, CpuidHeader);
constexpr unsigned long kGetNestedState = _IOWR(KVMIO, 0xbe, KvmNestedHeader);
constexpr unsigned long kSetNestedState = _IOW(KVMIO, 0xbf, KvmNestedHeader);

// True if byte `at` of a state belongs to a read-only field of its vmcs12.
bool IsExitInformation(size_t at) {
  for (const VmcsField& field : Vmcs12Fields()) {
    const size_t begin = sizeof(KvmNestedHeader) + field.offset;
    if (field.read_only() && at >= begin && at < begin + field.size) return true;
  }
  return false;
}

// True if byte `at` belongs to the parts of a VMCB's save area that KVM does not take (svm_copy_vmrun_state takes the
// others): they are the vCPU's own, shared by L1 and L2.
bool IsNotTaken(size_t at) {
  constexpr size_t kSave = sizeof(KvmNestedHeader) + offsetof(Vmcb12, save);
  const auto in = [at](size_t offset, size_t size) { return at >= kSave + offset && at < kSave + offset + size; };
  constexpr size_t kSegment = sizeof(VmcbSegment), kRegister = sizeof(uint64_t);
  const bool taken = in(offsetof(VmcbSave, es), 4 * kSegment) || in(offsetof(VmcbSave, gdtr), kSegment) ||
                     in(offsetof(VmcbSave, idtr), kSegment) || in(offsetof(VmcbSave, cpl), 1) ||
                     in(offsetof(VmcbSave, efer), kRegister) || in(offsetof(VmcbSave, cr4), 3 * kRegister) ||
                     in(offsetof(VmcbSave, rflags), 2 * kRegister) || in(offsetof(VmcbSave, rsp), kRegister) ||
                     in(offsetof(VmcbSave, rax), kRegister);
  return at >= kSave && !taken;
}

class SetNestedStateKvmTest : public testing::Test {
 protected:
  void SetUp() override {
    kvm_ = UniqueFd(open("/dev/kvm", O_RDWR | O_CLOEXEC));
    if (!kvm_.valid()) GTEST_SKIP() << "/dev/kvm: " << std::strerror(errno);
    if (ioctl(kvm_.get(), KVM_CHECK_EXTENSION, KVM_CAP_NESTED_STATE) <= 0) {
      GTEST_SKIP() << "this host's KVM has no nested virtualization";
    }
    auto cpuid = std::make_unique<Cpuid>();
    cpuid->header.nent = kMaxCpuidEntries;
    ASSERT_EQ(ioctl(kvm_.get(), kGetSupportedCpuid, cpuid.get()), 0) << std::strerror(errno);
    cpuid_ = std::move(cpuid);
    for (uint32_t i = 0; i < cpuid_->header.nent; ++i) {
      if (cpuid_->entries[i].function == 1) vmx_ = (cpuid_->entries[i].ecx >> 5 & 1) != 0;
    }
    memory_ = static_cast<uint8_t*>(
        mmap(nullptr, kMemory, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    ASSERT_NE(memory_, MAP_FAILED);
  }

  void TearDown() override {
    vcpu_.reset();
    vm_.reset();
    if (memory_ != nullptr) munmap(memory_, kMemory);
  }

  // Creates a vCPU in long mode. If `enabled`, it may be a hypervisor: VMX in its CPUID, or EFER.SVME set.
  void CreateVcpu(bool enabled) {
    vcpu_.reset();
    vm_ = UniqueFd(ioctl(kvm_.get(), KVM_CREATE_VM, 0));
    ASSERT_TRUE(vm_.valid()) << std::strerror(errno);
    ioctl(vm_.get(), KVM_SET_TSS_ADDR, 0xfffbd000);
    kvm_userspace_memory_region region{.memory_size = kMemory, .userspace_addr = reinterpret_cast<uint64_t>(memory_)};
    ASSERT_EQ(ioctl(vm_.get(), KVM_SET_USER_MEMORY_REGION, &region), 0) << std::strerror(errno);
    vcpu_ = UniqueFd(ioctl(vm_.get(), KVM_CREATE_VCPU, 0));
    ASSERT_TRUE(vcpu_.valid()) << std::strerror(errno);
    Cpuid cpuid = *cpuid_;
    for (uint32_t i = 0; i < cpuid.header.nent; ++i) {
      if (cpuid.entries[i].function == 1 && !enabled) cpuid.entries[i].ecx &= ~(1u << 5);
    }
    ASSERT_EQ(ioctl(vcpu_.get(), kSetCpuid2, &cpuid), 0) << std::strerror(errno);
    kvm_sregs sregs;
    ASSERT_EQ(ioctl(vcpu_.get(), KVM_GET_SREGS, &sregs), 0);
    sregs.cr0 = 0x80000031;
    sregs.cr3 = 0x9000;
    sregs.cr4 = vmx_ && enabled ? 0x2020 : 0x20;
    sregs.efer = !vmx_ && enabled ? 0x1500 : 0x500;
    sregs.cs.l = 1;
    sregs.cs.db = 0;
    ASSERT_EQ(ioctl(vcpu_.get(), KVM_SET_SREGS, &sregs), 0) << std::strerror(errno);
  }

  // Returns 0 or errno.
  int Set(const void* state) { return ioctl(vcpu_.get(), kSetNestedState, state) == 0 ? 0 : errno; }
  int Set(std::span<const uint8_t> state) {
    std::vector<uint8_t> bytes(state.begin(), state.end());
    bytes.resize(kNestedTwoPages);  // KVM must not read past header.size
    return Set(bytes.data());
  }

  std::vector<uint8_t> Get() {
    std::vector<uint8_t> bytes(kNestedTwoPages);
    KvmNestedHeader header = {.size = static_cast<uint32_t>(bytes.size())};
    std::memcpy(bytes.data(), &header, sizeof(header));
    EXPECT_EQ(ioctl(vcpu_.get(), kGetNestedState, bytes.data()), 0) << std::strerror(errno);
    std::memcpy(&header, bytes.data(), sizeof(header));
    bytes.resize(header.size);
    return bytes;
  }

  UniqueFd kvm_, vm_, vcpu_;
  std::unique_ptr<Cpuid> cpuid_;
  uint8_t* memory_ = nullptr;
  bool vmx_ = false;
};

TEST_F(SetNestedStateKvmTest, TheErrnoTableIsThatOfThisKvm) {
  int asked = 0, wrong = 0;
  for (const SetNestedStateCase& each : SetNestedStateCases(vmx_)) {
    if (each.taker.in_smm || !each.taker.nested_paging) continue;  // this vCPU cannot be in that state
    CreateVcpu(each.taker.enabled);
    ++asked;
    const int error = Set(each.Bytes().data());
    wrong += error != each.error;
    EXPECT_EQ(error, each.error) << each.fixture << ": " << each.what;
  }
  std::printf("KVM_SET_NESTED_STATE: %d states asked, %d not as foretold\n", asked, wrong);
}

TEST_F(SetNestedStateKvmTest, ANullPointerIsAFault) {
  CreateVcpu(true);
  EXPECT_EQ(Set(static_cast<const void*>(nullptr)), EFAULT);
}

TEST_F(SetNestedStateKvmTest, AShadowVmcsIsTakenWithItsPageAndItsHeaderInMemory) {
  if (!vmx_) GTEST_SKIP() << "VMCS shadowing is VMX's";
  constexpr uint64_t kShadow = 0x3000;
  constexpr uint32_t kGoodHeader = kVmcs12Revision | kVmcsShadowBit;
  const struct {
    const char* what;
    uint32_t size, header, header_in_memory;
    int error;
  } cases[] = {
      {"whole", kNestedTwoPages, kGoodHeader, kGoodHeader, 0},
      {"as much of its page as the struct has", kNestedOnePage + 998, kGoodHeader, kGoodHeader, 0},
      {"without its page", kNestedOnePage, kGoodHeader, kGoodHeader, EINVAL},
      {"without its mark", kNestedTwoPages, kVmcs12Revision, kGoodHeader, EINVAL},
      {"of another revision", kNestedTwoPages, kGoodHeader ^ 1, kGoodHeader, EINVAL},
      {"before memory is restored", kNestedTwoPages, kGoodHeader, 0, EINVAL},
  };
  for (const auto& each : cases) {
    NestedStateParts parts("vmx-plain-F1-inL2.bin");
    parts.header.size = each.size;
    parts.vmcs12.secondary_vm_exec_control |= 1 << 14;
    parts.vmcs12.vmcs_link_pointer = kShadow;
    parts.shadow_hdr = each.header;
    std::memcpy(memory_ + kShadow, &each.header_in_memory, sizeof(each.header_in_memory));
    CreateVcpu(true);
    EXPECT_EQ(Set(parts.Bytes(true).data()), each.error) << each.what;
  }
}

TEST_F(SetNestedStateKvmTest, WhatAnotherRunGaveOutIsTakenAndGivenOutAgain) {
  for (const std::string& name : BlobNames()) {
    if (name.starts_with("vmx") != vmx_) continue;
    CreateVcpu(true);
    const std::vector<uint8_t> state = Fixture(name);
    ASSERT_EQ(Set(std::span(state)), 0) << name;
    const std::vector<uint8_t> back = Get();
    ASSERT_EQ(back.size(), state.size()) << name;
    for (size_t i = 0; i < back.size(); ++i) {
      // For exit information KVM returns the hardware's values, for the parts not taken the vCPU's.
      if (vmx_ ? IsExitInformation(i) : IsNotTaken(i)) continue;
      ASSERT_EQ(int{back[i]}, int{state[i]}) << name << ": byte " << i;
    }
  }
}

TEST_F(SetNestedStateKvmTest, WhatWeSerialiseIsTaken) {
  if (!vmx_) GTEST_SKIP() << "our own serialiser is of VMX";
  const GuestRange ram[] = {{GuestAddr{0}, kMemory}};
  const std::unique_ptr<GuestMemory> memory = *GuestMemory::Create(ram);
  for (const uint64_t page : {0x1000, 0x2000}) {
    ASSERT_TRUE(memory->WriteObject(GuestAddr{page}, kVmcs12Revision).ok());
  }
  VmxOperation cpu(*memory);
  const auto check = [&](const char* when) {
    const auto state = cpu.GetNestedState();
    ASSERT_TRUE(state.ok()) << state.status();
    CreateVcpu(true);
    EXPECT_EQ(Set(state->bytes()), 0) << when;
    const std::vector<uint8_t> back = Get();
    EXPECT_EQ(back, std::vector<uint8_t>(state->bytes().begin(), state->bytes().end())) << when;
  };
  check("before VMXON");
  ASSERT_TRUE(cpu.Vmxon(0x1000).ok());
  check("after VMXON");
  ASSERT_TRUE(cpu.Vmclear(0x2000).ok());
  ASSERT_TRUE(cpu.Vmptrld(0x2000).ok());
  check("after VMPTRLD");
  for (const VmcsField& field : Vmcs12Fields()) {
    if (field.since != Vmcs12Layout::kFrozen) continue;
    ASSERT_TRUE(cpu.Vmwrite(field.encoding, 0x0102030405060708).ok()) << field.name;
  }
  check("with every field written");
}

}  // namespace
}  // namespace vmm
