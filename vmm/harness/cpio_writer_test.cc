#include "vmm/harness/cpio_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <string>

#include "base/bytes.h"

namespace vmm {
namespace {

using testing::HasSubstr;

// What busybox's cpio makes of an archive with `options`.
std::string Cpio(const std::string& archive, const std::string& options) {
  const std::string path = testing::TempDir() + "/archive.cpio";
  std::ofstream(path, std::ios::binary) << archive;
  const std::string command = "cd " + testing::TempDir() + " && busybox cpio " + options + " < " + path + " 2>&1";
  FILE* const pipe = popen(command.c_str(), "r");
  std::string output;
  std::array<char, 4096> buffer;
  while (const size_t got = fread(buffer.data(), 1, buffer.size(), pipe)) output.append(buffer.data(), got);
  pclose(pipe);
  return output;
}

class CpioWriterTest : public testing::Test {
 protected:
  CpioWriterTest() : writer_(*CpioWriter::Create()) {}

  std::string Finish() {
    absl::StatusOr<InputFile> file = writer_.Finish();
    EXPECT_TRUE(file.ok()) << file.status();
    return *file->ReadAll();
  }

  CpioWriter writer_;
};

TEST_F(CpioWriterTest, AnotherProgramReadsEveryKindOfEntry) {
  ASSERT_TRUE(writer_.AddBytes("/usr/bin/tool", BytesOfText("#!/bin/sh\n"), 0755).ok());
  ASSERT_TRUE(writer_.AddFolder("/tmp", 01777).ok());
  ASSERT_TRUE(writer_.AddLink("/bin", "usr/bin").ok());
  ASSERT_TRUE(writer_.AddDevice("/dev/console", 5, 1, 0600).ok());
  ASSERT_TRUE(writer_.AddBytes("/empty", {}, 0644).ok());
  const std::string listing = Cpio(Finish(), "-tv");
  EXPECT_THAT(listing, HasSubstr("drwxr-xr-x"));
  EXPECT_THAT(listing, HasSubstr("-rwxr-xr-x"));
  EXPECT_THAT(listing, HasSubstr("usr/bin/tool"));
  EXPECT_THAT(listing, HasSubstr("drwxrwxrwt"));
  EXPECT_THAT(listing, HasSubstr("bin -> usr/bin"));
  EXPECT_THAT(listing, HasSubstr("crw-------"));
  EXPECT_THAT(listing, HasSubstr("empty"));
}

TEST_F(CpioWriterTest, BytesComeOutAsTheyWentIn) {
  std::string bytes;
  for (int i = 0; i < 70001; ++i) bytes += static_cast<char>(i * 7);
  ASSERT_TRUE(writer_.AddBytes("/a", BytesOfText("x"), 0644).ok());
  ASSERT_TRUE(writer_.AddBytes("/data", BytesOfText(bytes), 0644).ok());
  const std::string archive = Finish();
  EXPECT_EQ(archive.size() % 512, 0u);
  Cpio(archive, "-i -u");
  std::ifstream extracted(testing::TempDir() + "/data", std::ios::binary);
  EXPECT_TRUE(std::string(std::istreambuf_iterator<char>(extracted), {}) == bytes);
}

TEST_F(CpioWriterTest, FoldersAboveAnEntryAreMadeOnce) {
  ASSERT_TRUE(writer_.AddBytes("/a/b/c", {}, 0644).ok());
  ASSERT_TRUE(writer_.AddBytes("/a/b/d", {}, 0644).ok());
  EXPECT_EQ(Cpio(Finish(), "-t").substr(0, 18), "a\na/b\na/b/c\na/b/d\n");
}

TEST_F(CpioWriterTest, TwoThingsAtOnePathAreRefused) {
  ASSERT_TRUE(writer_.AddBytes("/init", {}, 0644).ok());
  const absl::Status second = writer_.AddBytes("/init", {}, 0644);
  EXPECT_EQ(second.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(second.message()), HasSubstr("/init"));
}

TEST_F(CpioWriterTest, PathsThatLeaveTheArchiveAreRefused) {
  for (const char* path : {"relative", "/", "/a/../b", "/a/./b", "/a//b", "/a/", "/.."}) {
    EXPECT_EQ(writer_.AddBytes(path, {}, 0644).code(), absl::StatusCode::kInvalidArgument) << path;
  }
  EXPECT_EQ(writer_.AddBytes("/" + std::string(4096, 'x'), {}, 0644).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace vmm
