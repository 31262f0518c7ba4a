// The oracle is ldd, which lets the host's own dynamic loader list what it finds.
#include "vmm/harness/library_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>

#include "absl/strings/str_split.h"
#include "vmm/harness/elf_needs.h"

namespace vmm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string Shell(const std::string& command) {
  FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
  std::string output;
  std::array<char, 4096> buffer;
  while (const size_t got = fread(buffer.data(), 1, buffer.size(), pipe)) output.append(buffer.data(), got);
  pclose(pipe);
  return output;
}

// The paths in lines like "libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x...)".
std::set<std::string> AskLdd(const std::string& program) {
  std::set<std::string> paths;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(Shell("ldd " + program), '\n'))) {
    const std::vector<std::string> words = absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    if (words.size() > 2 && words[1] == "=>") paths.insert(words[2]);
  }
  return paths;
}

std::set<std::string> Found(const std::string& program) {
  const absl::StatusOr<std::vector<std::string>> found = FindLibraries(program, HostLibraryFolders());
  EXPECT_TRUE(found.ok()) << found.status();
  return found.ok() ? std::set<std::string>(found->begin(), found->end()) : std::set<std::string>();
}

class LibrarySearchTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "/libraries-" + testing::UnitTest::GetInstance()->current_test_info()->name();
    Shell("rm -rf " + folder_ + " && mkdir -p " + folder_ + "/inner " + folder_ + "/other");
  }

  // Builds a library or program in the test's folder; `options` as for gcc, $ as such.
  void Build(const std::string& output, const std::string& source, const std::string& options) {
    std::ofstream(folder_ + "/source.c") << source;
    const std::string said = Shell("cd " + folder_ + " && gcc -o " + output + " source.c " + options);
    ASSERT_EQ(said, "") << output;
  }

  std::string folder_;
};

TEST_F(LibrarySearchTest, FindsWhatTheHostsLoaderFinds) {
  for (const char* program :
       {"/bin/ls", "/bin/bash", "/usr/bin/python3", "/usr/bin/gdb", "/usr/bin/qemu-system-x86_64"}) {
    if (access(program, X_OK) != 0) continue;
    EXPECT_EQ(Found(program), AskLdd(program)) << program;
  }
}

TEST_F(LibrarySearchTest, RunpathWithOriginIsFollowedForEachFileAlone) {
  Build("inner/libinner.so", "int inner(void) { return 1; }", "-shared -fPIC");
  Build("libouter.so", "int inner(void); int outer(void) { return inner(); }",
        "-shared -fPIC -Linner -linner -Wl,--enable-new-dtags,-rpath,'$ORIGIN/inner'");
  Build("program", "int outer(void); int main(void) { return outer(); }",
        "-L. -louter -Wl,-rpath-link,inner -Wl,--enable-new-dtags,-rpath,'$ORIGIN'");
  EXPECT_EQ(Found(folder_ + "/program"), AskLdd(folder_ + "/program"));
  EXPECT_EQ(Found(folder_ + "/program").count(folder_ + "/inner/libinner.so"), 1u);
}

TEST_F(LibrarySearchTest, RpathCountsForTheLibrariesBelowToo) {
  Build("inner/libinner.so", "int inner(void) { return 1; }", "-shared -fPIC");
  Build("libouter.so", "int inner(void); int outer(void) { return inner(); }", "-shared -fPIC -Linner -linner");
  Build("program", "int outer(void); int main(void) { return outer(); }",
        "-L. -louter -Wl,-rpath-link,inner -Wl,--disable-new-dtags,-rpath,'$ORIGIN:$ORIGIN/inner'");
  EXPECT_EQ(Found(folder_ + "/program"), AskLdd(folder_ + "/program"));
}

TEST_F(LibrarySearchTest, AMissingLibraryIsNamedAndSoIsTheFileThatNeedsIt) {
  Build("libouter.so", "int outer(void) { return 1; }", "-shared -fPIC");
  Build("program", "int outer(void); int main(void) { return outer(); }", "-L. -louter");
  const auto found = FindLibraries(folder_ + "/program", HostLibraryFolders());
  EXPECT_EQ(found.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(found.status().message()), HasSubstr("/program needs the library libouter.so"));
}

TEST_F(LibrarySearchTest, TheEnvironmentsFoldersAreSearched) {
  Build("other/libouter.so", "int outer(void) { return 1; }", "-shared -fPIC");
  Build("program", "int outer(void); int main(void) { return outer(); }", "-Lother -louter");
  LibraryFolders folders = HostLibraryFolders();
  folders.environment = {folder_ + "/other"};
  const auto found = FindLibraries(folder_ + "/program", folders);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(*found, testing::Contains(folder_ + "/other/libouter.so"));
}

TEST_F(LibrarySearchTest, AStaticProgramNeedsNothing) {
  Build("program", "int main(void) { return 0; }", "-static");
  const auto needs = ReadElfNeeds(*InputFile::Open(folder_ + "/program"));
  ASSERT_TRUE(needs.ok()) << needs.status();
  EXPECT_EQ(needs->interpreter, "");
  EXPECT_THAT(needs->needed, IsEmpty());
}

TEST_F(LibrarySearchTest, TheHeadersOfALibraryAreRead) {
  Build("liba.so", "int puts(const char*); int a(void) { return puts(\"\"); }",
        "-shared -fPIC -Wl,-soname,liba.so.3 -Wl,--enable-new-dtags,-rpath,/x");
  const auto needs = ReadElfNeeds(*InputFile::Open(folder_ + "/liba.so"));
  ASSERT_TRUE(needs.ok()) << needs.status();
  EXPECT_EQ(needs->soname, "liba.so.3");
  EXPECT_EQ(needs->runpath, "/x");
  EXPECT_THAT(needs->needed, ElementsAre("libc.so.6"));
}

TEST_F(LibrarySearchTest, ADamagedElfFileIsAnErrorWhereverItIsCutOrSpoiled) {
  const std::string good = *InputFile::Open("/bin/ls")->ReadAll();
  const std::string path = folder_ + "/damaged";
  for (size_t size = 4; size < 1200; size += 13) {
    std::ofstream(path, std::ios::binary) << good.substr(0, size);
    EXPECT_FALSE(ReadElfNeeds(*InputFile::Open(path)).ok()) << size;
  }
  for (size_t at = 4; at < 1200; ++at) {  // must end; what it answers is not said
    std::string spoiled = good;
    spoiled[at] = static_cast<char>(0xff);
    std::ofstream(path, std::ios::binary) << spoiled;
    ReadElfNeeds(*InputFile::Open(path)).IgnoreError();
  }
}

TEST(LoaderCacheTest, ACacheThatIsCutOffGivesWhatIsThere) {
  const absl::StatusOr<InputFile> file = InputFile::Open("/etc/ld.so.cache");
  if (!file.ok()) GTEST_SKIP() << "this host has no /etc/ld.so.cache";
  const std::string whole = *file->ReadAll();
  EXPECT_EQ(ReadLoaderCache(whole).count("libc.so.6"), 1u);
  for (size_t size = 0; size < whole.size(); size += 37) ReadLoaderCache(whole.substr(0, size));
  EXPECT_THAT(ReadLoaderCache("ld.so-1.7.0"), IsEmpty());
}

}  // namespace
}  // namespace vmm
