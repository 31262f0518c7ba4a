#include "dump/check/check_headers.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_format.h"
#include "base/guest_addr.h"

namespace vmm {
namespace {

using enum Reader;
using enum Harm;

// drgn with libkdumpfile 0.5.1 ended in a segmentation fault with 260.
constexpr size_t kManyLoads = 255;

class HeaderCheck {
 public:
  explicit HeaderCheck(const ElfHeaders& elf) : ehdr_(elf.ehdr), phdrs_(elf.phdrs) {
    for (size_t i = 0; i < phdrs_.size(); ++i) {
      if (phdrs_[i].p_type == PT_LOAD) loads_.push_back(i);
    }
  }

  std::vector<Finding> Run() {
    CheckFileHeader();
    CheckOrder();
    CheckNotesSegment();
    CheckLoadAlignment();
    CheckLoadSizes();
    CheckPhysicalAddresses();
    return std::move(findings_);
  }

 private:
  void Add(std::string rule, std::string what, std::vector<Breakage> breaks = {}) {
    findings_.push_back({std::move(rule), std::move(what), std::move(breaks)});
  }

  // The first PT_LOAD for which `wrong` holds, and the number of others.
  struct Offenders {
    size_t first = 0;
    size_t count = 0;
    std::string Text() const {
      return count == 1 ? absl::StrFormat("program header %d", first)
                        : absl::StrFormat("program header %d and %d more", first, count - 1);
    }
  };
  Offenders LoadsWhere(const std::function<bool(const Elf64_Phdr&)>& wrong) const {
    Offenders found;
    for (const size_t i : loads_) {
      if (wrong(phdrs_[i]) && found.count++ == 0) found.first = i;
    }
    return found;
  }

  void CheckFileHeader() {
    if (ehdr_.e_phoff != sizeof(Elf64_Ehdr)) {
      Add("e_phoff", absl::StrFormat("the program headers are at %d, not at 64", ehdr_.e_phoff),
          {{kMakedumpfile, kRefused, "it reads them at 64 whatever e_phoff says, and finds no PT_LOAD"}});
    }
    if (ehdr_.e_ident[EI_VERSION] != EV_CURRENT || ehdr_.e_version != EV_CURRENT) {
      Add("e_version",
          absl::StrFormat("ELF version %d in e_ident, %d in e_version, not 1", ehdr_.e_ident[EI_VERSION],
                          ehdr_.e_version),
          {{kCrash, kRefused, "it takes a file of another version for no dump"}});
    }
    if (ehdr_.e_ehsize != sizeof(Elf64_Ehdr)) {
      Add("e_ehsize", absl::StrFormat("e_ehsize is %d, not 64", ehdr_.e_ehsize));
    }
    if (ehdr_.e_phnum == PN_XNUM) {
      if (phdrs_.size() < PN_XNUM) {
        Add("pn-xnum", absl::StrFormat("e_phnum is 0xffff (PN_XNUM) for only %d program headers", phdrs_.size()),
            {{kCrash, kLess, "before 7.2.8 (2019) it cannot count them"},
             {kMakedumpfile, kLess, "before 1.6.7 (2019) it cannot count them"}});
      }
    } else if (ehdr_.e_shoff != 0 || ehdr_.e_shnum != 0) {
      Add("sections",
          absl::StrFormat("there are %d section headers, at %#x; a core needs none", ehdr_.e_shnum, ehdr_.e_shoff));
    }
  }

  void CheckOrder() {
    const size_t notes = static_cast<size_t>(
        std::count_if(phdrs_.begin(), phdrs_.end(), [](const Elf64_Phdr& p) { return p.p_type == PT_NOTE; }));
    if (notes == 0) {
      Add("pt-note", "there is no PT_NOTE",
          {{kCrash, kWrong, "it takes program header 0 for the notes"},
           {kDrgn, kRefused, "without VMCOREINFO it takes the file for no kernel's"},
           {kGdb, kWrong, "it finds no registers"},
           {kMakedumpfile, kRefused, "it wants a PT_NOTE"},
           {kLibkdumpfile, kWrong, "without VMCOREINFO it finds no page tables"}});
    } else if (phdrs_[0].p_type != PT_NOTE) {
      Add("pt-note", "program header 0 is no PT_NOTE",
          {{kCrash, kWrong, "it takes program header 0 for the notes and all others for RAM"}});
    }
    if (notes > 1) {
      Add("pt-note-count", absl::StrFormat("there are %d PT_NOTEs", notes),
          {{kCrash, kRefused, "it takes each but program header 0 for RAM, and its offset for where RAM begins"},
           {kGdb, kWrong, "it takes the CPUs of each for other CPUs"},
           {kLibkdumpfile, kWrong, "it takes the CPUs of each for other CPUs"}});
    }
    const size_t others = phdrs_.size() - notes - loads_.size();
    if (others != 0) {
      Add("pt-other", absl::StrFormat("%d program headers are neither PT_NOTE nor PT_LOAD", others),
          {{kCrash, kWrong, "it never looks at p_type and takes them for RAM"}});
    }
    if (loads_.empty()) {
      Add("pt-load-count", "there is no PT_LOAD",
          {{kCrash, kRefused, "it wants two program headers"},
           {kDrgn, kRefused, "there is no memory"},
           {kGdb, kWrong, "there is no memory"},
           {kMakedumpfile, kRefused, "it wants a PT_LOAD"},
           {kLibkdumpfile, kRefused, "there is no memory"}});
    } else if (loads_.size() == 1) {
      Add("pt-load-count", "there is only one PT_LOAD",
          {{kCrash, kWrong, "it reads such a core by other rules: addresses outside are read all the same"}});
    } else if (loads_.size() > kManyLoads) {
      Add("pt-load-count", absl::StrFormat("there are %d PT_LOADs", loads_.size()),
          {{kLibkdumpfile, kLess, "0.5.1 was seen to crash, or to read wrong bytes, with 260"}});
    }
  }

