// Guests that are hypervisors, and their guests: the dump contains what KVM kept of them, and that leads to the memory
// and the registers of L2.
//
// The tests run the guests here if this host's KVM lets a guest be a hypervisor. VMM_NESTED_RUNS names a folder with
// runs that were made elsewhere (guest-tests/bochs/run) and replace them: NAME/{status,console,stderr,vmcore}.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "dump/nested/nested_cpu.h"
#include "dump/nested/nested_state.h"
#include "dump/nested/nested_state_note.h"
#include "dump/nested/nested_vm.h"
#include "dump/nested/testing/fixture.h"
#include "dump/nested/vmx/vmcs12_fields.h"
#include "dump/nested/vmx/vmcsinfo_note.h"
#include "dump/read/vmcore.h"
#include "guest-tests/core_notes.h"
#include "guest-tests/vmm_process.h"

namespace vmm {
namespace {

using testing::HasSubstr;
using testing::Not;

// guest-tests/lib/l2.h
constexpr uint64_t kL2Ram = 0x1000000, kL2Large = 0x1400000;
constexpr uint64_t kMarker = 0xfeedfacecafef00d, kLargeMarker = 0x5ca1ab1e0ddba115;
constexpr uint64_t kOutHltJmp = 0xebf4ee;  // out %al, %dx; hlt; jmp: starts one byte before kBehindOut
constexpr uint64_t kBehindOut = 0x5100, kL2Stack = 0x7ff0, kL2Cr3 = 0x9000;

std::string Content(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class NestedTest : public testing::Test {
 protected:
  // Runs `guest` until its panic, or takes the stored run of that name, and opens its vmcore. Skips the test if neither
  // is possible.
  void Panic(const std::string& name, std::string_view guest, std::string_view append = "") {
    const char* const runs = getenv("VMM_NESTED_RUNS");
    if (runs != nullptr) {
      const std::filesystem::path folder = std::filesystem::path(runs) / name;
      if (!std::filesystem::exists(folder)) GTEST_SKIP() << name << ": not among the runs that were made";
      status_ = std::stoi(Content(folder / "status"));
      said_ = Content(folder / "console") + Content(folder / "stderr");
      path_ = folder / "vmcore";
    } else {
      if (const auto why = WhyNoKvm()) GTEST_SKIP() << *why;
      std::string folder = testing::TempDir() + "/nested.XXXXXX";
      ASSERT_NE(mkdtemp(folder.data()), nullptr);
      const VmmResult result = RunGuest(guest, append, {"--dump-dir=" + folder, "--panic-grace=0"});
      if (result.exit_code == 77) GTEST_SKIP() << "this host's KVM lets no guest be a hypervisor of that kind";
      status_ = result.exit_code;
      said_ = result.Describe();
      path_ = folder + "/vmcore";
    }
    ASSERT_EQ(status_, 120) << said_;
    ASSERT_THAT(said_, Not(HasSubstr("not ok")));
    auto core = Vmcore::Open(path_);
    ASSERT_TRUE(core.ok()) << core.status();
    core_ = *std::move(core);
    auto notes = ReadCoreNotes(path_);
    ASSERT_TRUE(notes.ok()) << notes.status();
    registers_ = notes->prstatus[0];
    cr3_ = notes->qemu[0]["cr3"];
    ReadNestedNote();
  }

  void ReadNestedNote() {
    const VmcoreNote* note = core_->FindNote(kNestedStateNoteName);
    ASSERT_NE(note, nullptr);
    auto parsed = NestedStateNote::Parse(note->desc);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    note_ = *parsed;
    EXPECT_EQ(note_.vcpu, 0u);
    auto state = NestedState::Parse(note_.state);
    ASSERT_TRUE(state.ok()) << state.status();
    state_ = *std::move(state);
    EXPECT_THAT(state_->Oddities(), testing::IsEmpty());
  }

  uint64_t L1Word(uint64_t at) const {
    uint64_t word = 0;
    EXPECT_TRUE(core_->memory().Read(GuestAddr{at}, {reinterpret_cast<uint8_t*>(&word), sizeof(word)}).ok());
    return word;
  }

  // Finds L2 and its memory in the dump.
  void FindL2() {
    const auto cpus = FindNestedCpus(core_->memory(), std::span(&note_, 1));
    ASSERT_TRUE(cpus.ok()) << cpus.status();
    const auto vms = FindNestedVms(core_->memory(), core_->cpus(), cpus->cpus);
    ASSERT_TRUE(vms.ok()) << vms.status();
    ASSERT_EQ(vms->size(), 1u);
    vm_ = vms->front();
    ASSERT_EQ(vm_.vcpus.size(), 1u);
    auto memory = MemoryOf(core_->memory(), vm_);
    ASSERT_TRUE(memory.ok()) << memory.status();
    l2_ = *std::move(memory);
  }

  uint64_t L2Word(uint64_t at) const {
    uint64_t word = 0;
    EXPECT_TRUE(l2_->Read(GuestAddr{at}, {reinterpret_cast<uint8_t*>(&word), sizeof(word)}).ok());
    return word;
  }

  // Checks code and markers, read through tables in which two pages are swapped and one page is large.
  void ExpectL2Memory() {
    EXPECT_EQ(L2Word(0x6000), kMarker);
    EXPECT_EQ(L1Word(kL2Ram + 0x5000), kMarker) << "page 0x6000 of L2 is the frame 0x5000";
    EXPECT_EQ(L2Word(0x203000), kLargeMarker);
    EXPECT_EQ(L1Word(kL2Large + 0x3000), kLargeMarker);
    EXPECT_EQ(L2Word(kBehindOut - 1) & 0xffffff, kOutHltJmp);
    EXPECT_EQ(L2Word(0x5000), L1Word(kL2Ram + 0x6000));
    EXPECT_EQ(l2_->Ranges().size(), 1u);
    EXPECT_EQ(l2_->Ranges()[0].size, 4u << 20);
  }

  // Does what a user does: one command makes a vmcore of L2. `general`: it can have the general registers.
  void ExpectToolExtractsL2(uint64_t rip, bool general) {
    const std::string l2 = testing::TempDir() + "/l2-" + std::to_string(getpid()) + ".vmcore";
    std::filesystem::remove(l2);
    const std::string tool = "dump/tool/vmcore";
    ASSERT_EQ(std::system((tool + " guest " + path_ + " --extract=0 --output=" + l2).c_str()), 0);
    const auto core = Vmcore::Open(l2);
    ASSERT_TRUE(core.ok()) << core.status();
    ASSERT_EQ((*core)->cpus().size(), 1u);
    const CpuState& cpu = (*core)->cpus()[0];
    EXPECT_EQ(cpu.rip, rip);
    EXPECT_EQ(cpu.rsp, kL2Stack);
    EXPECT_EQ(cpu.cr3, kL2Cr3);
    EXPECT_EQ(cpu.rbx, general ? kMarker : 0);
    const auto word = [&](uint64_t at) {
      uint64_t value = 0;
      EXPECT_TRUE((*core)->memory().Read(GuestAddr{at}, {reinterpret_cast<uint8_t*>(&value), sizeof(value)}).ok());
      return value;
    };
    EXPECT_EQ(word(0x6000), kMarker);
    EXPECT_EQ(word(0x203000), kLargeMarker);
    EXPECT_EQ(word(0x5000), L1Word(kL2Ram + 0x6000)) << "code";
    EXPECT_EQ(word(kBehindOut - 1) & 0xffffff, kOutHltJmp);
    std::filesystem::remove(l2);
    std::filesystem::remove(l2 + ".gdb");

    const std::string shown = testing::TempDir() + "/vmcs-" + std::to_string(getpid());
    ASSERT_EQ(std::system((tool + " vmcs " + path_ + " --json >" + shown).c_str()), 0);
    EXPECT_THAT(Content(shown), HasSubstr(state_->vmx() ? "\"vmcs12\"" : "\"vmcb12\""));
    std::filesystem::remove(shown);
  }

  // PRSTATUS is L2's, as l2.h says, and so are the registers of the machine that was found.
  void ExpectLiveL2() {
    EXPECT_EQ(note_.level, 2u);
    EXPECT_TRUE(state_->guest_mode());
    EXPECT_EQ(registers_["rip"], kBehindOut);
    EXPECT_EQ(registers_["rsp"], kL2Stack);
    EXPECT_EQ(registers_["rbx"], kMarker);
    EXPECT_EQ(registers_["rbp"], kLargeMarker);
    EXPECT_EQ(registers_["rdx"], 0x505u);
    char name[sizeof(uint64_t)] = {};
    for (const char* reg : {"rcx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"}) {
      std::memcpy(name, &registers_[reg], sizeof(name));
      EXPECT_STREQ(name, (std::string("L2 ") + reg).c_str());
    }
    EXPECT_EQ(cr3_, kL2Cr3);
    FindL2();
    const NestedVcpu& vcpu = vm_.vcpus[0];
    EXPECT_EQ(vcpu.source, NestedCpu::Source::kRunning);
    EXPECT_TRUE(vcpu.has_general_registers);
    EXPECT_EQ(vcpu.registers.rip, kBehindOut);
    EXPECT_EQ(vcpu.registers.rsp, kL2Stack);
    EXPECT_EQ(vcpu.registers.cr3, kL2Cr3);
    EXPECT_EQ(vcpu.registers.rbx, kMarker);
    ExpectL2Memory();
    ExpectToolExtractsL2(kBehindOut, /*general=*/true);
  }

  // PRSTATUS is L1's; L2 is as its last VM exit left it.
  void ExpectIdleL2() {
    EXPECT_EQ(note_.level, 1u);
    EXPECT_FALSE(state_->guest_mode());
    EXPECT_GT(registers_["rip"], 0x100000u);
    FindL2();
    const NestedVcpu& vcpu = vm_.vcpus[0];
    EXPECT_NE(vcpu.source, NestedCpu::Source::kRunning);
    EXPECT_GT(vcpu.registers.rip, 0x5000u);
    EXPECT_LT(vcpu.registers.rip, kBehindOut);
    EXPECT_EQ(vcpu.registers.rsp, kL2Stack);
    EXPECT_EQ(vcpu.registers.cr3, kL2Cr3);
    ExpectL2Memory();
    ExpectToolExtractsL2(vcpu.registers.rip, /*general=*/false);
  }

  int status_ = -1;
  std::string said_, path_;
  std::unique_ptr<Vmcore> core_;
  Registers registers_;
  uint64_t cr3_ = 0;
  NestedStateNote note_;
  std::optional<NestedState> state_;
  NestedVm vm_;
  std::unique_ptr<L2Memory> l2_;
};

// If the guest did not get that far, there is nothing to check.
#define PANIC(...)    \
  Panic(__VA_ARGS__); \
  if (IsSkipped() || HasFatalFailure()) return

// The value that guests/vmx_fields.c writes.
uint64_t Pattern(const VmcsField& field) {
  const uint64_t n =
      1 + 128 * (field.encoding >> 13 & 3) + 32 * (field.encoding >> 10 & 3) + (field.encoding >> 1 & 31);
  switch (field.width()) {
    case VmcsFieldWidth::k16: return 0xc000 | n;
    case VmcsFieldWidth::k64: return (0x12340000 | n) << 32 | 0x77660000 | n;
    case VmcsFieldWidth::k32: break;
    case VmcsFieldWidth::kNatural: return 0x5a5a5a5a00000000 | n << 40 | 0x77660000 | n;
  }
  const bool access_rights = field.encoding >= 0x4814 && field.encoding <= 0x4822;
  return (0x5a5a0000 | n) & (access_rights ? 0x1f0ff : ~0ull);  // KVM keeps only those bits
}

TEST_F(NestedTest, EveryFieldThatL1WroteIsInTheNoteAtTheTablesOffset) {
  PANIC("vmx_fields", "vmx_fields");
  EXPECT_EQ(note_.level, 1u);
  ASSERT_TRUE(state_->vmcs12().has_value());
  const VmcsRegion& vmcs12 = *state_->vmcs12();
  const VmcoreNote* info_note = core_->FindNote(kVmcsInfoNoteName);
  ASSERT_NE(info_note, nullptr);
  const auto info = VmcsInfo::Parse(info_note->desc);
  ASSERT_TRUE(info.ok()) << info.status();
  int checked = 0, wrong = 0;
  for (const VmcsField& field : Vmcs12Fields()) {
    if (field.since > note_.layout) continue;
    ++checked;
    wrong += vmcs12.Get(field) != Pattern(field);
    EXPECT_EQ(vmcs12.Get(field), Pattern(field)) << field.name;
    EXPECT_EQ(info->Read(vmcs12.page(), field.encoding), Pattern(field)) << field.name << " by the VMCSINFO note";
  }
  EXPECT_THAT(said_, HasSubstr("# " + std::to_string(checked) + " fields"));
  std::printf("%d fields, %d mismatches\n", checked, wrong);
}

TEST_F(NestedTest, ThePageIsTheGoldenOneButForTheErrorThatItsMakerLeft) {
  PANIC("vmx_fields", "vmx_fields");
  const std::vector<uint8_t> golden = Fixture("vmx-plain-C-pattern.bin");
  const std::vector<uint8_t> ours(note_.state.begin(), note_.state.end());
  ASSERT_EQ(ours.size(), golden.size());
  const VmcsField& error = *FindVmcsField("vm_instruction_error");
  for (size_t i = sizeof(KvmNestedHeader); i < ours.size(); ++i) {
    const size_t at = i - sizeof(KvmNestedHeader);
    if (at >= error.offset && at < error.offset + size_t{error.size}) continue;
    EXPECT_EQ(ours[i], golden[i]) << "byte " << at << " of vmcs12";
  }
}

TEST_F(NestedTest, ThePageInL1sMemoryIsStale) {
  PANIC("vmx_fields", "vmx_fields");
  EXPECT_EQ(L1Word(state_->header().vmx.vmcs12_pa + FindVmcsField("guest_rip")->offset), 0u);
}

TEST_F(NestedTest, AnL2ThatPanicsUnderEptIsFoundWhole) {
  PANIC("vmx_live", "vmx_l2", "mode=live");
  ASSERT_TRUE(state_->vmx());
  ExpectLiveL2();
}

TEST_F(NestedTest, AnL2ThatIsIdleUnderEptIsFoundAsItsVmExitLeftIt) {
  PANIC("vmx_idle", "vmx_l2", "mode=idle");
  ExpectIdleL2();
  EXPECT_EQ(vm_.vcpus[0].source, NestedCpu::Source::kCurrent);
  EXPECT_EQ(state_->vmcs12()->vmcs12().vm_exit_reason, 18u) << "VMCALL";
}

TEST_F(NestedTest, AnL2WithAShadowVmcsBringsThatToo) {
  PANIC("vmx_shadow", "vmx_l2", "mode=shadow");
  ExpectLiveL2();
  ASSERT_TRUE(state_->shadow_vmcs12().has_value());
  EXPECT_EQ(state_->shadow_vmcs12()->vmcs12().guest_rip, 0x5ad0e5ad0u);
  EXPECT_TRUE(state_->shadow_vmcs12()->shadow());
  EXPECT_EQ(note_.state.size(), kNestedTwoPages);
}

TEST_F(NestedTest, AnL2ThatPanicsUnderNestedPagingIsFoundWhole) {
  PANIC("svm_live", "svm_l2", "mode=live");
  ASSERT_FALSE(state_->vmx());
  EXPECT_EQ(core_->FindNote(kVmcsInfoNoteName), nullptr);
  ExpectLiveL2();
}

TEST_F(NestedTest, AnL2ThatIsIdleUnderNestedPagingIsFoundAsItsVmExitLeftIt) {
  PANIC("svm_idle", "svm_l2", "mode=idle");
  ExpectIdleL2();
}

}  // namespace
}  // namespace vmm
