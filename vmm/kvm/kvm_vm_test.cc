#include "vmm/kvm/kvm_vm.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "vmm/kvm/cpu_features.h"
#include "vmm/kvm/cpuid.h"
#include "vmm/kvm/kvm.h"
#include "vmm/kvm/testing/tiny_guest.h"

namespace vmm {
namespace {

using SteadyClock = std::chrono::steady_clock;
using KvmVmTest = TinyGuestTest;

TEST_F(KvmVmTest, ASecondVcpuWaitsForItsSipiAndKnowsItsNumber) {
  CreateVm(2);
  StartLongMode({0xbb, 0x00, 0x00, 0xe0, 0xfe,                                // mov ebx, 0xfee00000
                 0xc7, 0x83, 0x10, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,  // ICR high: APIC id 1
                 0xc7, 0x83, 0x00, 0x03, 0x00, 0x00, 0x00, 0x45, 0x00, 0x00,  // ICR low: INIT
                 0xc7, 0x83, 0x00, 0x03, 0x00, 0x00, 0x02, 0x46, 0x00, 0x00,  // ICR low: SIPI, vector 2
                 0xe6, 0xe9,                                                  // out 0xe9, al
                 0xf4});                                                      // hlt
  Load(kApCode, {0x66, 0xb8, 0x0b, 0x00, 0x00, 0x00,                          // mov eax, 0xb
                 0x66, 0x31, 0xc9,                                            // xor ecx, ecx
                 0x0f, 0xa2,                                                  // cpuid
                 0x66, 0x89, 0xd0,                                            // mov eax, edx
                 0x66, 0xe7, 0xf4});                                          // out 0xf4, eax
  Vcpu& second = vm_->vcpu(1);
  EXPECT_FALSE(second.ReadState()->started);
  EXPECT_TRUE(vcpu().ReadState()->started);

  std::atomic<bool> stopped = false;
  std::thread thread([&] {
    const absl::StatusOr<VcpuExit> exit = second.Run();
    stopped = true;
    ASSERT_TRUE(exit.ok()) << exit.status();
    ASSERT_TRUE(std::holds_alternative<IoExit>(*exit)) << "exit of kind " << exit->index();
    const auto& io = std::get<IoExit>(*exit);
    EXPECT_EQ(io.port, 0xf4);
    EXPECT_EQ(Bytes(io.data.begin(), io.data.end()), (Bytes{1, 0, 0, 0})) << "x2APIC id of CPUID leaf 0xb";
    EXPECT_TRUE(second.CompletePendingIo().ok());
    const CpuState state = *second.ReadState();
    EXPECT_TRUE(state.started);
    EXPECT_EQ(state.cs.base, kApCode.value);
  });
  EXPECT_EQ(NextAs<IoExit>().port, 0xe9);
  const SteadyClock::time_point deadline = SteadyClock::now() + std::chrono::seconds(10);
  while (!stopped && SteadyClock::now() < deadline) std::this_thread::yield();
  if (!stopped) second.Kick();
  thread.join();
}

TEST_F(KvmVmTest, AnInterruptLineWakesAHaltedGuest) {
  CreateVm();
  StartRealMode({0xb0, 0x11, 0xe6, 0x20,  // 8259: ICW1
                 0xb0, 0x20, 0xe6, 0x21,  // ICW2: vectors from 0x20
                 0xb0, 0x04, 0xe6, 0x21,  // ICW3: the second 8259 on input 2
                 0xb0, 0x01, 0xe6, 0x21,  // ICW4
                 0xb0, 0xef, 0xe6, 0x21,  // all but input 4 masked
                 0xfb, 0xf4});            // sti; hlt
  Load(GuestAddr{0x24 * 4}, {0x00, 0x90, 0x00, 0x00});
  Load(GuestAddr{0x9000}, {0xe6, 0xe9});  // out 0xe9, al
  std::thread thread([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    for (const bool level : {false, true, true, false, false}) vm_->irq_line(4).Set(level);
  });
  EXPECT_EQ(NextAs<IoExit>().port, 0xe9);
  thread.join();
}

TEST_F(KvmVmTest, AnNmiReachesAHaltedAndASpinningVcpu) {
  for (const Bytes& code : {Bytes{0xf4, 0xeb, 0xfd}, Bytes{0xeb, 0xfe}}) {  // hlt in a loop; jmp $
    CreateVm();
    StartRealMode(code);
    Load(GuestAddr{2 * 4}, {0x00, 0x90, 0x00, 0x00});
    Load(GuestAddr{0x9000}, {0xe6, 0xe9});  // out 0xe9, al
    std::thread thread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      const absl::Status status = vm_->InjectNmi(0);
      EXPECT_TRUE(status.ok()) << status;
    });
    EXPECT_EQ(NextAs<IoExit>().port, 0xe9);
    thread.join();
  }
  EXPECT_FALSE(vm_->InjectNmi(1).ok());
}