  void CheckNotesSegment() {
    const auto notes =
        std::find_if(phdrs_.begin(), phdrs_.end(), [](const Elf64_Phdr& p) { return p.p_type == PT_NOTE; });
    if (notes == phdrs_.end()) return;
    if (notes->p_align != 0 && notes->p_align != 4) {
      std::vector<Breakage> breaks;
      if (notes->p_align == 8) {
        breaks = {{kDrgn, kRefused, "it reads the notes as if padded to 8 bytes, and finds no VMCOREINFO"},
                  {kGdb, kRefused, "it reads the notes as if padded to 8 bytes, and takes the file for no core"}};
      } else if (notes->p_align > 4) {
        breaks = {{kGdb, kRefused, "it knows notes of alignment 4 and 8 only"}};
      }
      Add("pt-note-align", absl::StrFormat("p_align of the PT_NOTE is %d, not 0 or 4", notes->p_align), breaks);
    }
    if (notes->p_vaddr != 0 || notes->p_paddr != 0 || notes->p_memsz != notes->p_filesz) {
      Add("pt-note-fields", absl::StrFormat("the PT_NOTE has p_vaddr %#x, p_paddr %#x, p_memsz %d for p_filesz %d",
                                            notes->p_vaddr, notes->p_paddr, notes->p_memsz, notes->p_filesz));
    }
    uint64_t first_data = ~0ull;
    for (const size_t i : loads_) first_data = std::min<uint64_t>(first_data, phdrs_[i].p_offset);
    uint64_t end = 0;
    if (!CheckedAdd(notes->p_offset, notes->p_filesz, &end) || end > first_data) {
      Add("notes-behind-data",
          absl::StrFormat("the notes at %#x end behind the first byte of data, at %#x", notes->p_offset, first_data),
          {{kCrash, kRefused, "it reads the file up to the lowest p_offset of a PT_LOAD and looks for notes there"}});
    }
  }

  void CheckLoadAlignment() {
    const Offenders aligned = LoadsWhere([](const Elf64_Phdr& p) { return p.p_align != 0; });
    if (aligned.count != 0) {
      const Elf64_Phdr& first = phdrs_[loads_[0]];
      std::vector<Breakage> breaks;
      if (first.p_align != 0 && first.p_offset % kPageSize == 0) {
        breaks = {{kCrash, kRefused, "with p_align set and page-aligned data it takes the file for a netdump"}};
      }
      Add("p_align", absl::StrFormat("%s has p_align %#x, not 0", aligned.Text(), phdrs_[aligned.first].p_align),
          breaks);
    }
    const Offenders data = LoadsWhere([](const Elf64_Phdr& p) { return p.p_offset % kPageSize != 0; });
    if (data.count != 0) {
      Add("p_offset",
          absl::StrFormat("%s has its data at %#x, on no page boundary", data.Text(), phdrs_[data.first].p_offset));
    }
    const Offenders split =
        LoadsWhere([](const Elf64_Phdr& p) { return p.p_paddr % kPageSize != 0 || p.p_memsz % kPageSize != 0; });
    if (split.count != 0) {
      const Elf64_Phdr& phdr = phdrs_[split.first];
      Add("split-page",
          absl::StrFormat("%s splits a page: p_paddr %#x, p_memsz %#x", split.Text(), phdr.p_paddr, phdr.p_memsz),
          {{kCrash, kWrong, "it reads a page of which it finds the start in one go, past the segment's end"},
           {kMakedumpfile, kLess, "it fills the rest of the page with zeros"}});
    }
  }

  void CheckLoadSizes() {
    const Offenders more = LoadsWhere([](const Elf64_Phdr& p) { return p.p_filesz > p.p_memsz; });
    if (more.count != 0) {
      Add("p_filesz",
          absl::StrFormat("%s has p_filesz %#x, more than p_memsz %#x", more.Text(), phdrs_[more.first].p_filesz,
                          phdrs_[more.first].p_memsz),
          {{kGdb, kWrong, "it takes p_filesz for the size"}});
    }
    const Offenders less = LoadsWhere([](const Elf64_Phdr& p) { return p.p_filesz < p.p_memsz; });
    if (less.count != 0) {
      Add("p_filesz", absl::StrFormat("%s has p_filesz %#x, less than p_memsz %#x: the rest counts as zeros",
                                      less.Text(), phdrs_[less.first].p_filesz, phdrs_[less.first].p_memsz));
    }
  }

  void CheckPhysicalAddresses() {
    if (loads_.size() < 2) return;
    const Offenders zero = LoadsWhere([](const Elf64_Phdr& p) { return p.p_paddr == 0; });
    if (zero.count == loads_.size()) {
      Add("p_paddr-zero", "p_paddr is 0 in every PT_LOAD",
          {{kCrash, kWrong, "it finds RAM by p_paddr alone"},
           {kDrgn, kWrong, "it finds page tables by p_paddr"},
           {kMakedumpfile, kWrong, "it finds RAM by p_paddr alone"},
           {kLibkdumpfile, kWrong, "it then reads no physical addresses at all"}});
    }
  }

  const Elf64_Ehdr& ehdr_;
  const std::vector<Elf64_Phdr>& phdrs_;
  std::vector<size_t> loads_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> CheckHeaders(const ElfHeaders& elf) { return HeaderCheck(elf).Run(); }

}  // namespace vmm
