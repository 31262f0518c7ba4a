#include "dump/elf/core_check.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/guest_memory.h"
#include "dump/elf/core_writer.h"
#include "dump/testing/string_sink.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

class CoreCheckTest : public ::testing::Test {
 protected:
  CoreCheckTest() {
    const GuestRange ranges[] = {{GuestAddr{0}, 64 << 10}};
    memory_ = *GuestMemory::Create(ranges);
    const std::vector<CpuState> cpus(2);
    const std::vector<GuestRange> ram = memory_->Ranges();
    CoreContents contents;
    contents.cpus = cpus;
    contents.vmcoreinfo = "OSRELEASE=6.1.0\n";
    const std::vector<CoreNote> more = {{"MORE", 0, "abcd"}};
    contents.more_notes = more;
    contents.ram = ram;
    layout_ = *PlanCore(contents);
    StringSink sink;
    EXPECT_TRUE(WriteCore(layout_, *memory_, sink, nullptr).ok());
    file_ = sink.content();
  }

  absl::Status Check(const std::string& file) {
    const int fd = memfd_create("core", MFD_CLOEXEC);
    EXPECT_EQ(pwrite(fd, file.data(), file.size(), 0), static_cast<ssize_t>(file.size()));
    const absl::Status status = CheckCore(fd, layout_);
    close(fd);
    return status;
  }

  // The file with one byte changed.
  std::string With(size_t at, char byte) {
    std::string file = file_;
    file[at] = byte;
    return file;
  }

  std::unique_ptr<GuestMemory> memory_;
  CoreLayout layout_;
  std::string file_;
};

TEST_F(CoreCheckTest, WhatWasPlannedAndWrittenPasses) { EXPECT_TRUE(Check(file_).ok()) << Check(file_); }

TEST_F(CoreCheckTest, EachByteBehindTheElfHeaderCounts) {
  int ignored = 0;
  for (size_t at = 64; at < layout_.header.size(); ++at) {
    ignored += Check(With(at, static_cast<char>(file_[at] ^ 0x20))).ok();
  }
  EXPECT_EQ(ignored, 5 * 3 + 1) << "what pads the names of five notes to 8 bytes, and of VMCOREINFO to 12";
}

TEST_F(CoreCheckTest, TheFirstDifferenceIsNamed) {
  const size_t notes = layout_.phdrs[0].p_offset;
  const struct {
    std::string file, error;
  } cases[] = {
      {With(0, 'x'), "libelf"},
      {With(16, ET_EXEC), "no x86_64 core"},
      {With(32, 0x78), "program header"},
      {With(56, 2), "program headers, planned were 3"},
      {With(64 + 56 + 48, 0x10), "program header 1"},
      {With(notes + 12, 'X'), "note CORE"},
      {With(notes + 20 + 112, 1), "note CORE"},
      {With(notes + 2 * 356 + 12, 'X'), "note QEMU"},
      {With(notes + 2 * 356 + 2 * 460 + 24, 'X'), "note VMCOREINFO"},
      {file_.substr(0, file_.size() - 1), "bytes, planned were"},
      {file_ + "x", "bytes, planned were"},
      {"", "bytes, planned were"},
  };
  for (const auto& c : cases) {
    const absl::Status status = Check(c.file);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.error));
  }
}

TEST_F(CoreCheckTest, AHeaderThatWasNeverWrittenIsNoted) {
  std::string file = file_;
  file.replace(0, kPageSize, std::string(kPageSize, '\0'));
  EXPECT_FALSE(Check(file).ok());
}

}  // namespace
}  // namespace vmm
