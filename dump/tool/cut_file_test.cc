// Every command recognizes a file that is cut short, whoever wrote it and wherever it ends.
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "absl/strings/str_format.h"
#include "dump/abi/kdump_abi.h"
#include "dump/kernel/testing/made_up_kernel.h"
#include "dump/read/vmcore.h"
#include "dump/testing/cloud_hypervisor_core.h"
#include "dump/testing/dumped_guest.h"
#include "dump/tool/commands.h"
#include "dump/tool/run_tool.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Json = nlohmann::json;

constexpr const char* kMakedumpfile = "/usr/bin/makedumpfile";
constexpr uint64_t kFilled = 0x2800000;  // pages of noise, which no compressor makes much smaller
constexpr uint64_t kFilledPages = 300;
constexpr uint64_t kRam = 48 << 20;

void AppendBigEndian(std::string& out, uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift);
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteFile(const std::string& path, std::string_view bytes) { std::ofstream(path, std::ios::binary) << bytes; }

class CutFileTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    dump_ = new DumpedGuest({.ram = {{GuestAddr{0}, kRam}}}, [](LinuxGuest& guest) {
      MadeUpKernel kernel(guest, {});
      std::mt19937_64 random(5);
      for (uint64_t at = 0; at < kFilledPages * kPageSize; at += 8) guest.PutWord(GuestAddr{kFilled + at}, random());
    });
    WriteFile(Path("cloud-hypervisor"), CloudHypervisorCore(dump_->guest().snapshot()));
    struct : CutFileTest {
      void TestBody() override {}
    } make;
    for (const std::string format : {"kdump-zlib", "kdump-zstd"}) {
      EXPECT_EQ(make.Run({"convert", dump_->path(), Path(format), "--format=" + format}), kExitFine);
    }
    for (const std::string from : {"vmcore", "kdump-zlib"}) Flatten(Path(from), Path("flat-" + from));
  }
  static void TearDownTestSuite() { delete dump_; }

  static std::string Path(const std::string& name) { return dump_->folder() + "/" + name; }

  static void Flatten(const std::string& from, const std::string& to) {
    const std::string bytes = ReadFile(from);
    std::string flat(kFlatSignature, sizeof(kFlatSignature));
    flat.resize(kFlatHeaderSize);
    constexpr size_t kRecord = 100'000;
    for (size_t at = 0; at < bytes.size(); at += kRecord) {
      const std::string part = bytes.substr(at, kRecord);
      AppendBigEndian(flat, at);
      AppendBigEndian(flat, part.size());
      flat += part;
    }
    AppendBigEndian(flat, ~0ull);
    AppendBigEndian(flat, ~0ull);
    WriteFile(to, flat);
  }

  int Run(const std::vector<std::string>& arguments) {
    out_.str("");
    err_.str("");
    return RunTool(AllCommands(), arguments, out_, err_);
  }

  // Makes a file of the first `size` bytes of the file `name`.
  static std::string Cut(const std::string& name, uint64_t size) {
    std::filesystem::copy_file(Path(name), Path("cut"), std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(Path("cut"), size);
    return Path("cut");
  }
  static uint64_t SizeOf(const std::string& name) { return std::filesystem::file_size(Path(name)); }

  // Checks that each page is the one that was dumped, or an error. Returns the number of pages that are there.
  static uint64_t PagesThatAreThere(const Vmcore& core) {
    uint64_t there = 0;
    std::vector<uint8_t> found(kPageSize), expected(kPageSize);
    for (uint64_t page = 0; page < kFilledPages; ++page) {
      const GuestAddr at{kFilled + page * kPageSize};
      if (!core.memory().Read(at, found).ok()) continue;
      EXPECT_TRUE(dump_->guest().memory().Read(at, expected).ok());
      EXPECT_TRUE(found == expected) << "page " << page << " is another";
      ++there;
    }
    return there;
  }

  bool CheckSaysTruncated(const std::string& path) {
    EXPECT_EQ(Run({"check", path, "--json"}), kExitBadFile);
    const Json json = Json::parse(out_.str());
    for (const auto& [reader, entry] : json["readable_by"].items()) EXPECT_FALSE(entry["readable"]) << reader;
    return json["findings"][0]["rule"] == "truncated";
  }

  // Checks the behaviour of every command on a file that was cut anywhere after its signature.
  void ExpectKnownAsCut(const std::string& path) {
    EXPECT_TRUE(CheckSaysTruncated(path)) << out_.str();
    EXPECT_THAT(err_.str(), StartsWith("vmcore check: " + path + " is cut short: "));
    EXPECT_EQ(Run({"info", path}), kExitBadFile);
    EXPECT_THAT(err_.str(), StartsWith("vmcore info: " + path + " is cut short: "));

    const auto core = Vmcore::Open(path);
    const uint64_t there = core.ok() ? PagesThatAreThere(**core) : 0;
    for (const std::string format : {"elf", "kdump-zlib"}) {
      std::filesystem::remove(Path("out"));
      EXPECT_EQ(Run({"convert", path, Path("out"), "--format=" + format}), kExitBadFile);
      EXPECT_THAT(err_.str(), StartsWith("vmcore convert: " + path + " is cut short: "));
      if (!std::filesystem::exists(Path("out"))) {
        EXPECT_EQ(there, 0u) << err_.str();
        continue;
      }
      const auto out = Vmcore::Open(Path("out"));
      ASSERT_TRUE(out.ok()) << out.status();
      EXPECT_EQ((*out)->memory().Ranges(), (*core)->memory().Ranges());
      EXPECT_EQ((*out)->missing_ram(), (*core)->missing_ram());
      EXPECT_EQ(PagesThatAreThere(**out), there);
      // If a flattened file lacks only its end record, all RAM is there.
      if (!(*core)->missing_ram().empty()) {
        EXPECT_TRUE(CheckSaysTruncated(Path("out"))) << out_.str();
      }
      EXPECT_EQ((*out)->cut_short().has_value(), !(*core)->missing_ram().empty());
    }
  }

  static DumpedGuest* dump_;
  std::ostringstream out_, err_;
};
DumpedGuest* CutFileTest::dump_ = nullptr;

