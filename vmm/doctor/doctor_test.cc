#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "vmm/doctor/doctor_command.h"
#include "vmm/doctor/host_checks.h"
#include "vmm/doctor/kernel_checks.h"
#include "vmm/doctor/kernel_config.h"

namespace vmm {
namespace {

using Level = Diagnosis::Level;
using ::testing::HasSubstr;

// A machine, made up.
class DoctorTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(root_); }

  std::string Write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
    return root_ + path;
  }

  const std::string root_ =
      ::testing::TempDir() + "/doctor-" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

const Diagnosis* Find(const Diagnoses& findings, std::string_view subject) {
  for (const Diagnosis& finding : findings) {
    if (finding.subject == subject) return &finding;
  }
  ADD_FAILURE() << subject;
  return &findings.front();
}

TEST_F(DoctorTest, WithoutTheDeviceTheProcessorSaysWhatToDo) {
  Write("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu vmx sse\n");
  Diagnoses findings = CheckKvm(root_, root_ + "/dev/kvm");
  ASSERT_EQ(findings.size(), 1);
  EXPECT_EQ(findings[0].level, Level::kProblem);
  EXPECT_THAT(findings[0].remedy, HasSubstr("modprobe kvm_intel"));
  Write("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu sse\n");
  EXPECT_THAT(CheckKvm(root_, root_ + "/dev/kvm")[0].remedy, HasSubstr("nested virtualization"));
}

TEST_F(DoctorTest, AFileInTheDevicesPlaceIsAProblem) {
  const std::string path = Write("/dev/kvm", "x");
  const Diagnoses findings = CheckKvm(root_, path);
  EXPECT_EQ(findings[0].level, Level::kProblem);
  EXPECT_THAT(findings[0].remedy, HasSubstr("no device"));
}

