// The vmcore of the made-up Linux guest, as our own writer makes it, in a folder of its own. A test can break one thing
// in it.
#ifndef DUMP_TESTING_DUMPED_GUEST_H_
#define DUMP_TESTING_DUMPED_GUEST_H_

#include <elf.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dump/read/vmcore_note.h"
#include "dump/testing/linux_guest.h"

namespace vmm {

class DumpedGuest {
 public:
  explicit DumpedGuest(LinuxGuestOptions options = {});
  // `change` is called with the guest before it is dumped.
  DumpedGuest(LinuxGuestOptions options, const std::function<void(LinuxGuest&)>& change);
  ~DumpedGuest();
  DumpedGuest(const DumpedGuest&) = delete;

  LinuxGuest& guest() { return guest_; }
  const std::string& path() const { return path_; }  // of the vmcore
  const std::string& folder() const { return folder_; }

  // These work on the vmcore's bytes.
  std::string Read(uint64_t offset, uint64_t size) const;
  void Write(uint64_t offset, std::string_view bytes);
  void Truncate(uint64_t size);
  uint64_t Size() const;

  Elf64_Ehdr header() const;
  std::vector<Elf64_Phdr> phdrs() const;
  void ChangeHeader(const std::function<void(Elf64_Ehdr&)>& change);
  void ChangePhdr(size_t index, const std::function<void(Elf64_Phdr&)>& change);
  // `change` may also add or remove headers. They stay at offset 64.
  void ChangePhdrs(const std::function<void(std::vector<Elf64_Phdr>&)>& change);

  // Rewrites all notes at the same place. They must fit before the data.
  void ChangeNotes(const std::function<void(std::vector<VmcoreNote>&)>& change);

 private:
  LinuxGuest guest_;
  std::string folder_;
  std::string path_;
};

}  // namespace vmm

#endif  // DUMP_TESTING_DUMPED_GUEST_H_
