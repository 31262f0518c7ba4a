// Every way to die: the message, the exit status and the contents of the vmcore.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "dump/abi/flight_note_abi.h"
#include "guest-tests/core_notes.h"
#include "guest-tests/vmm_process.h"
#include "nlohmann/json.hpp"

namespace vmm {
namespace {

using testing::HasSubstr;

class PanicsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = WhyNoKvm()) GTEST_SKIP() << *why;
    std::string pattern = testing::TempDir() + "/panic.XXXXXX";
    dir_ = mkdtemp(pattern.data());
  }

  // Runs the guest with its dump and its record in dir_, and without waiting for a guest that prints no more.
  VmmResult Run(std::string_view guest, std::string_view append = "", std::vector<std::string> flags = {}) {
    flags.insert(flags.begin(), {"--dump-dir=" + dir_, "--result=" + dir_ + "/result.json", "--panic-grace=0"});
    return RunGuest(guest, append, flags);
  }

  std::string core() const { return dir_ + "/vmcore"; }

  std::set<std::string> Cores() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(dir_)) {
      const std::string name = entry.path().filename();
      if (name.find("vmcore") != std::string::npos && !name.ends_with(".gdb")) names.insert(name);
    }
    return names;
  }

  nlohmann::json Record() const { return nlohmann::json::parse(std::ifstream(dir_ + "/result.json")); }

  std::string dir_;
};

// Returns the text in a register: its bytes, lowest first.
std::string Word(uint64_t value) {
  std::string word(reinterpret_cast<const char*>(&value), sizeof(value));
  return word.substr(0, word.find('\0'));
}

TEST_F(PanicsTest, AByteToThePvpanicPortIsAPanic) {
  const VmmResult result = Run("pvpanic", "write=1");
  EXPECT_EQ(result.exit_code, 120) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("panic (pvpanic) on vCPU 0"));
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("dump " + core()));
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("[exit 120]"));
  EXPECT_EQ(Cores(), std::set<std::string>{"vmcore"});
}

TEST_F(PanicsTest, TheFormOf2012With32BitsIsAPanicToo) {
  EXPECT_EQ(Run("pvpanic", "write=1 width=32").exit_code, 120);
  EXPECT_EQ(Cores(), std::set<std::string>{"vmcore"});
}

TEST_F(PanicsTest, AResetAfterAPanicOnTheConsoleIsThePanicAndIsDumped) {
  const VmmResult result = Run("panic_words", "then=reset");
  EXPECT_EQ(result.exit_code, 120) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(),
              HasSubstr("panic (console), [    1.600000] Kernel panic - not syncing: only words"));
  EXPECT_EQ(Cores(), std::set<std::string>{"vmcore"});
  EXPECT_EQ(Record()["panic"]["source"], "console");
  EXPECT_EQ(Record()["console"]["seen"], 2);
  EXPECT_EQ(Record()["console"]["lines"][0]["sign"], "warning");
}

TEST_F(PanicsTest, StandingStillAfterAPanicOnTheConsoleIsThePanic) {
  const VmmResult result = Run("panic_words", "then=nothing", {"--timeout=3s"});
  EXPECT_EQ(result.exit_code, 120) << result.Describe();
  EXPECT_EQ(Cores(), std::set<std::string>{"vmcore"});
}

TEST_F(PanicsTest, WordsOnTheConsoleDoNotMakeAPowerOffAPanic) {
  const VmmResult result = Run("panic_words", "then=power-off");
  EXPECT_EQ(result.exit_code, 0) << result.Describe();
  EXPECT_EQ(Record()["console"]["seen"], 2);
}

TEST_F(PanicsTest, ACaughtLineOfTheConsoleEndsTheRunAtOnce) {
  const VmmResult result = Run("panic_words", "then=nothing", {"--catch-console=oops,panic", "--timeout=60s"});
  EXPECT_EQ(result.exit_code, 120) << result.Describe();
  EXPECT_EQ(Record()["panic"]["source"], "console");
  EXPECT_EQ(Cores(), std::set<std::string>{"vmcore"});
}

TEST_F(PanicsTest, AnExceptionInEarlyBootIsAPanicUnasked) {
  const VmmResult result = Run("panic_words", "words=early", {"--timeout=60s"});
  EXPECT_EQ(result.exit_code, 120) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("panic (console) on vCPU 0, PANIC: early exception 0x06"));
  EXPECT_EQ(Cores(), std::set<std::string>{"vmcore"});
}

TEST_F(PanicsTest, PvpanicIsTheBetterWitness) {
  const VmmResult result = Run("panic_words", "then=pvpanic", {"--catch-console=panic", "--panic-grace=2s"});
  EXPECT_EQ(result.exit_code, 120) << result.Describe();
  EXPECT_EQ(Record()["panic"]["source"], "pvpanic");
}

