// Runs `vmcore vmcs` and `vmcore guest` on dumps of an L1 that ran on real kernels. Our own writer makes these dumps
// from KVM's nested state and L1's RAM.
#include <gmock/gmock.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "base/guest_memory.h"
#include "base/output_dir.h"
#include "dump/nested/abi/vmcb12.h"
#include "dump/nested/nested_state_note.h"
#include "dump/nested/testing/fixture.h"
#include "dump/read/vmcore.h"
#include "dump/tool/guest_command.h"
#include "dump/tool/run_tool.h"
#include "dump/tool/vmcs_command.h"
#include "dump/write/write_vmcore.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class NestedCommandsTest : public ::testing::Test {
 protected:
  NestedCommandsTest() {
    std::string folder = ::testing::TempDir() + "nested-XXXXXX";
    folder_ = mkdtemp(folder.data());
  }
  ~NestedCommandsTest() override { std::filesystem::remove_all(folder_); }

  // Writes the vmcore of an L1 with one vCPU that has `registers`. Adds a note with `blob` unless it is empty.
  void Dump(const char* memory_name, const std::string& blob, CpuState registers) {
    const auto memory = FixtureMemory(memory_name);
    registers.cr0 = 0x80000031;
    registers.efer = 0x500;
    VmSnapshot snapshot = {.cpus = {registers}, .memory = memory.get()};
    if (!blob.empty()) {
      const std::vector<uint8_t> state = Fixture(blob);
      snapshot.more_notes.push_back({std::string(kNestedStateNoteName), 0,
                                     NestedStateNote{.level = 2, .max_size = 8320, .state = state}.Serialise()});
    }
    const auto dir = OutputDir::Open(folder_);
    ASSERT_TRUE(dir.ok());
    const auto report = WriteVmcore(snapshot, *dir, {.name = "l1"});
    ASSERT_TRUE(report.ok()) << report.status();
  }

  int Run(std::vector<std::string> arguments) {
    out_.str("");
    err_.str("");
    return RunTool({VmcsCommand(), GuestCommand()}, arguments, out_, err_);
  }
  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  std::string folder_;
  std::ostringstream out_, err_;
};

CpuState AtTheOut() {
  CpuState cpu;
  cpu.rip = 0x5027;
  cpu.rsp = 0x3000;
  cpu.rbx = 0xb0b0;
  cpu.cr3 = 0x9000;
  cpu.cr4 = 0x2020;
  return cpu;
}

TEST_F(NestedCommandsTest, TheVmcsOfARunningL2IsPrintedWithItsMeaning) {
  Dump("vmx-plain-guestmem.bin.xz", "vmx-plain-F1-inL2.bin", AtTheOut());
  ASSERT_EQ(kExitFine, Run({"vmcs", Path("l1")})) << err_.str();
  for (const char* line :
       {"0: vmcs12 at 0x2000, from the nested state of vCPU 0, where L2 runs\n",
        "  guest_rip                      0000000000005027\n",
        "  ept_pointer                    000000000003001e  4 levels, write-back, table at 0x30000\n",
        "  secondary_vm_exec_control      00000002          EPT\n",
        "  guest_cs_ar_bytes              0000a09b          64-bit code, DPL 0, present\n"}) {
    EXPECT_THAT(out_.str(), HasSubstr(line));
  }
  ASSERT_EQ(kExitFine, Run({"vmcs", Path("l1"), "--json"}));
  const auto json = nlohmann::json::parse(out_.str());
  EXPECT_EQ("running", json["vcpus"][0]["source"]);
  EXPECT_EQ("0x5027", json["vcpus"][0]["fields"]["guest_rip"]["value"]);
  EXPECT_EQ("EPT", json["vcpus"][0]["fields"]["secondary_vm_exec_control"]["meaning"]);
}

