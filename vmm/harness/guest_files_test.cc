#include "vmm/harness/guest_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "vmm/harness/no_program.h"
#include "vmm/harness/program_archive.h"

namespace vmm {
namespace {

using testing::HasSubstr;

class GuestFilesTest : public testing::Test {
 protected:
  GuestFilesTest() : archive_(*CpioWriter::Create()), files_(archive_, HostLibraryFolders()) {}

  std::string Write(const std::string& name, const std::string& bytes, mode_t mode) {
    std::string path = AbsolutePath(testing::TempDir() + "/" + name);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    chmod(path.c_str(), mode);
    return path;
  }

  CpioWriter archive_;
  GuestFiles files_;
};

TEST_F(GuestFilesTest, AProgramBringsItsLoaderAndItsLibraries) {
  ASSERT_TRUE(files_.AddProgram("/bin/ls").ok());
  EXPECT_TRUE(archive_.Has("/bin/ls"));
  EXPECT_TRUE(archive_.Has("/lib64/ld-linux-x86-64.so.2"));
  EXPECT_TRUE(archive_.Has("/etc/ld.so.cache"));
  EXPECT_TRUE(archive_.Has("/lib/x86_64-linux-gnu/libc.so.6"));
}

TEST_F(GuestFilesTest, AScriptBringsItsInterpreterAndWhatEnvStarts) {
  const std::string script = Write("script", "#!/usr/bin/env -S bash -x\necho\n", 0755);
  const absl::Status added = files_.AddProgram(script);
  ASSERT_TRUE(added.ok()) << added;
  EXPECT_TRUE(archive_.Has(script));
  EXPECT_TRUE(archive_.Has("/usr/bin/env"));
  EXPECT_TRUE(archive_.Has("/usr/bin/bash"));
}

TEST_F(GuestFilesTest, WhatCannotRunIsToldWithTheCodeThatAShellHasForIt) {
  const struct {
    std::string path;
    NoProgram kind;
    std::string words;
  } cases[] = {
      {"/nowhere/program", NoProgram::kNotFound, "/nowhere/program: there is no such program"},
      {Write("plain", "#!/bin/sh\n", 0644), NoProgram::kCannotExecute, "is not executable; chmod +x"},
      {Write("text", "hello\n", 0755), NoProgram::kCannotExecute, "neither an ELF program nor a script"},
      {Write("empty", "", 0755), NoProgram::kCannotExecute, "neither an ELF program nor a script"},
      {Write("lost", "#!/nowhere/sh\n", 0755), NoProgram::kNotFound, "its interpreter /nowhere/sh"},
      {Write("lost-env", "#!/usr/bin/env no-such-thing\n", 0755), NoProgram::kNotFound, "no-such-thing"},
      {"/tmp", NoProgram::kCannotExecute, "/tmp"},
  };
  for (const auto& [path, kind, words] : cases) {
    const absl::Status added = files_.AddProgram(path);
    EXPECT_EQ(KindOfNoProgram(added), kind) << path << ": " << added;
    EXPECT_THAT(std::string(added.message()), HasSubstr(words)) << path;
  }
}

TEST_F(GuestFilesTest, AProgramForAnotherProcessorIsNamedWithIt) {
  std::string elf = *InputFile::Open("/bin/true")->ReadAll();
  elf[18] = static_cast<char>(183);  // e_machine: EM_AARCH64
  const absl::Status added = files_.AddProgram(Write("arm", elf, 0755));
  EXPECT_EQ(KindOfNoProgram(added), NoProgram::kCannotExecute);
  EXPECT_THAT(std::string(added.message()), HasSubstr("arm64"));
}

TEST_F(GuestFilesTest, AScriptThatIsItsOwnInterpreterEnds) {
  const std::string path = AbsolutePath(testing::TempDir() + "/ring");
  Write("ring", "#!" + path + "\n", 0755);
  EXPECT_TRUE(files_.AddProgram(path).ok());  // the kernel will refuse it: ELOOP
}

TEST_F(GuestFilesTest, AFolderComesWithAllBelowIt) {
  const std::string folder = AbsolutePath(testing::TempDir() + "/folder");
  std::system(("rm -rf " + folder + " && mkdir -p " + folder + "/a/b && echo 1 > " + folder +
               "/a/b/file && ln -s a/b/file " + folder + "/link && mkfifo " + folder + "/fifo")
                  .c_str());
  ASSERT_TRUE(files_.Add(folder, "/data").ok());
  EXPECT_TRUE(archive_.Has("/data/a/b/file"));
  EXPECT_TRUE(archive_.Has("/data/link"));
  EXPECT_FALSE(archive_.Has("/data/fifo"));
}

TEST_F(GuestFilesTest, AMissingFileIsNamed) {
  EXPECT_THAT(std::string(files_.Add("/nowhere", "/x").message()), HasSubstr("/nowhere: open: No such file"));
}

TEST(FindProgramTest, IsFoundAsAShellFindsIt) {
  EXPECT_EQ(*FindProgram("sh", "/nowhere:/bin"), "/bin/sh");
  EXPECT_EQ(*FindProgram("/a/./b/../c", ""), "/a/c");
  EXPECT_EQ(KindOfNoProgram(FindProgram("no-such-thing", "/bin:/usr/bin").status()), NoProgram::kNotFound);
}

TEST(ProgramArchiveTest, APlainProgramIsPackedInLessThanItsLibrariesAndAFewKib) {
  const auto archive = MakeProgramArchive({.words = {"/bin/true"}}, "/nowhere/kernel");
  ASSERT_TRUE(archive.ok()) << archive.status();
  EXPECT_LT(archive->size(), 8u << 20);
}

TEST(ProgramArchiveTest, TheCommandLineGetsAConsoleAndIsQuietUnlessItSaysOtherwise) {
  EXPECT_EQ(ProgramCommandLine("", false), "console=ttyS0 quiet");
  EXPECT_EQ(ProgramCommandLine("a=b", true), "a=b console=ttyS0");
  EXPECT_EQ(ProgramCommandLine("console=hvc0 loglevel=7", false), "console=hvc0 loglevel=7");
}

}  // namespace
}  // namespace vmm