TEST_F(PanicsTest, AGuestThatIsNoLinuxHasNothingCaughtAndItsOtherWitnesses) {
  const VmmResult result = Run("pvpanic", "write=1");
  EXPECT_EQ(Record()["panic"]["source"], "pvpanic");
  EXPECT_TRUE(Record()["catch"]["points"].empty());
  EXPECT_THAT(std::string(Record()["catch"]["why_none"]), HasSubstr("no kallsyms tables in the kernel's image"));
  EXPECT_EQ(result.err.find("--catch"), std::string::npos) << "nobody has asked for it: " << result.err;
}

TEST_F(PanicsTest, WhoAsksForACatchIsToldThatItCannotBeHad) {
  const VmmResult result = Run("pvpanic", "write=1", {"--catch=panic,warn"});
  EXPECT_EQ(result.exit_code, 120) << result.Describe();
  EXPECT_THAT(result.err, HasSubstr("--catch: the symbols in the kernel's image: "));
  EXPECT_THAT(result.err, HasSubstr("pvpanic and the console remain"));
}

TEST_F(PanicsTest, WithCatchOffTheRecordSaysNothingOfIt) {
  Run("pvpanic", "write=1", {"--catch=off"});
  EXPECT_EQ(Record()["catch"], nullptr);
}

TEST_F(PanicsTest, TheRecordHasALineForEachToolThatCanOpenTheDump) {
  Run("pvpanic", "write=1");
  const nlohmann::json tools = Record()["tools"];
  EXPECT_EQ(tools["vmcore"], "vmcore report " + std::filesystem::path(core()).lexically_normal().string());
  EXPECT_EQ(tools.size(), 1u) << "there is no kernel in it for the others: " << tools;
}

TEST_F(PanicsTest, ADeathInWhichNoKernelIsFoundSaysSo) {
  Run("pvpanic", "write=1");
  EXPECT_FALSE(Record()["death"]["missing"].empty());
  EXPECT_EQ(Record()["death"]["message"], "");
}

TEST_F(PanicsTest, TheVmcoreHoldsWhatTheHostSawOfTheVcpu) {
  const VmmResult result = Run("pvpanic", "write=1");
  ASSERT_EQ(result.exit_code, 120) << result.Describe();
  std::ifstream file(core(), std::ios::binary);
  std::string head(1 << 20, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  const size_t name = head.find(kFlightNoteName);
  ASSERT_NE(name, std::string::npos);
  FlightNoteHeader header;
  std::memcpy(&header, head.data() + name + 12, sizeof(header));  // the name is padded to 12
  EXPECT_EQ(header.version, kFlightNoteVersion);
  EXPECT_EQ(header.exits, Record()["vcpus"][0]["exits"]);
  EXPECT_LT(header.start_ns, header.end_ns);
  ASSERT_GT(header.records, 0u);
  FlightRecord last;
  std::memcpy(&last, head.data() + name + 12 + header.header_size + (header.records - 1) * sizeof(last), sizeof(last));
  EXPECT_EQ(last.kind, FlightKind::kPioWrite);
  EXPECT_EQ(last.address, 0x505u);
  EXPECT_EQ(last.data, 1u);
}

TEST_F(PanicsTest, ACrashKernelThatTakesOverIsLeftToItsWork) {
  const VmmResult result = Run("pvpanic", "write=2 then=reset");
  EXPECT_EQ(result.exit_code, 120) << result.Describe();
  EXPECT_THAT(result.out, HasSubstr("# written")) << "the guest must run on";
  EXPECT_THAT(result.err, HasSubstr("its own crash kernel took over"));
  EXPECT_TRUE(Cores().empty());
  EXPECT_EQ(Record()["panic"]["crash_kernel_loaded"], true);
}

TEST_F(PanicsTest, PanickedAndCrashLoadedTogetherIsDumped) {
  EXPECT_EQ(Run("pvpanic", "write=3").exit_code, 120);
  EXPECT_EQ(Cores(), std::set<std::string>{"vmcore"});
  EXPECT_EQ(Record()["panic"]["crash_kernel_loaded"], false);
}

TEST_F(PanicsTest, TheShutdownBitIsAPowerOff) {
  const VmmResult result = Run("pvpanic", "write=4");
  EXPECT_EQ(result.exit_code, 0) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("power-off (pvpanic)"));
  EXPECT_TRUE(Cores().empty());
  EXPECT_EQ(Record()["panic"], nullptr);
}

TEST_F(PanicsTest, UnknownBitsAloneAreNoPanic) {
  const VmmResult result = Run("pvpanic", "write=0xf8 then=exit");
  EXPECT_EQ(result.exit_code, 0) << result.Describe();
  EXPECT_EQ(result.out.find("not ok"), std::string::npos) << result.out;
}

