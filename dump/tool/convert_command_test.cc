#include "dump/tool/convert_command.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_format.h"
#include "dump/read/vmcore.h"
#include "dump/testing/dumped_guest.h"
#include "dump/tool/run_tool.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

class ConvertCommandTest : public ::testing::Test {
 protected:
  int Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "convert");
    out_.str("");
    err_.str("");
    return RunTool({ConvertCommand()}, arguments, out_, err_);
  }

  std::string Path(const std::string& name) const { return dump_.folder() + "/" + name; }

  static std::unique_ptr<Vmcore> Open(const std::string& path) {
    auto core = Vmcore::Open(path);
    EXPECT_TRUE(core.ok()) << core.status();
    return *std::move(core);
  }

  static void ExpectEqual(const Vmcore& a, const Vmcore& b) {
    ASSERT_EQ(a.memory().Ranges(), b.memory().Ranges());
    for (const GuestRange& range : a.memory().Ranges()) {
      std::vector<uint8_t> ours(range.size), theirs(range.size);
      ASSERT_TRUE(a.memory().Read(range.start, ours).ok());
      ASSERT_TRUE(b.memory().Read(range.start, theirs).ok());
      EXPECT_TRUE(ours == theirs) << range.start.value;
    }
    ASSERT_EQ(a.notes().size(), b.notes().size());
    for (size_t i = 0; i < a.notes().size(); ++i) {
      EXPECT_EQ(a.notes()[i].name, b.notes()[i].name);
      EXPECT_EQ(a.notes()[i].type, b.notes()[i].type);
      EXPECT_EQ(a.notes()[i].desc, b.notes()[i].desc) << a.notes()[i].name;
    }
  }

  static std::string FactOf(const Vmcore& core, const std::string& name) {
    for (const auto& [key, value] : core.facts()) {
      if (key == name) return value;
    }
    return "";
  }

  DumpedGuest dump_;
  std::ostringstream out_, err_;
};

TEST_F(ConvertCommandTest, ToKdumpAndBackMemoryAndNotesStayTheSame) {
  for (const std::string format : {"kdump-zlib", "kdump-zstd"}) {
    ASSERT_EQ(Run({dump_.path(), Path(format), "--format=" + format}), kExitFine) << err_.str();
    ASSERT_EQ(Run({Path(format), Path(format + ".elf")}), kExitFine) << err_.str();
    const auto original = Open(dump_.path()), kdump = Open(Path(format)), back = Open(Path(format + ".elf"));
    EXPECT_EQ(kdump->format(), VmcoreFormat::kKdump);
    EXPECT_EQ(FactOf(*kdump, "release"), LinuxGuest::kRelease);
    EXPECT_EQ(FactOf(*kdump, "dump level"), "1");
    EXPECT_EQ(back->format(), VmcoreFormat::kElf);
    ExpectEqual(*original, *kdump);
    ExpectEqual(*original, *back);
    EXPECT_EQ(back->elf()->phdrs.size(), original->elf()->phdrs.size());
  }
}

TEST_F(ConvertCommandTest, VmcoreInfoThatOnlyRamHasIsInEveryForm) {
  for (const char* const note : {"a damaged note", "no note"}) {
    dump_.ChangeNotes([&](std::vector<VmcoreNote>& notes) {
      for (VmcoreNote& n : notes) {
        if (n.name == "VMCOREINFO") n.desc = {'n', 'o', 'n', 'e'};
      }
      if (note == std::string("no note"))
        std::erase_if(notes, [](const VmcoreNote& n) { return n.name == "VMCOREINFO"; });
    });
    ASSERT_FALSE(Open(dump_.path())->vmcoreinfo().has_value());
    int number = 0;
    for (const std::string from : {"vmcore", "kdump"}) {
      if (from == "kdump") {
        ASSERT_EQ(Run({dump_.path(), Path(from), "--format=kdump-zlib"}), kExitFine);
      }
      for (const std::string format : {"elf", "kdump-zlib"}) {
        SCOPED_TRACE(absl::StrFormat("%s, %s to %s", note, from, format));
        const std::string out = Path(absl::StrFormat("out.%d", number++));
        ASSERT_EQ(Run({Path(from), out, "--format=" + format}), kExitFine) << err_.str();
        const auto core = Open(out);
        ASSERT_TRUE(core->vmcoreinfo().has_value());
        EXPECT_EQ(core->vmcoreinfo()->text(), dump_.guest().VmcoreInfoText());
        EXPECT_EQ(core->notes()[4].name, "VMCOREINFO") << "after CORE and QEMU of two CPUs";
        std::filesystem::remove(out);
      }
    }
    std::filesystem::remove(Path("kdump"));
  }
}