TEST_F(NestedCommandsTest, WithoutANoteTheStalePageIsShownForWhatItIs) {
  Dump("vmx-plain-guestmem.bin.xz", "", AtTheOut());
  ASSERT_EQ(kExitFine, Run({"vmcs", Path("l1")}));
  EXPECT_THAT(out_.str(), HasSubstr("0: vmcs12 at 0x1000, found in memory; no vCPU: empty"));
  EXPECT_THAT(out_.str(), HasSubstr("1: vmcs12 at 0x2000, found in memory; no vCPU: vmcs_link_pointer"));
  EXPECT_EQ(kExitBadFile, Run({"vmcs", Path("l1"), "--diff", "0", "1"})) << "they differ";
  EXPECT_THAT(out_.str(), HasSubstr("  guest_rip                      0000000000000000  -> "));
  EXPECT_EQ(kExitFine, Run({"vmcs", Path("l1"), "--diff", "1", "1"}));
  EXPECT_EQ(kExitBadFile, Run({"vmcs", Path("l1"), "--diff", "0", "1", "--json"}));
  EXPECT_FALSE(nlohmann::json::parse(out_.str())["differences"].empty());
}

TEST_F(NestedCommandsTest, AVmcbIsPrintedWithItsMeaning) {
  Dump("svm-guestmem.bin.xz", "", AtTheOut());
  ASSERT_EQ(kExitFine, Run({"vmcs", Path("l1")}));
  EXPECT_THAT(out_.str(), HasSubstr("0: vmcb12 at 0x2000, found in memory\n"));
  EXPECT_THAT(out_.str(), HasSubstr("  nested_ctl                     0000000000000001  nested paging\n"));
  EXPECT_THAT(out_.str(), HasSubstr("  rip                            0000000000005000\n"));
}

TEST_F(NestedCommandsTest, BadUsageIsAnsweredWith2) {
  Dump("svm-guestmem.bin.xz", "", AtTheOut());
  EXPECT_EQ(kExitBadUsage, Run({"vmcs", Path("l1"), "--diff", "0", "1"}));
  EXPECT_THAT(err_.str(), HasSubstr("1: there are 1, numbered from 0"));
  EXPECT_EQ(kExitBadUsage, Run({"vmcs", Path("l1"), "0", "1"}));
  EXPECT_EQ(kExitBadUsage, Run({"vmcs", Path("l1"), "--diff"}));
  EXPECT_EQ(kExitBadUsage, Run({"guest", Path("l1"), "--extract", "0"}));
  EXPECT_EQ(kExitBadUsage, Run({"guest", Path("l1"), "--extract=1", "-o", Path("l2")}));
  EXPECT_EQ(kExitBadUsage, Run({"guest", Path("l1"), "--extract=-1", "-o", Path("l2")}));
  EXPECT_EQ(kExitBadUsage, Run({"guest", Path("l1"), "--extract=0", "-o", Path("")}));
  EXPECT_EQ(kExitBadFile, Run({"guest", "/nowhere"}));
}

TEST_F(NestedCommandsTest, ADumpWithoutGuestsSaysSo) {
  const GuestRange ranges[] = {{GuestAddr{0}, 1 << 20}};
  const auto memory = *GuestMemory::Create(ranges);
  const auto dir = OutputDir::Open(folder_);
  ASSERT_TRUE(WriteVmcore({.cpus = {CpuState()}, .memory = memory.get()}, *dir, {.name = "l1"}).ok());
  EXPECT_EQ(kExitFine, Run({"guest", Path("l1")}));
  EXPECT_THAT(out_.str(), HasSubstr("no guests"));
  EXPECT_EQ(kExitFine, Run({"vmcs", Path("l1")}));
  EXPECT_THAT(out_.str(), HasSubstr("no VMCS"));
}