TEST_F(PanicsTest, UnknownBitsBesideAKnownOneAreIgnored) { EXPECT_EQ(Run("pvpanic", "write=0xf9").exit_code, 120); }

TEST_F(PanicsTest, InTheGraceTimeTheGuestRunsOnAndMayEvenReset) {
  for (const char* then : {"reset", "power-off", "exit"}) {
    const VmmResult result = Run("pvpanic", std::string("write=1 then=") + then, {"--panic-grace=45s"});
    EXPECT_EQ(result.exit_code, 120) << then << ": " << result.Describe();
    EXPECT_THAT(result.out, HasSubstr("# written"));
    EXPECT_LT(result.seconds, 40) << then << " ends the grace time";
  }
}

TEST_F(PanicsTest, ATripleFaultAfterAPanicIsStillThatPanic) {
  const VmmResult result = Run("pvpanic", "write=1 then=triple-fault", {"--panic-grace=300ms"});
  EXPECT_EQ(result.exit_code, 120) << result.Describe();
  EXPECT_EQ(Record()["panic"]["source"], "pvpanic");
  EXPECT_EQ(Record()["panic"]["seen"], 2);
}

TEST_F(PanicsTest, LaterPanicsAreCountedAndTheFirstIsKept) {
  EXPECT_EQ(Run("pvpanic", "write=1 times=3", {"--panic-grace=300ms"}).exit_code, 120);
  EXPECT_EQ(Record()["panic"]["seen"], 3);
  EXPECT_EQ(Cores(), std::set<std::string>{"vmcore"});
}

TEST_F(PanicsTest, WhenAllCpusPanicAtOnceOneDumpIsMade) {
  const VmmResult result = Run("everyone_panics", "cpus=8", {"--cpus=8", "--panic-grace=300ms"});
  EXPECT_EQ(result.exit_code, 120) << result.Describe();
  EXPECT_EQ(Record()["panic"]["seen"], 8);
  EXPECT_EQ(Cores(), std::set<std::string>{"vmcore"});
}

TEST_F(PanicsTest, ATripleFaultHasAStatusOfItsOwn) {
  const VmmResult result = Run("triple_fault");
  EXPECT_EQ(result.exit_code, 121) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("triple fault on vCPU 0"));
  EXPECT_EQ(Record()["outcome"], "triple-fault");
  const nlohmann::json fault = Record()["fault"];
  if (fault["registers_lost"]) {
    EXPECT_THAT(result.err, HasSubstr("this host's KVM has not kept what they were"));
  } else {
    EXPECT_THAT(std::string(fault["instruction"]), testing::StartsWith("0f0b")) << "UD2";
    EXPECT_EQ(fault["registers"]["idt_limit"], "0");
    EXPECT_THAT(result.err, HasSubstr("the IDT ends (limit 0) before the gate of the double fault"));
  }
  EXPECT_EQ(Cores(), std::set<std::string>{"vmcore"});
}

TEST_F(PanicsTest, AnInstructionThatKvmCannotEmulateIsReportedWithItsBytes) {
  const VmmResult result = Run("internal_error");
  if (result.exit_code == 77) GTEST_SKIP() << "this host's processor runs XRSTOR itself";
  EXPECT_EQ(result.exit_code, 120) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("suberror 1 (emulation)"));
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("0f ae 2d"));
  EXPECT_EQ(Record()["panic"]["source"], "kvm-internal-error");
  EXPECT_THAT(std::string(Record()["fault"]["instruction"]), testing::StartsWith("0fae2d"));
}

TEST_F(PanicsTest, AJumpToWhereThereIsNoMemoryIsReported) {
  const VmmResult result = Run("jump_to_nowhere");
  EXPECT_EQ(result.exit_code, 120) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("panic (kvm-internal-error)"));
  EXPECT_THAT(result.err, HasSubstr("there is no memory at RIP 0xc8000000"));
  const auto notes = ReadCoreNotes(core());
  ASSERT_TRUE(notes.ok()) << notes.status();
  EXPECT_EQ(notes->prstatus[0].at("rip"), 0xc8000000);
}

