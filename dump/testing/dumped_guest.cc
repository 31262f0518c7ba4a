#include "dump/testing/dumped_guest.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "base/bytes.h"
#include "base/guest_addr.h"
#include "dump/write/write_vmcore.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

std::string Padded(std::string bytes) {
  bytes.resize(AlignUp(bytes.size(), 4), '\0');
  return bytes;
}

}  // namespace

DumpedGuest::DumpedGuest(LinuxGuestOptions options) : DumpedGuest(std::move(options), [](LinuxGuest&) {}) {}

DumpedGuest::DumpedGuest(LinuxGuestOptions options, const std::function<void(LinuxGuest&)>& change)
    : guest_(std::move(options)) {
  change(guest_);
  std::string name = ::testing::TempDir() + "/dumped_guest.XXXXXX";
  folder_ = mkdtemp(name.data());
  const auto report = WriteVmcore(guest_.snapshot(), *OutputDir::Open(folder_), {.notes_json = "{\"made\":\"up\"}"});
  EXPECT_TRUE(report.ok()) << report.status();
  path_ = folder_ + "/vmcore";
}

DumpedGuest::~DumpedGuest() { std::filesystem::remove_all(folder_); }

std::string DumpedGuest::Read(uint64_t offset, uint64_t size) const {
  std::string bytes(size, '\0');
  const int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(pread(fd, bytes.data(), size, static_cast<off_t>(offset)), static_cast<ssize_t>(size));
  close(fd);
  return bytes;
}

void DumpedGuest::Write(uint64_t offset, std::string_view bytes) {
  const int fd = open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  EXPECT_EQ(pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)), static_cast<ssize_t>(bytes.size()));
  close(fd);
}

void DumpedGuest::Truncate(uint64_t size) { EXPECT_EQ(truncate(path_.c_str(), static_cast<off_t>(size)), 0); }

uint64_t DumpedGuest::Size() const { return std::filesystem::file_size(path_); }

Elf64_Ehdr DumpedGuest::header() const {
  Elf64_Ehdr ehdr;
  std::memcpy(&ehdr, Read(0, sizeof(ehdr)).data(), sizeof(ehdr));
  return ehdr;
}

std::vector<Elf64_Phdr> DumpedGuest::phdrs() const {
  std::vector<Elf64_Phdr> phdrs(header().e_phnum);
  std::memcpy(phdrs.data(), Read(64, phdrs.size() * sizeof(Elf64_Phdr)).data(), phdrs.size() * sizeof(Elf64_Phdr));
  return phdrs;
}

void DumpedGuest::ChangeHeader(const std::function<void(Elf64_Ehdr&)>& change) {
  Elf64_Ehdr ehdr = header();
  change(ehdr);
  Write(0, StringOf(ehdr));
}

void DumpedGuest::ChangePhdr(size_t index, const std::function<void(Elf64_Phdr&)>& change) {
  ChangePhdrs([&](std::vector<Elf64_Phdr>& phdrs) { change(phdrs.at(index)); });
}

void DumpedGuest::ChangePhdrs(const std::function<void(std::vector<Elf64_Phdr>&)>& change) {
  std::vector<Elf64_Phdr> all = phdrs();
  const std::string notes = Read(all[0].p_offset, all[0].p_filesz);
  const uint64_t notes_offset = all[0].p_offset;
  const size_t before = all.size();
  change(all);
  // If there are more headers than before, the notes move up.
  if (all.size() > before) {
    const uint64_t moved = notes_offset + (all.size() - before) * sizeof(Elf64_Phdr);
    for (Elf64_Phdr& phdr : all) {
      if (phdr.p_type == PT_NOTE && phdr.p_offset == notes_offset) phdr.p_offset = moved;
    }
    Write(moved, notes);
  }
  for (size_t i = 0; i < all.size(); ++i) Write(64 + i * sizeof(Elf64_Phdr), StringOf(all[i]));
  ChangeHeader([&](Elf64_Ehdr& ehdr) { ehdr.e_phnum = static_cast<Elf64_Half>(all.size()); });
}

void DumpedGuest::ChangeNotes(const std::function<void(std::vector<VmcoreNote>&)>& change) {
  const Elf64_Phdr segment = phdrs().at(0);
  const std::string old = Read(segment.p_offset, segment.p_filesz);
  ParsedNotes parsed = ParseNotes({reinterpret_cast<const uint8_t*>(old.data()), old.size()}, segment.p_offset);
  EXPECT_EQ(parsed.fault, "");
  change(parsed.notes);
  std::string bytes;
  for (const VmcoreNote& note : parsed.notes) {
    const uint32_t namesz = note.namesz != 0 ? note.namesz : static_cast<uint32_t>(note.name.size() + 1);
    bytes += StringOf(Elf64_Nhdr{namesz, static_cast<Elf64_Word>(note.desc.size()), note.type});
    bytes += Padded(note.name + std::string(namesz > note.name.size() ? namesz - note.name.size() : 0, '\0'));
    bytes += Padded(std::string(note.desc.begin(), note.desc.end()));
  }
  EXPECT_LE(segment.p_offset + bytes.size(), phdrs().at(1).p_offset);
  Write(segment.p_offset, bytes);
  ChangePhdr(0, [&](Elf64_Phdr& phdr) { phdr.p_filesz = phdr.p_memsz = bytes.size(); });
}

}  // namespace vmm
