// Builds small EFI programs for tests: PE32+ headers, and sections with any content. A test makes a bad program by
// changing the public members before it builds.
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
  // Appends a section. Its bytes are padded to 512 in the file. VirtualSize holds the size without the padding.
  PeBuilder& Add(const std::string& name, const std::vector<uint8_t>& bytes);
  PeBuilder& Add(const std::string& name, const std::string& bytes);

  std::vector<uint8_t> Image() const;

  CoffHeader coff;                                         // Add() counts NumberOfSections
  std::function<void(std::vector<PeSectionHeader>&)> lie;  // changes the finished section table

 private:
  std::vector<PeSectionHeader> sections_;
  std::vector<uint8_t> data_;
};

}  // namespace vmm

#endif  // VMM_BOOT_TESTING_PE_BUILDER_H_