// Checks both notes and all registers: none is lost, none is in another's place.
void ExpectThatRegistersSayTheirNames(const CoreNotes& notes) {
  ASSERT_EQ(notes.prstatus.size(), 1u);
  ASSERT_EQ(notes.qemu.size(), 1u);
  for (const Registers& registers : {notes.prstatus[0], notes.qemu[0]}) {
    for (const char* name : {"rbx", "rcx", "rsi", "rdi", "rbp", "rsp", "r10", "r11", "r12", "r13", "r14", "r15"}) {
      EXPECT_EQ(Word(registers.at(name)), std::string("I am ") + name);
    }
    EXPECT_EQ(Word(registers.at("r8")), "I am r8!");
    EXPECT_EQ(Word(registers.at("r9")), "I am r9!");
    EXPECT_EQ(Word(registers.at("rax")), "\x01 am rax");
    EXPECT_EQ(Word(registers.at("rdx")),
              "\x05\x05"
              "am rdx");
    EXPECT_EQ(registers.at("rip"), *SymbolAddress("guest-tests/registers.elf", "behind_out"));
  }
  EXPECT_EQ(notes.prstatus[0].at("pid"), 1u);
  EXPECT_EQ(Word(notes.prstatus[0].at("fs_base")), "fsbas");
  EXPECT_EQ(Word(notes.prstatus[0].at("gs_base")), "gsbas");
  EXPECT_EQ(Word(notes.qemu[0].at("fs_base")), "fsbas");
  EXPECT_EQ(Word(notes.qemu[0].at("gs_base")), "gsbas");
  EXPECT_EQ(Word(notes.qemu[0].at("kernel_gs_base")), "kgsba");
  EXPECT_EQ(Word(notes.qemu[0].at("cr2")), "cr2cr");
}

TEST_F(PanicsTest, TheRegistersInTheDumpAreThoseBehindTheOut) {
  ASSERT_EQ(Run("registers").exit_code, 120);
  const auto notes = ReadCoreNotes(core());
  ASSERT_TRUE(notes.ok()) << notes.status();
  ExpectThatRegistersSayTheirNames(*notes);
  EXPECT_EQ(notes->prstatus[0].at("cs"), 0x10u);
  EXPECT_EQ(notes->prstatus[0].at("ss"), 0x18u);
  EXPECT_EQ(notes->qemu[0].at("cs_flags") & 0xf0ff00, 0xa09b00u) << "present, code, 64-bit";
}

TEST_F(PanicsTest, SoTheyAreWhenCpl3Panics) {
  ASSERT_EQ(Run("registers", "cpl=3").exit_code, 120);
  const auto notes = ReadCoreNotes(core());
  ASSERT_TRUE(notes.ok()) << notes.status();
  ExpectThatRegistersSayTheirNames(*notes);
  EXPECT_EQ(notes->prstatus[0].at("cs") & 3, 3u);
}

TEST_F(PanicsTest, WhileTheGraceTimeGoesOnTheGuestDoesSoToo) {
  ASSERT_EQ(Run("registers", "", {"--panic-grace=50ms"}).exit_code, 120);
  const auto notes = ReadCoreNotes(core());
  ASSERT_TRUE(notes.ok()) << notes.status();
  ExpectThatRegistersSayTheirNames(*notes);  // it spins right after the OUT
}

TEST_F(PanicsTest, EveryCpuHasItsOwnRegisters) {
  ASSERT_EQ(Run("panic_on_another_cpu", "cpus=4 dies=2", {"--cpus=4"}).exit_code, 120);
  EXPECT_EQ(Record()["panic"]["vcpu"], 2);
  const auto notes = ReadCoreNotes(core());
  ASSERT_TRUE(notes.ok()) << notes.status();
  ASSERT_EQ(notes->prstatus.size(), 4u);
  ASSERT_EQ(notes->qemu.size(), 4u);
  for (unsigned cpu = 0; cpu < 4; ++cpu) {
    EXPECT_EQ(Word(notes->prstatus[cpu].at("r15")), "IAm cpu" + std::to_string(cpu));
    EXPECT_EQ(Word(notes->qemu[cpu].at("r15")), "IAm cpu" + std::to_string(cpu));
    EXPECT_EQ(notes->prstatus[cpu].at("pid"), cpu + 1);
  }
}

TEST_F(PanicsTest, CpusThatWereNeverStartedHaveTheirNotesToo) {
  ASSERT_EQ(Run("pvpanic", "write=1", {"--cpus=3"}).exit_code, 120);
  const auto notes = ReadCoreNotes(core());
  ASSERT_TRUE(notes.ok()) << notes.status();
  EXPECT_EQ(notes->prstatus.size(), 3u);
}

TEST_F(PanicsTest, TheMemoryInTheDumpIsTheGuests) {
  ASSERT_EQ(Run("registers").exit_code, 120);
  std::ifstream elf("guest-tests/registers.elf", std::ios::binary);
  elf.seekg(0x1000);  // the first PT_LOAD
  std::string image(256, '\0');
  elf.read(image.data(), static_cast<std::streamsize>(image.size()));
  EXPECT_EQ(ReadCoreMemory(core(), 0x100000, image.size()).value_or("nothing"), image);
}

TEST_F(PanicsTest, ADumpHoldsWhatWasTouchedAndNotAllOfMemory) {
  ASSERT_EQ(Run("pvpanic", "write=1", {"--memory=1G"}).exit_code, 120);
  EXPECT_LT(Record()["dump"]["data_bytes"], 16 << 20);
}

}  // namespace
}  // namespace vmm
