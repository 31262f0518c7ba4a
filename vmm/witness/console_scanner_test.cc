#include "vmm/witness/console_scanner.h"

#include <random>

#include "gtest/gtest.h"

namespace vmm {
namespace {

// A scanner whose clock stands at 3 s, and the witnesses that it reported.
struct Scanned {
  std::vector<ConsoleWitness> told;
  ConsoleScanner scanner{[] { return absl::Seconds(3); }, [this](const ConsoleWitness& it) { told.push_back(it); }};

  void Print(std::string_view text) {
    scanner.Scan(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
  }
};

TEST(ConsoleScannerTest, APanicIsToldWithItsLineAndTime) {
  Scanned console;
  console.Print("[    1.5] Kernel panic - not syncing: VFS: Unable to mount root fs\r\nnext");
  ASSERT_EQ(console.told.size(), 1);
  EXPECT_EQ(console.told[0].sign, KernelSign::kPanic);
  EXPECT_EQ(console.told[0].line, "[    1.5] Kernel panic - not syncing: VFS: Unable to mount root fs");
  EXPECT_EQ(console.told[0].at, absl::Seconds(3));
}

TEST(ConsoleScannerTest, ASignIsFoundHoweverTheBytesAreCut) {
  const std::string_view line = "[    2.0] watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [sh:1]\n";
  for (size_t cut = 0; cut <= line.size(); ++cut) {
    Scanned console;
    console.Print(line.substr(0, cut));
    console.Print(line.substr(cut));
    ASSERT_EQ(console.told.size(), 1) << cut;
    EXPECT_EQ(console.told[0].sign, KernelSign::kSoftLockup) << cut;
  }
}

TEST(ConsoleScannerTest, ALineInALineOfUserSpaceIsFound) {
  Scanned console;
  console.Print("login: [    9.1] BUG: kernel NULL pointer dereference, address: 0000000000000000\n");
  ASSERT_EQ(console.told.size(), 1);
  EXPECT_EQ(console.told[0].sign, KernelSign::kOops);
}

TEST(ConsoleScannerTest, ColoursAndControlCharactersAreTakenOut) {
  Scanned console;
  console.Print("\x1b[1;31mKernel \x07panic - not syncing\x1b[0m: x\n");
  ASSERT_EQ(console.told.size(), 1);
  EXPECT_EQ(console.told[0].line, "Kernel panic - not syncing: x");
}

TEST(ConsoleScannerTest, ASignBeyondTheLongestLineIsFoundOnce) {
  for (size_t before = 900; before < 2200; before += 7) {
    Scanned console;
    console.Print(std::string(before, 'x') + "[    1.500000] Kernel panic - not syncing: far out" +
                  std::string(3000, 'y') + "\n");
    EXPECT_EQ(console.told.size(), 1) << before;
  }
}

TEST(ConsoleScannerTest, WordsWithinALineAreNoneHoweverLongItIs) {
  for (size_t before = 1; before < 2200; before += 7) {
    Scanned console;
    console.Print(std::string(before, 'x') + "Kernel panic - not syncing: an old log" + std::string(3000, 'y') + "\n");
    EXPECT_TRUE(console.told.empty()) << before;
  }
}

TEST(ConsoleScannerTest, ACarriageReturnBeginsALineToo) {
  Scanned console;
  console.Print("50 %\rKernel panic - not syncing: x\r\n");
  ASSERT_EQ(console.told.size(), 1);
  EXPECT_EQ(console.told[0].line, "Kernel panic - not syncing: x");
}

TEST(ConsoleScannerTest, BytesThatAreNoTextAreWrittenOut) {
  Scanned console;
  console.Print("\xff\xfe\x9b\xc2\x9b\n[    1.500000] INFO: task sh\xff\xfe:12 blocked for more than 120 seconds.\n");
  ASSERT_EQ(console.told.size(), 1);
  EXPECT_EQ(console.told[0].line, "[    1.500000] INFO: task sh\\xff\\xfe:12 blocked for more than 120 seconds.");
}

TEST(ConsoleScannerTest, ATaskNamedLikeAColourDoesNotHideItsHang) {
  Scanned console;
  console.Print("[    1.500000] INFO: task \x1b[:12 blocked for more than 120 seconds.\n");
  ASSERT_EQ(console.told.size(), 1);
  EXPECT_EQ(console.told[0].sign, KernelSign::kHungTask);
}

TEST(ConsoleScannerTest, ALineOfBytesThatAreNoTextIsKeptWithinTheLimit) {
  Scanned console;
  console.Print("[    1.500000] Kernel panic - not syncing: " + std::string(900, '\xff') + "\n");
  ASSERT_EQ(console.told.size(), 1);
  EXPECT_LE(console.told[0].line.size(), ConsoleScanner::kMaxLine);
}

TEST(ConsoleScannerTest, ALastLineWithoutANewlineCountsAtTheEnd) {
  Scanned console;
  console.Print("Kernel panic - not syncing: cut o");
  EXPECT_TRUE(console.told.empty());
  console.scanner.Finish();
  EXPECT_EQ(console.told.size(), 1);
}

TEST(ConsoleScannerTest, AGuestThatWarnsForEverIsCountedAndNotKept) {
  Scanned console;
  for (int i = 0; i < 1000; ++i) console.Print("WARNING: CPU: 0 PID: 1 at kernel/x.c:1 f+0x1/0x2\n");
  EXPECT_EQ(console.scanner.seen(), 1000);
  EXPECT_EQ(console.scanner.witnesses().size(), ConsoleScanner::kMaxKept);
}

TEST(ConsoleScannerTest, AnyBytesAreTaken) {
  std::mt19937_64 random(20261120);
  const std::string_view pieces[] = {"Kernel panic", " - not syncing", "BUG: ", "\n", "\x1b[", "\r", "INFO: task "};
  Scanned console;
  for (int i = 0; i < 200'000; ++i) {
    if (random() % 4 == 0) {
      console.Print(pieces[random() % std::size(pieces)]);
    } else {
      const char byte = static_cast<char>(random());
      console.Print({&byte, 1});
    }
  }
  EXPECT_LE(console.scanner.witnesses().size(), ConsoleScanner::kMaxKept);
  for (const ConsoleWitness& witness : console.scanner.witnesses()) {
    EXPECT_LE(witness.line.size(), ConsoleScanner::kMaxLine);
  }
}

}  // namespace
}  // namespace vmm