// In both fixtures L2's page 0x5000 is at L1's 0x20f000, and L2's 0x2000 is at 0x202000. `code` is the word at `at`.
void ExpectL2(const std::string& path, uint64_t rip, uint64_t at, uint16_t code) {
  const auto core = Vmcore::Open(path);
  ASSERT_TRUE(core.ok()) << core.status();
  ASSERT_EQ(1u, (*core)->cpus().size());
  const CpuState& cpu = (*core)->cpus()[0];
  EXPECT_EQ(rip, cpu.rip);
  EXPECT_EQ(0x3000u, cpu.rsp);
  EXPECT_EQ(0x9000u, cpu.cr3);
  EXPECT_EQ(code, *(*core)->memory().ReadObject<uint16_t>(GuestAddr{at}));
  EXPECT_TRUE((*core)->faults().empty());
}

constexpr uint16_t kOut = 0x30e6;      // OUT 0x30, AL
constexpr uint16_t kVmmcall = 0x010f;  // followed by 0xd9

bool HasMarker(const std::string& path) {
  const auto core = Vmcore::Open(path);
  for (uint64_t at = 0x2000; core.ok() && at < 0x3000; at += 8) {
    if (*(*core)->memory().ReadObject<uint64_t>(GuestAddr{at}) == 0xfeedfacecafef00d) return true;
  }
  return false;
}

TEST_F(NestedCommandsTest, ARunningL2IsTakenOutOfItsHostsDump) {
  Dump("vmx-plain-guestmem.bin.xz", "vmx-plain-F1-inL2.bin", AtTheOut());
  ASSERT_EQ(kExitFine, Run({"guest", Path("l1"), "--list"}));
  EXPECT_THAT(out_.str(), HasSubstr("0: VMX, EPT at 0x30000 with 4 levels\n"));
  ASSERT_EQ(kExitFine, Run({"guest", Path("l1"), "--extract", "0", "-o", Path("l2")})) << err_.str();
  EXPECT_THAT(err_.str(), HasSubstr("vCPU 0: registers from vCPU 0 of the dump, where it ran"));
  ExpectL2(Path("l2"), 0x5027, 0x5027, kOut);
  EXPECT_TRUE(HasMarker(Path("l2")));
  EXPECT_EQ(0xb0b0u, (*Vmcore::Open(Path("l2")))->cpus()[0].rbx);
}

TEST_F(NestedCommandsTest, TheSameOnAmd) {
  Dump("svm-guestmem.bin.xz", "svm-L2-49.bin", AtTheOut());
  ASSERT_EQ(kExitFine, Run({"guest", Path("l1"), "--extract", "0", "-o", Path("l2")})) << err_.str();
  ExpectL2(Path("l2"), 0x5027, 0x501d, kVmmcall);
}

TEST_F(NestedCommandsTest, AnIdleL2IsTakenOutWithWhatIsKnownOfIt) {
  Dump("svm-guestmem.bin.xz", "", {});
  ASSERT_EQ(kExitFine, Run({"guest", Path("l1"), "--extract", "0", "-o", Path("l2"), "--json"})) << err_.str();
  EXPECT_THAT(err_.str(), HasSubstr("its VMCB; general registers but RAX are not known"));
  const auto json = nlohmann::json::parse(out_.str());
  EXPECT_EQ(false, json["guest"]["vcpus"][0]["general_registers"]);
  ExpectL2(Path("l2"), 0x5000, 0x501d, kVmmcall);
  const auto core = Vmcore::Open(Path("l2"));
  const VmcoreNote* note = (*core)->FindNote("VMM");
  ASSERT_NE(nullptr, note);
  const auto kept = nlohmann::json::parse(note->desc.begin(), note->desc.end());
  EXPECT_EQ(false, kept["extracted_guest"]["vcpus"][0]["general_registers"]) << "the file itself says so";
}