TEST_F(KvmVmTest, AnImpossibleNumberOfVcpusIsRefusedWithTheLimit) {
  const std::array<GuestRange, 1> ranges{GuestRange{GuestAddr{0}, kMiB}};
  memory_ = *GuestMemory::Create(ranges);
  for (const int cpus : {-1, 0, 256, 1 << 30}) {
    const absl::Status status = KvmVm::Create(*kvm_, {.cpus = cpus}, *memory_).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find(std::to_string(cpus) + " vCPUs: this host's KVM runs 1 to "), std::string::npos)
        << status;
  }
}

TEST_F(KvmVmTest, A255VcpuMachineIsBuiltAndItsLastVcpuHasId254) {
  if (kvm_->max_vcpus() < kMaxCpus) GTEST_SKIP() << "KVM_CAP_MAX_VCPUS is " << kvm_->max_vcpus();
  CreateVm(kMaxCpus);
  EXPECT_EQ(vm_->cpus(), 255);
  EXPECT_EQ(vm_->vcpus().back()->id(), 254);
  EXPECT_FALSE(vm_->vcpu(254).ReadState()->started);
}

TEST_F(KvmVmTest, AFeatureThatTheHostLacksIsNamed) {
  const std::array<GuestRange, 1> ranges{GuestRange{GuestAddr{0}, kMiB}};
  memory_ = *GuestMemory::Create(ranges);
  // No processor has both.
  const bool has_svm = HasCpuidBit(kvm_->supported_cpuid(), {0x80000001, 0, CpuidRegister::kEcx, 2});
  const std::string lacked = has_svm ? "+vmx" : "+svm";
  const absl::Status status = KvmVm::Create(*kvm_, {.features = *ParseCpuFeatures(lacked)}, *memory_).status();
  EXPECT_EQ(status.message(), "CPU features: " + lacked + ": this host's processor or KVM does not have it");
}

TEST_F(KvmVmTest, WithoutLa57TheVmSaysSo) {
  const std::array<GuestRange, 1> ranges{GuestRange{GuestAddr{0}, kMiB}};
  memory_ = *GuestMemory::Create(ranges);
  EXPECT_EQ((*KvmVm::Create(*kvm_, {}, *memory_))->guest_has_la57(), kvm_->HasLa57());
  EXPECT_FALSE((*KvmVm::Create(*kvm_, {.features = *ParseCpuFeatures("-la57")}, *memory_))->guest_has_la57());
}

// Not a benchmark, but a check that creation touches no RAM. A KVM without EPT or NPT has a word for each page, which
// costs a little.
TEST_F(KvmVmTest, CreationDoesNotTouchTheRam) {
  const auto fastest = [this](uint64_t size) {
    const std::array<GuestRange, 1> ranges{GuestRange{GuestAddr{0}, size}};
    SteadyClock::duration best = SteadyClock::duration::max();
    for (int i = 0; i < 5; ++i) {
      const SteadyClock::time_point begin = SteadyClock::now();
      memory_ = *GuestMemory::Create(ranges);
      EXPECT_TRUE(KvmVm::Create(*kvm_, {}, *memory_).ok());
      best = std::min(best, SteadyClock::now() - begin);
      EXPECT_TRUE(memory_->DataExtents()->empty());
    }
    return best;
  };
  const SteadyClock::duration small = fastest(kMiB);
  EXPECT_LT(fastest(2048 * kMiB), small * 5 + std::chrono::milliseconds(50));
}

TEST(KvmTest, AFileThatIsNotThereIsAnErrorWithAdvice) {
  const absl::Status status = Kvm::Open("/no/such/kvm").status();
  EXPECT_EQ(status.message(),
            "open /no/such/kvm: No such file or directory; is kvm_intel or kvm_amd loaded, and virtualization "
            "switched on in the firmware?");
}

TEST(KvmTest, AFileThatIsNotKvmIsAnErrorThatSaysSo) {
  const absl::Status status = Kvm::Open("/dev/null").status();
  EXPECT_EQ(status.message(), "/dev/null is not KVM: KVM_GET_API_VERSION: Inappropriate ioctl for device");
}

}  // namespace
}  // namespace vmm
