// Guests that judge themselves: each prints TAP and ends with 0 if all is well.
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "guest-tests/vmm_process.h"

namespace vmm {
namespace {

struct Case {
  std::string name;
  std::string guest;
  std::string append;
  std::vector<std::string> flags;
  uint64_t memory_mib = 64;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class GuestTest : public testing::TestWithParam<Case> {};

TEST_P(GuestTest, ReportsThatAllIsWell) {
  if (const auto why = WhyNoKvm()) GTEST_SKIP() << *why;
  const Case& c = GetParam();
  const uint64_t host_mib =
      static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) >> 20;
  if (c.memory_mib > host_mib) GTEST_SKIP() << "this host has only " << host_mib << " MiB of memory";

  std::vector<std::string> flags = c.flags;
  flags.push_back("--memory=" + std::to_string(c.memory_mib) + "M");
  const VmmResult result = RunGuest(c.guest, c.append, flags);
  if (result.exit_code == 77) GTEST_SKIP() << result.out;
  EXPECT_EQ(result.exit_code, 0) << result.Describe();
  EXPECT_NE(result.out.find("\n1.."), std::string::npos) << "no plan line: " << result.Describe();
  EXPECT_EQ(result.out.find("not ok"), std::string::npos) << result.Describe();
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const char* guest :
       {"exceptions", "hlt", "i8042", "lapic_timer", "long_mode", "mmio_nowhere", "open_bus", "pio_strings",
        "pio_widths", "pit_interrupt", "pm_timer", "rtc", "serial_interrupt", "user_mode"}) {
    cases.push_back({.name = guest, .guest = guest});
  }
  for (const char* cpus : {"1", "2", "4", "8", "17"}) {
    for (const char* guest : {"ipi", "smp", "x2apic"}) {
      cases.push_back({.name = std::string(guest) + "_on_" + cpus,
                       .guest = guest,
                       .append = std::string("cpus=") + cpus,
                       .flags = {std::string("--cpus=") + cpus}});
    }
  }
  cases.push_back({.name = "smp_on_255", .guest = "smp", .append = "cpus=255", .flags = {"--cpus=255"}});
  for (const uint64_t mib : {64, 65, 512, 3072, 3073, 5120}) {
    for (const char* guest : {"boot_params", "memory_edges"}) {
      cases.push_back({.name = std::string(guest) + "_" + std::to_string(mib) + "_MiB",
                       .guest = guest,
                       .append = "memory=" + std::to_string(mib),
                       .memory_mib = mib});
    }
  }
  for (const char* form : {"split", "packed"}) {
    for (const char* guest : {"virtio_rng", "virtio_hostile"}) {
      cases.push_back({.name = std::string(guest) + "_" + form, .guest = guest, .append = std::string("form=") + form});
    }
    cases.push_back({.name = std::string("virtio_race_") + form,
                     .guest = "virtio_race",
                     .append = std::string("memory=64 form=") + form,
                     .flags = {"--cpus=2"}});
  }
  cases.push_back({.name = "vmport", .guest = "vmport", .append = "memory=64", .flags = {"--vmport"}});
  cases.push_back({.name = "vmport_off", .guest = "vmport", .append = "port=off"});
  const std::string longest = "length=2047 memory=64 ";
  cases.push_back({.name = "boot_params_with_a_long_command_line",
                   .guest = "boot_params",
                   .append = longest + std::string(2047 - longest.size(), 'x')});
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, GuestTest, testing::ValuesIn(Cases()),
                         [](const testing::TestParamInfo<Case>& info) { return info.param.name; });

}  // namespace
}  // namespace vmm