TEST_F(ConvertCommandTest, ANoteThatIsStrangeToUsIsKept) {
  dump_.ChangeNotes([](auto& notes) { notes[0].desc[40] = 0x7f; });
  ASSERT_EQ(Run({dump_.path(), Path("kdump"), "--format=kdump-zstd"}), kExitFine) << err_.str();
  ExpectEqual(*Open(dump_.path()), *Open(Path("kdump")));
}

TEST_F(ConvertCommandTest, TheResultIsToldInWordsOrJson) {
  ASSERT_EQ(Run({dump_.path(), Path("a"), "--format=kdump-zlib", "--level=0"}), kExitFine);
  EXPECT_THAT(out_.str(), HasSubstr(Path("a") + ": kdump-zlib, level 0, "));
  ASSERT_EQ(Run({dump_.path(), Path("b"), "--json"}), kExitFine);
  EXPECT_THAT(out_.str(), HasSubstr("\"format\": \"elf\""));
}

TEST_F(ConvertCommandTest, AFileThatIsThereIsNotTouched) {
  std::ofstream(Path("mine")) << "precious";
  EXPECT_EQ(Run({dump_.path(), Path("mine")}), kExitBadFile);
  EXPECT_THAT(err_.str(), HasSubstr("exists already"));
  EXPECT_EQ(Run({dump_.path(), dump_.path(), "--format=kdump-zstd"}), kExitBadFile);
  struct stat st = {};
  ASSERT_EQ(stat(Path("mine").c_str(), &st), 0);
  EXPECT_EQ(st.st_size, 8);
}

TEST_F(ConvertCommandTest, WhatCannotBeFilteredIsRefusedWithTheReason) {
  EXPECT_EQ(Run({dump_.path(), Path("x"), "--level=31"}), kExitBadFile);
  EXPECT_THAT(err_.str(), HasSubstr("VMCOREINFO has no usable SIZE(page)"));
  EXPECT_FALSE(Vmcore::Open(Path("x")).ok());
}

TEST_F(ConvertCommandTest, BadUsageSaysWhatIsRight) {
  EXPECT_EQ(Run({dump_.path(), Path("x"), "--format=lzo"}), kExitBadUsage);
  EXPECT_THAT(err_.str(), HasSubstr("must be elf, kdump-zlib or kdump-zstd"));
  EXPECT_EQ(Run({dump_.path(), Path("x"), "--level=2"}), kExitBadUsage);
  EXPECT_EQ(Run({dump_.path()}), kExitBadUsage);
  EXPECT_EQ(Run({dump_.path(), "/nowhere/at/all"}), kExitBadFile);
}

TEST_F(ConvertCommandTest, ADamagedInputLeavesNothing) {
  ASSERT_EQ(Run({dump_.path(), Path("kdump"), "--format=kdump-zstd"}), kExitFine);
  ASSERT_EQ(truncate(Path("kdump").c_str(), 60000), 0);
  EXPECT_EQ(Run({Path("kdump"), Path("out")}), kExitBadFile);
  EXPECT_FALSE(Vmcore::Open(Path("out")).ok());
}

}  // namespace
}  // namespace vmm