// 300 VMCBs, each with a top table of its own. All top tables lead to one page of 2 MiB, mapped `times` times. If
// `times` is 0, they lead to two pages of 4 KiB.
std::unique_ptr<GuestMemory> MemoryFullOfGuests(int times) {
  constexpr uint64_t kPresent = 7, kLarge = 0x80, kTables = 0x1000, kVmcbs = 0x10000, kRoots = 0x200000;
  const GuestRange ranges[] = {{GuestAddr{0}, 4 << 20}};
  std::unique_ptr<GuestMemory> memory = *GuestMemory::Create(ranges);
  const auto put = [&](uint64_t at, uint64_t word) { EXPECT_TRUE(memory->WriteObject(GuestAddr{at}, word).ok()); };
  put(kTables, (kTables + 0x1000) | kPresent);
  put(kTables + 0x1000, (kTables + 0x2000) | kPresent);
  for (int i = 0; i < times; ++i) put(kTables + 0x1000 + 8 * static_cast<uint64_t>(i), kPresent | kLarge);
  put(kTables + 0x2000, kPresent);
  put(kTables + 0x2008, 0x1000 | kPresent);
  const std::vector<uint8_t> vmcb = Fixture("svm-page2000-L1-2.bin");
  for (uint64_t i = 0; i < 300; ++i) {
    EXPECT_TRUE(memory->Write(GuestAddr{kVmcbs + 0x1000 * i}, vmcb).ok());
    put(kVmcbs + 0x1000 * i + offsetof(Vmcb12, control.nested_cr3), kRoots + 0x1000 * i);
    put(kRoots + 0x1000 * i, kTables | kPresent);
  }
  return memory;
}

TEST_F(NestedCommandsTest, AFileThatIsNothingButGuestsIsNotLookedIntoForHours) {
  for (const bool large : {false, true}) {
    const auto memory = MemoryFullOfGuests(large ? 1 : 0);
    const std::string name = large ? "large" : "small";
    const auto dir = OutputDir::Open(folder_);
    ASSERT_TRUE(WriteVmcore({.cpus = {CpuState()}, .memory = memory.get()}, *dir, {.name = name}).ok());
    ASSERT_EQ(kExitFine, Run({"guest", Path(name), "--list", "--json"})) << err_.str();
    const auto guests = nlohmann::json::parse(out_.str())["guests"];
    ASSERT_EQ(300u, guests.size()) << "all are named";
    // The limit is sixteen times L1's 4 MiB, or this number of guests.
    const size_t looked_into = large ? 32 : 256;
    EXPECT_FALSE(guests[looked_into - 1].contains("error")) << guests[looked_into - 1];
    EXPECT_THAT(guests[looked_into]["error"], HasSubstr("not looked into"));
    EXPECT_EQ(kExitFine, Run({"guest", Path(name), "--extract=299", "-o", Path(name + "-l2")})) << err_.str();
  }
}

TEST_F(NestedCommandsTest, AGuestThatCannotBeIsLookedIntoOnce) {
  const auto memory = MemoryFullOfGuests(33);  // each has more than sixteen times L1's 4 MiB
  const auto dir = OutputDir::Open(folder_);
  ASSERT_TRUE(WriteVmcore({.cpus = {CpuState()}, .memory = memory.get()}, *dir, {.name = "l1"}).ok());
  ASSERT_EQ(kExitFine, Run({"guest", Path("l1"), "--list", "--json"})) << err_.str();
  const auto guests = nlohmann::json::parse(out_.str())["guests"];
  ASSERT_EQ(300u, guests.size()) << "all are named";
  EXPECT_THAT(guests[0]["error"], HasSubstr("map more than can be"));
  EXPECT_THAT(guests[1]["error"], HasSubstr("not looked into, after 1 guests"));
}

TEST_F(NestedCommandsTest, AFileThatIsThereIsNotWrittenOver) {
  Dump("svm-guestmem.bin.xz", "", {});
  EXPECT_EQ(kExitBadFile, Run({"guest", Path("l1"), "--extract", "0", "-o", Path("l1")}));
  EXPECT_THAT(err_.str(), HasSubstr("l1"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("kernel")));
}

}  // namespace
}  // namespace vmm
