#include "vmm/outcome/result_json.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "base/log.h"
#include "base/unique_fd.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace vmm {
namespace {

RunOutcome APanic() {
  RunOutcome outcome{.kind = RunOutcome::Kind::kPanic,
                     .panic = PanicEvent{.source = PanicSource::kPvpanic, .vcpu = 2},
                     .panics_seen = 1};
  outcome.kernel = {0x1000000, 42};
  outcome.dump = VmcoreReport{.path = "out/vmcore", .data_bytes = 4096, .release = "6.1.0", .kernel_offset = 0x200000};
  return outcome;
}

TEST(ResultJsonTest, APanicIsRecordedWithItsDump) {
  const auto json = nlohmann::json::parse(ResultJson({.cpus = 4}, APanic()));
  EXPECT_EQ(json["schema_version"], 1);
  EXPECT_EQ(json["outcome"], "panic");
  EXPECT_EQ(json["exit_code"], 120);
  EXPECT_EQ(json["panic"]["source"], "pvpanic");
  EXPECT_EQ(json["panic"]["vcpu"], 2);
  EXPECT_EQ(json["dump"]["path"], "out/vmcore");
  EXPECT_EQ(json["guest"]["kernel_offset"], "0x200000");
  EXPECT_EQ(json["guest"]["physical_base"], "0x1000000");
  EXPECT_EQ(json["guest"]["kaslr_seed"], "0x2a") << "for --kaslr=";
}

TEST(ResultJsonTest, UnderXenThePanicSaysWhoDied) {
  EXPECT_FALSE(nlohmann::json::parse(ResultJson({}, APanic()))["panic"].contains("died"));
  RunOutcome outcome = APanic();
  outcome.xen_victim = XenVictim::kDom0;
  EXPECT_EQ(nlohmann::json::parse(ResultJson({}, outcome))["panic"]["died"], "dom0");
}

TEST(ResultJsonTest, ACleanEndHasNoPanicAndNoDump) {
  const auto json = nlohmann::json::parse(ResultJson({}, {.kind = RunOutcome::Kind::kPowerOff, .by = "acpi"}));
  EXPECT_TRUE(json["panic"].is_null());
  EXPECT_TRUE(json["dump"].is_null());
}

TEST(ResultJsonTest, BytesThatAreNoTextDoNotBreakTheRecord) {
  VmConfig config;
  config.boot.command_line = "x=\xff\xfe";
  EXPECT_TRUE(nlohmann::json::accept(ResultJson(config, APanic())));
}

TEST(ResultJsonTest, APathThatIsNoTextCanBeRecovered) {
  RunOutcome outcome = APanic();
  outcome.dump->path = "out/\xff/vmcore";
  VmConfig config;
  config.boot.kernel_path = "\xfe";
  const auto json = nlohmann::json::parse(ResultJson(config, outcome));
  EXPECT_EQ(json["dump"]["path"], "out/\ufffd/vmcore");
  EXPECT_EQ(json["dump"]["path_base64"], "b3V0L/8vdm1jb3Jl");
  EXPECT_EQ(json["guest"]["kernel_base64"], "/g==");
  EXPECT_FALSE(json["guest"].contains("cmdline_base64")) << "this one is text";
}

RunOutcome WithGuestInfo(const std::string& value) {
  RunOutcome outcome = APanic();
  outcome.vmport = VmportReport{.reach = BackdoorReach::kGrantedPrograms, .guestinfo = {{"verdict", value}}};
  return outcome;
}

TEST(ResultJsonTest, WhatTheGuestSetIsInTheRecordAndInTheDump) {
  for (const std::string& text : {ResultJson({}, WithGuestInfo("ok")), DumpNoteJson({}, WithGuestInfo("ok"))}) {
    const auto json = nlohmann::json::parse(text);
    EXPECT_EQ(json["vmport"]["guestinfo"]["verdict"], "ok");
    EXPECT_EQ(json["vmport"]["ring3"], "granted-programs");
  }
  EXPECT_FALSE(nlohmann::json::parse(ResultJson({}, APanic())).contains("vmport"));
}

TEST(ResultJsonTest, GuestinfoThatIsNoTextIsKeptByteForByte) {
  const auto vmport = nlohmann::json::parse(ResultJson({}, WithGuestInfo("\xff\xfe!")))["vmport"];
  EXPECT_EQ(vmport["guestinfo_base64"]["verdict"], "//4h");
  EXPECT_FALSE(vmport["guestinfo"].contains("verdict"));
}

TEST(ResultJsonTest, GuestinfoKeysThatLookAlikeAreAllKept) {
  RunOutcome outcome = WithGuestInfo("ok");
  outcome.vmport->guestinfo["a\xff"] = "1";
  outcome.vmport->guestinfo["a\xfe"] = "2";
  outcome.vmport->guestinfo["a\ufffd"] = "3";  // both would become this
  outcome.vmport->guestinfo["A"] = "4";
  outcome.vmport->guestinfo["a"] = "5";
  for (const std::string& text : {ResultJson({}, outcome), DumpNoteJson({}, outcome)}) {
    const auto vmport = nlohmann::json::parse(text)["vmport"];
    EXPECT_EQ(vmport["guestinfo"], (nlohmann::json{{"verdict", "ok"}, {"a\ufffd", "3"}, {"A", "4"}, {"a", "5"}}));
    EXPECT_EQ(vmport["guestinfo_odd_keys"], nlohmann::json::parse(R"([{"key_base64": "Yf4=", "value_base64": "Mg=="},
                                                                      {"key_base64": "Yf8=", "value_base64": "MQ=="}])"));
  }
}

TEST(ResultJsonTest, TheDumpKeepsHowItsRunIsMadeAgain) {
  const auto json = nlohmann::json::parse(DumpNoteJson({.command = "vmm --kernel=x"}, APanic()));
  EXPECT_EQ(json["command"], "vmm --kernel=x");
  EXPECT_EQ(json["panic"]["source"], "pvpanic");
}

TEST(ResultJsonTest, AHangIsToldWithWhereItWasSeen) {
  RunOutcome outcome{.kind = RunOutcome::Kind::kHang};
  outcome.hang = Hang{.kind = HangKind::kLivelock, .vcpu = 1, .rips = {0xffffffff81000010}, .detail = "a loop"};
  const auto json = nlohmann::json::parse(ResultJson({}, outcome));
  EXPECT_EQ(json["outcome"], "hang");
  EXPECT_EQ(json["exit_code"], 122);
  EXPECT_EQ(json["hang"]["kind"], "livelock");
  EXPECT_EQ(json["hang"]["rips"][0], "0xffffffff81000010");
}

TEST(ResultJsonTest, AHangHasTheRegistersFromBeforeTheNmi) {
  RunOutcome outcome{.kind = RunOutcome::Kind::kHang};
  outcome.hang = Hang{.kind = HangKind::kHalted, .vcpu = 0};
  EXPECT_EQ(nlohmann::json::parse(ResultJson({}, outcome))["hang"]["nmi"], nullptr);
  CpuState halted{.rsp = 0xffffffff82003f58, .rip = 0xffffffff81000010, .rflags = 0x46};
  halted.halted = true;
  CpuState off;
  off.started = false;
  outcome.hang_registers = HangRegisters{.note = {.nmi_vcpu = 0, .destroyed = 0, .before = {halted, off, std::nullopt}},
                                         .places = {"early_fixup_exception+0x10/0x80", "", ""}};
  const auto json = nlohmann::json::parse(DumpNoteJson({}, outcome))["hang"]["nmi"];
  EXPECT_EQ(json["vcpu"], 0);
  EXPECT_EQ(json["error"], nullptr);
  EXPECT_EQ(json["destroyed_vcpu"], 0);
  const auto& before = json["registers_before"];
  EXPECT_EQ(before[0]["state"], "halted");
  EXPECT_EQ(before[0]["rip"], "0xffffffff81000010");
  EXPECT_EQ(before[0]["rsp"], "0xffffffff82003f58");
  EXPECT_EQ(before[0]["rflags"], "0x46");
  EXPECT_EQ(before[0]["place"], "early_fixup_exception+0x10/0x80");
  EXPECT_EQ(before[1]["state"], "not-started");
  EXPECT_FALSE(before[1].contains("rip"));
  EXPECT_EQ(before[2]["state"], "unknown");
}

TEST(ResultJsonTest, KvmsOwnCountersStandWithEachVcpuOrAreNull) {
  RunOutcome outcome = APanic();
  outcome.vcpus.push_back({.exits = 5, .kvm = {{"exits", 1234}, {"a_counter_of_the_future", 1}, {"halt_exits", 0}}});
  outcome.vcpus.push_back({.exits = 6});
  const auto vcpus = nlohmann::json::parse(ResultJson({}, outcome))["vcpus"];
  EXPECT_EQ(vcpus[0]["kvm"], (nlohmann::json{{"exits", 1234}, {"halt_exits", 0}}));
  EXPECT_TRUE(vcpus[1]["kvm"].is_null());
}

}  // namespace
}  // namespace vmm