constexpr int kPercents[] = {50, 90, 95, 99};
const char* const kForms[] = {"vmcore",     "cloud-hypervisor", "kdump-zlib",
                              "kdump-zstd", "flat-vmcore",      "flat-kdump-zlib"};

TEST_F(CutFileTest, AWholeFileIsNotKnownAsCut) {
  for (const char* const form : kForms) {
    Run({"check", Path(form), "--json"});
    EXPECT_THAT(out_.str(), Not(HasSubstr("truncated"))) << form;
    EXPECT_EQ(err_.str(), "") << form;
    const auto core = Vmcore::Open(Path(form));
    ASSERT_TRUE(core.ok()) << core.status();
    EXPECT_EQ(PagesThatAreThere(**core), kFilledPages) << form;
    EXPECT_EQ(Run({"compare", Path("vmcore"), Path(form), "--memory"}), kExitFine) << form << out_.str();
  }
}

TEST_F(CutFileTest, AtAnyShareOfItsBytes) {
  for (const char* const form : kForms) {
    for (const int percent : kPercents) {
      SCOPED_TRACE(absl::StrFormat("%s, %d %%", form, percent));
      ExpectKnownAsCut(Cut(form, SizeOf(form) * static_cast<uint64_t>(percent) / 100));
    }
    SCOPED_TRACE(form);
    ExpectKnownAsCut(Cut(form, SizeOf(form) - 1));
  }
}

TEST_F(CutFileTest, AnElfCoreAtEachOfItsParts) {
  const Elf64_Phdr notes = dump_->phdrs()[0];
  const uint64_t data = dump_->phdrs().back().p_offset;
  for (const uint64_t size : {uint64_t{20}, uint64_t{64}, uint64_t{100}, notes.p_offset, notes.p_offset + 400,
                              notes.p_offset + notes.p_filesz, data, data + 1, data + 5 * kPageSize}) {
    SCOPED_TRACE(size);
    ExpectKnownAsCut(Cut("vmcore", size));
  }
}

TEST_F(CutFileTest, AKdumpFileAtEachOfItsParts) {
  const std::string bytes = ReadFile(Path("kdump-zlib"));
  DiskDumpHeader header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  const uint64_t bitmaps = (1 + static_cast<uint64_t>(header.sub_hdr_size)) * kPageSize;
  const uint64_t half = header.bitmap_blocks * kPageSize / 2, descs = bitmaps + 2 * half;
  const uint64_t data = descs + kRam / kPageSize * sizeof(PageDesc);
  for (const uint64_t size : {uint64_t{100}, uint64_t{4096}, uint64_t{4096 + 50}, uint64_t{4096 + 104 + 300}, bitmaps,
                              bitmaps + 10, bitmaps + half, bitmaps + half + 10, descs, descs + 24 * 100 + 7, data,
                              data + 10, data + kPageSize, data + kPageSize + 10}) {
    SCOPED_TRACE(size);
    ExpectKnownAsCut(Cut("kdump-zlib", size));
  }
}