TEST_F(DoctorTest, UserNamespacesThatAreForbiddenHaveAReason) {
  EXPECT_EQ(CheckUserNamespaces(root_, 0).level, Level::kOk);
  Write("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
  const Diagnosis finding = CheckUserNamespaces(root_, EPERM);
  EXPECT_EQ(finding.level, Level::kWarning);
  EXPECT_THAT(finding.remedy, HasSubstr("kernel.apparmor_restrict_unprivileged_userns=0"));
  EXPECT_THAT(CheckUserNamespaces(root_ + "/other", EPERM).remedy, HasSubstr("seccomp"));
}

TEST_F(DoctorTest, HelpersAreFoundInThePathAndInTheirOwnPlaces) {
  chmod(Write("/usr/lib/qemu/virtiofsd", "").c_str(), 0755);
  chmod(Write("/opt/bin/passt", "").c_str(), 0755);
  const Diagnoses findings = CheckHelpers(root_, "bin:/opt/bin");
  EXPECT_EQ(Find(findings, "virtiofsd")->text, "/usr/lib/qemu/virtiofsd");
  EXPECT_EQ(Find(findings, "passt")->text, "/opt/bin/passt");
  EXPECT_EQ(Find(findings, "diod")->level, Level::kWarning);
  EXPECT_EQ(Find(findings, "diod")->remedy, "apt install diod");
}

TEST_F(DoctorTest, LittleMemoryIsAWarningAndNoneAProblem) {
  Write("/proc/meminfo", "MemAvailable: 4194304 kB\n");
  EXPECT_EQ(CheckMemory(root_).level, Level::kOk);
  Write("/proc/meminfo", "MemAvailable: 524288 kB\n");
  EXPECT_EQ(CheckMemory(root_).level, Level::kWarning);
  Write("/proc/meminfo", "MemAvailable: 1024 kB\n");
  EXPECT_EQ(CheckMemory(root_).level, Level::kProblem);
}

constexpr std::string_view kConfig =
    "CONFIG_64BIT=y\n# CONFIG_SMP is not set\nCONFIG_KALLSYMS=y\nCONFIG_VIRTIO_MMIO=m\nCONFIG_VIRTIO_FS=m\n"
    "CONFIG_VMCORE_INFO=y\nCONFIG_HZ=250\nCONFIG_DEFAULT_HOSTNAME=\"(none)\"\nCONFIG_X=n\n";

TEST_F(DoctorTest, AConfigurationsLacksAreNamedWithTheirUse) {
  const Diagnoses findings = CheckConfig(KernelConfig(kConfig), "kernel/drivers/virtio/virtio_mmio.ko: a.ko\n");
  EXPECT_EQ(Find(findings, "CONFIG_64BIT")->level, Level::kOk);
  EXPECT_EQ(Find(findings, "CONFIG_SMP")->level, Level::kWarning);
  EXPECT_THAT(Find(findings, "CONFIG_SMP")->text, HasSubstr("--cpus above 1"));
  EXPECT_EQ(Find(findings, "CONFIG_VIRTIO_MMIO")->text, "module virtio_mmio: virtio devices");
  EXPECT_THAT(Find(findings, "CONFIG_VIRTIO_FS")->text, HasSubstr("a module that is not installed"));
  EXPECT_EQ(Find(findings, "CONFIG_VMCORE_INFO")->level, Level::kOk) << "the newer name of CRASH_CORE";
  EXPECT_EQ(Find(CheckConfig(KernelConfig(""), ""), "CONFIG_64BIT")->level, Level::kProblem);
}

TEST_F(DoctorTest, ValuesOfAConfigurationAreRead) {
  const KernelConfig config(kConfig);
  EXPECT_EQ(config.Of("VIRTIO_FS"), KernelConfig::Value::kModule);
  EXPECT_EQ(config.Of("HZ"), KernelConfig::Value::kYes);
  EXPECT_EQ(config.Of("X"), KernelConfig::Value::kNo);
  EXPECT_EQ(config.Of("SMP"), KernelConfig::Value::kNo);
}

std::vector<uint8_t> Bytes(std::string_view text) { return {text.begin(), text.end()}; }

std::string Gzip(std::string_view text) {
  z_stream stream = {};
  deflateInit2(&stream, 9, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY);
  std::string out(text.size() + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST_F(DoctorTest, TheConfigurationInsideAnImageIsFound) {
  const std::string image = "code IKCFG_ST" + Gzip(kConfig) + "IKCFG_ED code";
  EXPECT_EQ(FindIkconfig(Bytes(image)), kConfig);
  EXPECT_FALSE(FindIkconfig(Bytes("IKCFG_ST\x1f\x8b damaged IKCFG_ED")).has_value());
  EXPECT_FALSE(FindIkconfig(Bytes("IKCFG_ST\x1f\x8b")).has_value());
  EXPECT_FALSE(FindIkconfig({}).has_value());
}

TEST_F(DoctorTest, TheReleaseIsTheWordAfterLinuxVersion) {
  EXPECT_EQ(FindRelease(Bytes("Linux version %s Linux version 6.1.0-18-amd64 (x@y) #1")), "6.1.0-18-amd64");
  EXPECT_FALSE(FindRelease(Bytes("Linux version ")).has_value());
}

TEST_F(DoctorTest, AFileThatIsNoKernelIsAProblemAndSaysWhatItIs) {
  const std::string path = Write("/x", "#!/bin/sh\n");
  const Diagnoses findings = CheckKernel(path, root_);
  EXPECT_EQ(findings[0].level, Level::kProblem);
  EXPECT_EQ(CheckKernel(root_ + "/none", root_)[0].level, Level::kProblem);
}

TEST_F(DoctorTest, TheReportIsALineEachOrJson) {
  const Diagnoses findings = {{Level::kOk, "a", "b", ""}, {Level::kProblem, "c", "d\x1b[1m", "e"}};
  EXPECT_EQ(DiagnosesText(findings), "ok       a: b\nproblem  c: d\n         -> e\n");
  const auto json = nlohmann::json::parse(DiagnosesJson(findings));
  EXPECT_EQ(json["can_run"], false);
  EXPECT_EQ(json["findings"][1]["remedy"], "e");
}

}  // namespace
}  // namespace vmm
