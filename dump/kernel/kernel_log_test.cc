#include "dump/kernel/kernel_log.h"

#include <gmock/gmock.h>

#include <cstring>

#include "absl/strings/str_format.h"
#include "dump/kernel/testing/made_up_kernel.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class KernelLogTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::vector<LogRecord>> Read(size_t max_records = SIZE_MAX) {
    const FoundKernel found = kernel_.Find();
    const auto find = [&](std::string_view name) { return found.vmcoreinfo->Symbol(name); };
    return ReadKernelLog(kernel_.memory(), StructLayout(&*found.vmcoreinfo, nullptr), find, max_records);
  }
  std::vector<std::string> Texts(size_t max_records = SIZE_MAX) {
    std::vector<std::string> texts;
    const auto log = Read(max_records);
    EXPECT_TRUE(log.ok()) << log.status();
    if (log.ok()) {
      for (const LogRecord& record : *log) texts.push_back(record.text);
    }
    return texts;
  }

  MadeUpKernel kernel_;
};

TEST_F(KernelLogTest, RecordsComeWithTimeAndLevel) {
  const auto log = Read();
  ASSERT_TRUE(log.ok()) << log.status();
  ASSERT_EQ(log->size(), 3u);
  EXPECT_EQ((*log)[1], (LogRecord{1, 1'234'567'891, 0, 6, std::nullopt, "two\nlines"}));
}

TEST_F(KernelLogTest, ARingThatHasGoneRoundBeginsWithTheOldestThatIsLeft) {
  for (int i = 0; i < 40; ++i) kernel_.Log(1, 6, absl::StrFormat("line %d", i));
  const std::vector<std::string> texts = Texts();
  ASSERT_EQ(texts.size(), 16u);
  EXPECT_EQ(texts.front(), "line 24");
  EXPECT_EQ(texts.back(), "line 39");
}

TEST_F(KernelLogTest, TextThatWouldPassTheEndOfTheRingLiesAtItsStart) {
  for (int i = 0; i < 9; ++i) kernel_.Log(1, 6, std::string(100, static_cast<char>('a' + i)));
  EXPECT_EQ(Texts().back(), std::string(100, 'i'));
}

TEST_F(KernelLogTest, OnlyTheLastFewAreReadWhereNoMoreAreWanted) {
  EXPECT_THAT(Texts(1), ElementsAre("Kernel panic - not syncing: sysrq triggered crash"));
}

TEST_F(KernelLogTest, ARecordThatIsBeingWrittenOrWasOverwrittenIsLeftOut) {
  const uint64_t id = (1ull << 62) - 16;
  kernel_.PutWord(MadeUpKernel::kDescs, id);  // reserved
  EXPECT_EQ(Texts().size(), 2u);
  kernel_.PutWord(MadeUpKernel::kDescs, id | 1ull << 62);  // committed
  EXPECT_EQ(Texts().size(), 3u);
  kernel_.PutWord(MadeUpKernel::kLogText, 77);  // another record's text
  EXPECT_EQ(Texts().size(), 2u);
}

TEST_F(KernelLogTest, ARingThatCannotBeReadIsNoEmptyOne) {
  kernel_.PutWord(MadeUpKernel::kRing + 16, 0xffff800000000000);  // the records' infos
  const auto log = Read();
  ASSERT_FALSE(log.ok());
  EXPECT_THAT(std::string(log.status().message()), HasSubstr("none of 3 records can be read"));
}

TEST_F(KernelLogTest, NumbersThatMakeNoSenseAreRefused) {
  kernel_.Put32(MadeUpKernel::kRing, 40);
  EXPECT_THAT(std::string(Read().status().message()), HasSubstr("2^40 descriptors"));
  kernel_.Put32(MadeUpKernel::kRing, 4);
  kernel_.PutWord(MadeUpKernel::kRing + 32, 12345);
  EXPECT_EQ(Read().status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(KernelLogTest, WithoutTheLayoutItSaysWhatIsMissing) {
  const auto find = [](std::string_view) { return std::optional<uint64_t>(MadeUpKernel::kData + 0x800); };
  const auto log = ReadKernelLog(kernel_.memory(), StructLayout(nullptr, nullptr), find);
  EXPECT_THAT(std::string(log.status().message()), HasSubstr("printk_ringbuffer.desc_ring"));
}

// The log_buf before Linux 5.10, with records of 16 bytes and their text.
class OldKernelLogTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kVariables = MadeUpKernel::kData + 0x100000;
  static constexpr uint64_t kBuffer = kVariables + 0x1000;
  static constexpr uint32_t kSize = 128;

  OldKernelLogTest() {
    kernel_.PutWord(kVariables, kBuffer);
    kernel_.Put32(kVariables + 8, kSize);
  }

  void Put(uint32_t at, std::string_view text, uint16_t length = 0) {
    if (length == 0) length = static_cast<uint16_t>(AlignUp(16 + text.size(), 4));
    kernel_.PutWord(kBuffer + at, 5'000'000);
    kernel_.Put32(kBuffer + at + 8, length | static_cast<uint32_t>(text.size()) << 16);
    kernel_.Put32(kBuffer + at + 12, 4u << 29);
    kernel_.Put(kBuffer + at + 16, text);
  }

  std::vector<std::string> Texts(uint32_t first, uint32_t next) {
    kernel_.Put32(kVariables + 12, first);
    kernel_.Put32(kVariables + 16, next);
    const auto info = VmcoreInfo::Parse(
        "OSRELEASE=5.4\nSIZE(printk_log)=16\nOFFSET(printk_log.ts_nsec)=0\nOFFSET(printk_log.len)=8\n"
        "OFFSET(printk_log.text_len)=10\nOFFSET(printk_log.dict_len)=12\n");
    const auto find = [](std::string_view name) -> std::optional<uint64_t> {
      if (name == "log_buf") return kVariables;
      if (name == "log_buf_len") return kVariables + 8;
      if (name == "log_first_idx") return kVariables + 12;
      if (name == "log_next_idx") return kVariables + 16;
      return std::nullopt;
    };
    std::vector<std::string> texts;
    const auto log = ReadKernelLog(kernel_.memory(), StructLayout(&*info, nullptr), find);
    EXPECT_TRUE(log.ok()) << log.status();
    if (!log.ok()) return {};
    for (const LogRecord& record : *log) {
      texts.push_back(record.text);
      EXPECT_EQ(record.level, 4);
      EXPECT_EQ(record.time_ns, 5'000'000u);
    }
    return texts;
  }

  MadeUpKernel kernel_;
};

TEST_F(OldKernelLogTest, RecordsFollowEachOther) {
  Put(0, "one");
  Put(20, "three");
  EXPECT_THAT(Texts(0, 44), ElementsAre("one", "three"));
  EXPECT_THAT(Texts(20, 44), ElementsAre("three"));
  EXPECT_THAT(Texts(20, 20), ElementsAre());
}

TEST_F(OldKernelLogTest, ARecordOfNoLengthMeansGoOnAtTheStart) {
  Put(80, "last");
  kernel_.PutWord(kBuffer + 100, 0);
  kernel_.PutWord(kBuffer + 108, 0);
  Put(0, "first");
  EXPECT_THAT(Texts(80, 24), ElementsAre("last", "first"));
}

TEST_F(OldKernelLogTest, LengthsThatLieEndTheLog) {
  Put(0, "good");
  Put(20, "bad", 7);
  EXPECT_THAT(Texts(0, 100), ElementsAre("good"));
  Put(20, "bad", 0xfff0);
  EXPECT_THAT(Texts(0, 100), ElementsAre("good"));
  kernel_.Put32(kBuffer + 20 + 8, 20 | 0xffff0000);  // more text than the record has room for
  EXPECT_EQ(Texts(0, 40).back().size(), 4u);
}

TEST(FormatLogRecordTest, ItIsAsDmesgPrintsIt) {
  LogRecord record{0, 1'234'567'891, 0, 6, std::nullopt, "two\nlines\x1b[2J\xc3\t."};
  EXPECT_EQ(FormatLogRecord(record), "[    1.234567] two\n               lines\\x1b[2J\\xc3\t.");
  record.time_ns = 123456'000'000'000;
  record.text = "";
  EXPECT_EQ(FormatLogRecord(record), "[123456.000000] ");
}

}  // namespace
}  // namespace vmm
