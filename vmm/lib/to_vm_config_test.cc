#include "vmm/lib/to_vm_config.h"

#include <string>

#include "gtest/gtest.h"

namespace libvmm {
namespace {

std::string ErrorOf(const Config& config) { return std::string(ToVmConfig(config).status().message()); }

TEST(ToVmConfigTest, AnEmptyOneLacksAKernel) {
  EXPECT_EQ(ToVmConfig({}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ErrorOf({}), "kernel: must name a bzImage or vmlinux");
}

TEST(ToVmConfigTest, AnErrorNamesTheFieldItsValueAndTheLimit) {
  EXPECT_EQ(ErrorOf({.kernel = "k", .cpus = 0}), "cpus: 0; must be 1 to 255");
  EXPECT_EQ(ErrorOf({.kernel = "k", .cpus = 256}), "cpus: 256; must be 1 to 255");
  EXPECT_EQ(ErrorOf({.kernel = "k", .memory_mib = 63}).find("memory_mib: 63; must be 64 to "), 0u);
  EXPECT_EQ(ErrorOf({.kernel = "k", .memory_mib = ~uint64_t{0}}).find("memory_mib: 18446744073709551615; must"), 0u);
  EXPECT_EQ(ErrorOf({.kernel = "k", .timeout = absl::ZeroDuration()}), "timeout: 0; must be more than 0");
  EXPECT_EQ(ErrorOf({.kernel = "k", .hang_after = absl::Milliseconds(999)}),
            "hang_after: 999ms; less than 1s is too short to tell a hang");
  EXPECT_EQ(ErrorOf({.kernel = "k", .dump_level = 2}), "dump_level: 2; must be 1 or 31");
}

TEST(ToVmConfigTest, AProgramAndAnInitrdExcludeEachOther) {
  EXPECT_EQ(ErrorOf({.kernel = "k", .initrd = "i", .program = {"p"}}),
            "initrd: i; a program has an initramfs of its own: see files");
  EXPECT_EQ(ErrorOf({.kernel = "k", .program = {""}}), "program: its first word is empty");
}

TEST(ToVmConfigTest, WhatAProgramIsGivenNeedsAProgram) {
  EXPECT_EQ(ErrorOf({.kernel = "k", .files = {{"a", "/a"}}}), "files: only for a run with a program");
  EXPECT_EQ(ErrorOf({.kernel = "k", .environment = {"A=b"}}), "environment: only for a run with a program");
  EXPECT_EQ(ErrorOf({.kernel = "k", .program = {"p"}, .files = {{"a", "b"}}}),
            "files: \"a\" to \"b\"; the path in the guest must begin with /");
  EXPECT_EQ(ErrorOf({.kernel = "k", .program = {"p"}, .environment = {"A"}}), "environment: \"A\"; must be NAME=VALUE");
}

TEST(ToVmConfigTest, TheProcessStaysTheCallers) {
  const absl::StatusOr<vmm::VmConfig> config = ToVmConfig({.kernel = "k", .dump_dir = "d"});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->sandbox, vmm::SandboxMode::kOff);
  EXPECT_EQ(config->console, "off");
  EXPECT_EQ(config->on_panic, vmm::OnPanic::kDump);
  EXPECT_EQ(ToVmConfig({.kernel = "k"})->on_panic, vmm::OnPanic::kExit) << "without a folder there is no dump";
}

}  // namespace
}  // namespace libvmm
