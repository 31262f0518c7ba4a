#include <memory>
#include <string>

#include "dump/kernel/kernel_log.h"
#include "dump/kernel/testing/made_up_kernel.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr uint64_t kVariables = MadeUpKernel::kData + 0x100000;
constexpr uint32_t kBuffer = 64 << 20;
constexpr uint32_t kHeader = 16;

// The log_buf before Linux 5.10, of 64 MiB: 4 million records of 16 bytes without text. They were once all kept, in
// 581 MiB.
TEST(KernelLogBudgetTest, OfMillionsOfRecordsTheLastAreKept) {
  LinuxGuest guest({.ram = {{GuestAddr{0}, 160 << 20}}});
  MadeUpKernel kernel(guest, {});
  constexpr uint64_t kPlace = 80 << 20;
  std::string buffer(kBuffer, '\0');
  for (uint32_t at = 0; at < kBuffer; at += kHeader) {
    buffer[at] = static_cast<char>(at / kHeader % 100);
    buffer[at + 8] = kHeader;
  }
  guest.Put(GuestAddr{kPlace}, buffer);
  kernel.PutWord(kVariables, guest.page_offset() + kPlace);
  kernel.Put32(kVariables + 8, kBuffer);
  kernel.Put32(kVariables + 12, 0);
  kernel.Put32(kVariables + 16, kBuffer);
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
  const auto log = ReadKernelLog(kernel.memory(), StructLayout(&*info, nullptr), find);
  ASSERT_TRUE(log.ok()) << log.status();
  constexpr uint64_t kRecords = kBuffer / kHeader;
  EXPECT_EQ(log->size(), kMaxLogRecords);
  EXPECT_EQ(log->front().sequence, kRecords - kMaxLogRecords);
  EXPECT_EQ(log->back().sequence, kRecords - 1);
  EXPECT_EQ(log->back().time_ns, (kRecords - 1) % 100);
}

}  // namespace
}  // namespace vmm
