// Multiboot kernels under the real vmm: each form of an image, what it is given, and kvm-unit-tests' conventions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "guest-tests/vmm_process.h"

namespace vmm {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string PathOf(std::string_view guest) { return "guest-tests/multiboot/" + std::string(guest) + ".elf"; }

VmmResult RunGuest(std::string_view guest, std::vector<std::string> flags = {}) {
  flags.insert(flags.begin(), {"--kernel=" + PathOf(guest), "--memory=64M"});
  return RunVmm(flags);
}

std::string WriteFile(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path) << text;
  return path;
}

class MultibootTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = WhyNoKvm()) GTEST_SKIP() << *why;
  }
};

class MultibootFormTest : public MultibootTest, public testing::WithParamInterface<std::string> {};

TEST_P(MultibootFormTest, EachFormOfAnImageStarts) {
  const VmmResult result = RunGuest(GetParam(), {"--append=one two"});
  EXPECT_EQ(result.exit_code, 0) << result.Describe();
  EXPECT_THAT(result.out, HasSubstr("ok - EAX has the loader's magic number\n"));
  EXPECT_THAT(result.out, HasSubstr("cmdline [" + PathOf(GetParam()) + " one two]\n"));
  EXPECT_THAT(result.out, Not(HasSubstr("not ok"))) << result.Describe();
  EXPECT_THAT(result.out, Not(HasSubstr("module [")));
}

INSTANTIATE_TEST_SUITE_P(Forms, MultibootFormTest,
                         testing::Values("info", "info_elf64", "info_flat", "info_at_16_kib"));

TEST_F(MultibootTest, TheEnvironmentFileIsTheFirstModule) {
  const std::string environment = WriteFile("environment", "NR_CPUS=2");
  const std::string kernel = WriteFile("vmlinuz", "a kernel");
  const VmmResult result = RunGuest("info", {"--initrd=" + environment, "--module=" + kernel + " console=hvc0"});
  EXPECT_EQ(result.exit_code, 0) << result.Describe();
  EXPECT_THAT(result.out,
              HasSubstr("module [" + environment + "] NR_CPUS=2\nmodule [" + kernel + " console=hvc0] a kernel\n"));
}

TEST_F(MultibootTest, FwCfgAndTheMemoryMapTellOfTheMachine) {
  const VmmResult result = RunGuest("info", {"--cpus=3"});
  EXPECT_THAT(result.out, HasSubstr("RAM_SIZE 0x4000000\nNB_CPUS 0x3\nMAX_CPUS 0x3\n")) << result.Describe();
  EXPECT_THAT(result.out, HasSubstr("mem_lower 0x27f\nmem_upper 0xfc00\nmmap 0x0 0x9fc00 0x1\n"));
  EXPECT_THAT(result.out, HasSubstr("\nmmap 0x100000 0x3f00000 0x1\n"));
}

TEST_F(MultibootTest, MemoryAbove4GiBIsInBoth) {
  const uint64_t host = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  if (host < 5ull << 30) GTEST_SKIP() << "this host has only " << (host >> 20) << " MiB of memory";
  const VmmResult result = RunVmm({"--kernel=" + PathOf("info"), "--memory=5G"});
  EXPECT_THAT(result.out, HasSubstr("\nmmap 0x100000000 0x80000000 0x1\n")) << result.Describe();
  EXPECT_THAT(result.out, HasSubstr("RAM_SIZE 0x140000000\n"));
}

TEST_F(MultibootTest, EveryCpuStartsByOneIpiToAll) {
  for (const char* cpus : {"--cpus=1", "--cpus=4"}) {
    const VmmResult result = RunGuest("smp", {cpus});
    EXPECT_EQ(result.exit_code, 0) << result.Describe();
  }
}

TEST_F(MultibootTest, TheTestDeviceDoesWhatKvmUnitTestsExpect) {
  const VmmResult result = RunGuest("testdev", {"--test-device"});
  EXPECT_EQ(result.exit_code, 1) << result.Describe();  // 0 in QEMU's formula
  EXPECT_THAT(result.out, Not(HasSubstr("not ok"))) << result.Describe();
}

TEST_F(MultibootTest, WithoutTheTestDeviceItsPortsAreOpenBus) {
  const VmmResult result = RunGuest("testdev");
  EXPECT_EQ(result.exit_code, 1) << result.Describe();  // the guest's own status
  EXPECT_THAT(result.out, HasSubstr("not ok - the register gives back 32 bits"));
}

TEST_F(MultibootTest, AStatusIsQemusFormulaWithTheTestDeviceOnly) {
  EXPECT_EQ(RunGuest("info", {"--append=status=5"}).exit_code, 5);
  const VmmResult result = RunGuest("info", {"--append=status=5", "--test-device"});
  EXPECT_EQ(result.exit_code, 11);
  EXPECT_EQ(result.LastErrorLine(), "vmm: guest exit, status 5 [exit 11]");
}

TEST_F(MultibootTest, CatchingFromAMultibootKernelIsRefusedInWords) {
  const VmmResult result = RunGuest("info", {"--catch=panic"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("--catch: the kernel is a multiboot kernel"));
}

}  // namespace
}  // namespace vmm
