// EFI programs small enough to be made by a test: PE32+ headers, and sections with anything in
// them. What is public may be changed before it is built, which is how tests make bad ones.
#ifndef VMM_BOOT_TESTING_PE_BUILDER_H_
#define VMM_BOOT_TESTING_PE_BUILDER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "vmm/boot/abi/pe_abi.h"

namespace vmm {

class PeBuilder {
 public:
  // Appends a section; its bytes are padded to 512 in the file, and VirtualSize tells the padding from them.
  PeBuilder& Add(const std::string& name, const std::vector<uint8_t>& bytes);
  PeBuilder& Add(const std::string& name, const std::string& bytes);

  std::vector<uint8_t> Image() const;

  CoffHeader coff;                                         // NumberOfSections is counted by Add()
  std::function<void(std::vector<PeSectionHeader>&)> lie;  // last word on the section table

 private:
  std::vector<PeSectionHeader> sections_;
  std::vector<uint8_t> data_;
};

}  // namespace vmm

#endif  // VMM_BOOT_TESTING_PE_BUILDER_H_
