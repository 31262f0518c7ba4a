// Runs the commands on the dump of a made-up Xen machine, as our own writer makes it.
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "base/output_dir.h"
#include "dump/check/check_vmcore.h"
#include "dump/paging/page_tables.h"
#include "dump/read/vmcore.h"
#include "dump/tool/convert_command.h"
#include "dump/tool/guest_command.h"
#include "dump/tool/info_command.h"
#include "dump/tool/run_tool.h"
#include "dump/write/write_vmcore.h"
#include "dump/xen/abi/xen_note_abi.h"
#include "dump/xen/testing/made_up_xen.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

class XenCommandsTest : public ::testing::Test {
 protected:
  XenCommandsTest() {
    std::string folder = ::testing::TempDir() + "xen-XXXXXX";
    folder_ = mkdtemp(folder.data());
    const auto dir = OutputDir::Open(folder_);
    EXPECT_TRUE(dir.ok());
    const auto report = WriteVmcore({.cpus = {MadeUpXenCpu()}, .memory = &machine_}, *dir, {.name = "machine"});
    EXPECT_TRUE(report.ok()) << report.status();
    if (report.ok()) readable_by_ = report->readable_by;
  }
  ~XenCommandsTest() override { std::filesystem::remove_all(folder_); }

  int Run(std::vector<std::string> arguments) {
    out_.str("");
    err_.str("");
    return RunTool({InfoCommand(), GuestCommand(), ConvertCommand()}, arguments, out_, err_);
  }
  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  // "name type", in the file's order.
  std::vector<std::string> Notes(const std::string& name) {
    const auto core = Vmcore::Open(Path(name));
    std::vector<std::string> notes;
    if (!core.ok()) return notes;
    for (const VmcoreNote& note : (*core)->notes()) notes.push_back(note.name + " " + std::to_string(note.type));
    return notes;
  }

  FlatMemory machine_ = MadeUpXen();
  std::string folder_;
  std::vector<ReadableBy> readable_by_;
  std::ostringstream out_, err_;
};

TEST_F(XenCommandsTest, TheCoreIsCrashsDom0Session) {
  EXPECT_THAT(Notes("machine"), ::testing::ElementsAre("CORE 1", "VMM-CPU 0", "Xen 16777217"));
  const auto core = Vmcore::Open(Path("machine"));
  ASSERT_TRUE(core.ok());
  ASSERT_EQ((*core)->cpus().size(), 1u);
  EXPECT_EQ((*core)->cpus()[0].cr3, MadeUpXenCpu().cr3);
  EXPECT_EQ((*core)->cpus()[0].tr.base, MadeUpXenCpu().tr.base);
  EXPECT_EQ(CheckVmcoreFile(Path("machine")).findings.size(), 1u) << "that it is Xen's";
  for (const ReadableBy& reader : readable_by_) {
    EXPECT_EQ(!reader.why_not.has_value(), reader.reader == Reader::kCrash) << reader.why_not.value_or("");
  }
}

TEST_F(XenCommandsTest, InfoListsTheDomains) {
  ASSERT_EQ(Run({"info", Path("machine"), "--json"}), 0) << err_.str();
  const auto xen = nlohmann::json::parse(out_.str())["xen"];
  EXPECT_EQ(xen["major"], 4);
  EXPECT_EQ(xen["minor"], 17);
  EXPECT_EQ(xen["xen_phys_start"], "0xc00000");
  ASSERT_EQ(xen["domains"].size(), 2u);
  EXPECT_EQ(xen["domains"][0]["dom0"], true);
  EXPECT_EQ(xen["domains"][0]["pages"], 1024);
  EXPECT_EQ(xen["domains"][1]["dom0"], false);
  ASSERT_EQ(Run({"info", Path("machine")}), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("Xen PV, dom0, 1024 pages, shared_info at 0xc1c000"));
}

TEST_F(XenCommandsTest, GuestListsTheDomainsAndTheirVcpus) {
  ASSERT_EQ(Run({"guest", Path("machine"), "--json"}), 0) << err_.str();
  const auto guests = nlohmann::json::parse(out_.str())["guests"];
  ASSERT_EQ(guests.size(), 2u);
  ASSERT_EQ(guests[0]["vcpus"].size(), 1u);
  EXPECT_EQ(guests[0]["vcpus"][0]["id"], 1);
  EXPECT_EQ(guests[0]["vcpus"][0]["rip"], "0xffffffff8154469e");
  EXPECT_TRUE(guests[1]["vcpus"].empty());
  EXPECT_EQ(guests[0]["page_tables"]["tables"], 5);
  ASSERT_EQ(Run({"guest", Path("machine")}), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("0: Xen PV, dom0"));
}

TEST_F(XenCommandsTest, GuestExtractsADomainWhosePageTablesHaveItsOwnNumbers) {
  ASSERT_EQ(Run({"guest", Path("machine"), "--extract=0", "--output=" + Path("dom0")}), 0) << err_.str();
  const auto core = Vmcore::Open(Path("dom0"));
  ASSERT_TRUE(core.ok()) << core.status();
  ASSERT_EQ((*core)->cpus().size(), 2u);
  EXPECT_FALSE((*core)->cpus()[0].started);
  const CpuState& cpu = (*core)->cpus()[1];
  EXPECT_EQ(cpu.rip, 0xffffffff8154469e);
  const auto at = PageTables::Of((*core)->memory(), cpu.cr3, cpu.cr4).Translate(kMadeUpDirectMap + 777 * kPageSize);
  ASSERT_TRUE(at.ok()) << at.status();
  EXPECT_EQ(at->value, 777 * kPageSize);
  EXPECT_THAT(Notes("dom0"), ::testing::Not(::testing::Contains("Xen 16777217")));
  EXPECT_THAT(CheckVmcoreFile(Path("dom0")).findings,
              ::testing::Contains(::testing::Field(&Finding::rule, "xen-domain")));
  EXPECT_EQ(Run({"guest", Path("machine"), "--extract=2", "--output=" + Path("none")}), 2);
}

TEST_F(XenCommandsTest, ConvertKeepsTheNotes) {
  ASSERT_EQ(Run({"convert", Path("machine"), Path("again")}), 0) << err_.str();
  EXPECT_EQ(Notes("again"), Notes("machine"));
}

}  // namespace
}  // namespace vmm
