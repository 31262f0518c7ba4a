// VMCSINFO as guests/vmcsinfo.c measures it, in all its forms. Under KVM it equals the table of our note. On a machine
// without KVM in between it differs: it is the processor's own.
//
// As in nested_test.cc, the run is made here, or taken from the folder VMM_NESTED_RUNS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "dump/nested/vmx/vmcs12_fields.h"
#include "dump/nested/vmx/vmcsinfo_note.h"
#include "guest-tests/vmm_process.h"

namespace vmm {
namespace {

using testing::HasSubstr;
using testing::Not;

using Table = std::map<uint32_t, uint64_t>;  // encoding -> encoded offset

struct Measured {
  uint32_t revision[2] = {};  // of the first form and of the second
  Table first, second, fifth;
};

template <typename T>
void Append(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// Returns the encoding of FIELD(name).
uint32_t EncodingOf(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  const VmcsField* field = FindVmcsField(name);
  return field != nullptr ? field->encoding : static_cast<uint32_t>(std::stoul(name, nullptr, 16));
}

Measured ReadForms(const std::string& said) {
  Measured measured;
  std::istringstream lines(said);
  for (std::string line; std::getline(lines, line);) {
    std::erase(line, '\r');
    std::istringstream words(line);
    words >> std::hex;
    std::string word;
    if (line.starts_with("REVISION_ID=")) {
      measured.revision[0] = static_cast<uint32_t>(std::stoul(line.substr(12), nullptr, 16));
    } else if (line.starts_with("FIELD(")) {
      const size_t close = line.find(")=");
      measured.first[EncodingOf(line.substr(6, close - 6))] = std::stoull(line.substr(close + 2), nullptr, 16);
    } else if (line.starts_with("v2 ")) {
      uint32_t field = 0;
      uint64_t offsets = 0;
      words >> word >> field;
      if (words >> offsets) {
        measured.second[field] = offsets;
      } else {
        measured.revision[1] = field;
      }
    } else if (line.starts_with("v5 ")) {
      uint32_t group = 0;
      char colon = 0;
      words >> word >> group >> colon;
      uint64_t offsets = 0;
      for (uint32_t index = 0; words >> offsets; ++index) {
        if (offsets != 0) measured.fifth[(group >> 2) << 13 | (group & 3) << 10 | index << 1] = offsets;
      }
    }
  }
  return measured;
}

// Returns what the guest printed, or nothing if it can neither run here nor was run elsewhere; then `why` has the
// reason.
std::optional<std::string> Said(const std::string& name, std::string* why) {
  if (const char* const runs = getenv("VMM_NESTED_RUNS")) {
    const std::filesystem::path console = std::filesystem::path(runs) / name / "console";
    std::ostringstream text;
    text << std::ifstream(console).rdbuf();
    *why = name + ": not among the runs that were made";
    return text.str().empty() ? std::nullopt : std::optional(text.str());
  }
  if (const auto no_kvm = WhyNoKvm()) {
    *why = *no_kvm;
    return std::nullopt;
  }
  *why = "this host's KVM lets no guest be a hypervisor on VMX";
  if (name != "vmcsinfo") return std::nullopt;
  const VmmResult result = RunGuest("vmcsinfo");
  if (result.exit_code == 77) return std::nullopt;
  return result.out;
}

TEST(VmcsInfoTest, MeasuredUnderKvmItIsTheTableOfOurNote) {
  std::string why;
  const auto said = Said("vmcsinfo", &why);
  if (!said.has_value()) GTEST_SKIP() << why;
  EXPECT_THAT(*said, HasSubstr("ok 3 - what is written lies where the table says"));
  EXPECT_THAT(*said, Not(HasSubstr("not ok")));
  const Measured measured = ReadForms(*said);
  EXPECT_EQ(measured.revision[0], kVmcs12Revision);
  const std::string note =
      MakeVmcsInfoNote(measured.second.contains(0x6828) ? Vmcs12Layout::kCet : Vmcs12Layout::kFrozen);
  const auto stated = VmcsInfo::Parse({reinterpret_cast<const uint8_t*>(note.data()), note.size()});
  ASSERT_TRUE(stated.ok());
  EXPECT_EQ(measured.second, stated->encoded_offsets());
  std::printf("%d fields measured, %d stated\n", static_cast<int>(measured.second.size()),
              static_cast<int>(stated->encoded_offsets().size()));
}

class FormsTest : public testing::TestWithParam<const char*> {};

TEST_P(FormsTest, AllFormsSayTheSameAndTheSecondIsANoteThatCanBeRead) {
  std::string why;
  const auto said = Said(GetParam(), &why);
  if (!said.has_value()) GTEST_SKIP() << why;
  EXPECT_THAT(*said, Not(HasSubstr("not ok")));
  const Measured measured = ReadForms(*said);
  EXPECT_GT(measured.second.size(), 100u);
  EXPECT_EQ(measured.revision[0], measured.revision[1]);
  EXPECT_EQ(measured.first, measured.second);
  EXPECT_EQ(measured.fifth, measured.second);

  // Leaves out the fields that the processor stores in a form of its own: the values read from them are no offsets.
  std::string note;
  Append(note, measured.revision[1]);
  size_t left_out = 0;
  for (const auto& [encoding, offsets] : measured.second) {
    char line[64];
    std::snprintf(line, sizeof(line), "# field %x is kept in another form", encoding);
    if (said->find(line) != std::string::npos) {
      ++left_out;
      continue;
    }
    Append(note, encoding);
    Append(note, offsets);
  }
  const auto info = VmcsInfo::Parse({reinterpret_cast<const uint8_t*>(note.data()), note.size()});
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_TRUE(info->Offset(0x681e).has_value()) << "guest RIP";
  std::printf("%s: revision %#x, %d fields, %d of them kept in another form\n", GetParam(), measured.revision[0],
              static_cast<int>(measured.second.size()), static_cast<int>(left_out));
}

INSTANTIATE_TEST_SUITE_P(All, FormsTest, testing::Values("vmcsinfo", "vmcsinfo_bare"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace vmm