TEST_F(CutFileTest, AFlattenedFileAtEachOfItsParts) {
  constexpr uint64_t kFirst = kFlatHeaderSize + sizeof(FlatRecord);
  for (const char* const form : {"flat-vmcore", "flat-kdump-zlib"}) {
    for (const uint64_t size : {uint64_t{100}, kFlatHeaderSize, kFlatHeaderSize + 5, kFirst, kFirst + 4, kFirst + 5000,
                                kFirst + 100'000, kFirst + 100'000 + 8, kFirst + 100'000 + 16,
                                SizeOf(form) - sizeof(FlatRecord), SizeOf(form) - sizeof(FlatRecord) - 1}) {
      SCOPED_TRACE(absl::StrFormat("%s, %d", form, size));
      ExpectKnownAsCut(Cut(form, size));
    }
  }
}

TEST_F(CutFileTest, EveryCommandSaysSoFirstAndItsJsonToo) {
  for (const char* const form : kForms) {
    const std::string cut = Cut(form, SizeOf(form) * 97 / 100);
    for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
             {"info", cut},
             {"check", cut},
             {"dmesg", cut},
             {"report", cut},
             {"compare", cut, dump_->path(), "--memory"},
             {"compare", cut, cut},
             {"convert", cut, Path("converted")},
             {"vmcs", cut},
             {"guest", cut},
         }) {
      SCOPED_TRACE(absl::StrFormat("%s of %s", command[0], form));
      const std::string sentence = cut + " is cut short: ";
      EXPECT_EQ(Run(command), kExitBadFile);
      EXPECT_THAT(err_.str(), StartsWith("vmcore " + command[0] + ": " + sentence));
      EXPECT_THAT(err_.str(), HasSubstr("missing"));
      std::filesystem::remove(Path("converted"));
      std::vector<std::string> with_json = command;
      with_json.push_back("--json");
      EXPECT_EQ(Run(with_json), kExitBadFile);
      EXPECT_THAT(Json::parse(out_.str())["cut_short"][0].get<std::string>(), StartsWith(sentence));
      std::filesystem::remove(Path("converted"));
    }
  }
}

TEST_F(CutFileTest, WhatIsThereIsStillRead) {
  // The noise comes after the kernel, so the kernel's log and stacks are there.
  for (const char* const form : kForms) {
    SCOPED_TRACE(form);
    const std::string cut = Cut(form, SizeOf(form) * (form == std::string("vmcore") ? 90 : 97) / 100);
    EXPECT_EQ(Run({"dmesg", cut}), kExitBadFile);
    EXPECT_THAT(out_.str(), HasSubstr("sysrq triggered crash"));
    EXPECT_EQ(Run({"report", cut, "--brief"}), kExitBadFile);
    EXPECT_THAT(out_.str(), HasSubstr("panicked: sysrq triggered crash"));
    EXPECT_THAT(out_.str(), HasSubstr("is cut short: "));
  }
}

TEST_F(CutFileTest, ALogThatIsMissingIsNoEmptyLog) {
  // VMCOREINFO and the page tables lie below 16 MiB. The kernel's data, with the log, lies above.
  const std::string cut = Cut("vmcore", dump_->phdrs().back().p_offset + LinuxGuest::kImagePhys);
  EXPECT_EQ(Run({"dmesg", cut}), kExitBadFile);
  EXPECT_EQ(out_.str(), "");
  EXPECT_THAT(err_.str(), HasSubstr("is cut short: its RAM should reach byte "));
}

TEST_F(CutFileTest, MakedumpfilesFilesToo) {
  // Of a core with no VMCOREINFO note, because the made-up kernel's has less than makedumpfile expects of one.
  if (access(kMakedumpfile, X_OK) != 0) GTEST_SKIP() << "there is no " << kMakedumpfile;
  for (const std::string options : {"-c -d 1", "-l -d 1", "-d 0", "-E -d 0", "-F -c -d 1", "-F -E -d 0"}) {
    SCOPED_TRACE(options);
    std::filesystem::remove(Path("theirs"));
    const std::string to = options.starts_with("-F") ? ">" + Path("theirs") : Path("theirs") + " >/dev/null";
    const std::string command =
        absl::StrFormat("%s %s %s %s 2>%s", kMakedumpfile, options, Path("cloud-hypervisor"), to, Path("log"));
    ASSERT_EQ(std::system(command.c_str()), 0) << ReadFile(Path("log"));
    const auto whole = Vmcore::Open(Path("theirs"));
    ASSERT_TRUE(whole.ok()) << whole.status();
    EXPECT_FALSE((*whole)->cut_short().has_value()) << (*whole)->cut_short()->Text();
    EXPECT_EQ(PagesThatAreThere(**whole), kFilledPages);
    for (const int percent : kPercents) {
      SCOPED_TRACE(percent);
      ExpectKnownAsCut(Cut("theirs", SizeOf("theirs") * static_cast<uint64_t>(percent) / 100));
    }
    ExpectKnownAsCut(Cut("theirs", SizeOf("theirs") - 1));
  }
}

}  // namespace
}  // namespace vmm
