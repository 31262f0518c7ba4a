// Compares the worked example of docs/abi/vmcore.md with the dump that this test writes.
#include <gmock/gmock.h>

#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "dump/testing/dumped_guest.h"
#include "dump/testing/repository_file.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

class WorkedExampleTest : public ::testing::Test {
 protected:
  WorkedExampleTest() {
    const std::string page = RepositoryFile("docs/abi/vmcore.md");
    const size_t start = page.find("\n## A worked example\n");
    EXPECT_NE(start, page.npos);
    text_ = page.substr(start, page.find("\n## ", start + 1) - start);
  }

  struct Bytes {
    uint64_t offset = 0;
    std::string bytes;
  };

  // The document's lines "    0000abcd  7f 45 ...   what that is": up to 16 bytes, then three spaces or the end.
  std::vector<Bytes> HexLines() const {
    std::vector<Bytes> lines;
    std::istringstream text(text_);
    for (std::string line; std::getline(text, line);) {
      uint64_t offset = 0;
      if (line.size() < 16 || line.substr(12, 2) != "  " || !absl::SimpleHexAtoi(line.substr(4, 8), &offset)) continue;
      const std::string digits = line.substr(14, line.find("   ", 14) - 14);
      lines.push_back({offset, absl::HexStringToBytes(absl::StrReplaceAll(digits, {{" ", ""}}))});
    }
    return lines;
  }

  DumpedGuest dump_{{.cpus = 1}};
  std::string text_;
};

TEST_F(WorkedExampleTest, EachByteThatTheDocumentHasIsTheFiles) {
  for (const Bytes& line : HexLines()) {
    EXPECT_EQ(absl::BytesToHexString(line.bytes), absl::BytesToHexString(dump_.Read(line.offset, line.bytes.size())))
        << absl::StrFormat("docs/abi/vmcore.md, the line at %08x", line.offset);
  }
}

TEST_F(WorkedExampleTest, TheDocumentLeavesOutNoByteOfTheHeaders) {
  uint64_t end = 0;
  for (const Bytes& line : HexLines()) {
    if (line.offset == end) end += line.bytes.size();
  }
  EXPECT_GE(end, dump_.phdrs().at(0).p_offset);
}

TEST_F(WorkedExampleTest, TheDocumentHasTheProgramHeaders) {
  for (const Elf64_Phdr& phdr : dump_.phdrs()) {
    EXPECT_THAT(text_, HasSubstr(absl::StrFormat("\n    %s  0x%08x  0x%016x  0x%08x  0x%08x",
                                                 phdr.p_type == PT_NOTE ? "NOTE" : "LOAD", phdr.p_offset, phdr.p_vaddr,
                                                 phdr.p_paddr, phdr.p_filesz)));
  }
}

TEST_F(WorkedExampleTest, TheDocumentHasTheNotes) {
  const Elf64_Phdr segment = dump_.phdrs().at(0);
  const std::string bytes = dump_.Read(segment.p_offset, segment.p_filesz);
  const ParsedNotes parsed =
      ParseNotes({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, segment.p_offset);
  ASSERT_EQ(parsed.notes.size(), 4u);
  uint64_t offset = segment.p_offset;
  for (const VmcoreNote& note : parsed.notes) {
    EXPECT_THAT(text_, HasSubstr(absl::StrFormat("\n    %-10s  0x%08x  %4d\n", note.name, offset, note.desc.size())));
    offset += sizeof(Elf64_Nhdr) + AlignUp(note.name.size() + 1, 4) + AlignUp(note.desc.size(), 4);
  }
  EXPECT_THAT(text_, HasSubstr(absl::StrFormat("\n    the end     0x%08x\n", offset)));
}

TEST_F(WorkedExampleTest, TheDocumentHasTheSizeOfTheFile) {
  EXPECT_THAT(text_, HasSubstr(absl::StrFormat("%d bytes", dump_.Size())));
}

TEST_F(WorkedExampleTest, TheDocumentSaysWhatVmcoreInfoDoes) {
  EXPECT_THAT(text_, HasSubstr(absl::StrFormat("`NUMBER(phys_base)=%d`", static_cast<int64_t>(LinuxGuest::kPhysBase))));
  EXPECT_THAT(text_, HasSubstr(absl::StrFormat("`KERNELOFFSET=%x`", LinuxGuest::kKernelOffset)));
}

}  // namespace
}  // namespace vmm
