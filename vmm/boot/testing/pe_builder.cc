#include "vmm/boot/testing/pe_builder.h"

#include <algorithm>
#include <cstring>

namespace vmm {
namespace {

constexpr uint32_t kPeAt = 0x80;  // after a DOS header, as linkers place it
constexpr uint16_t kOptionalHeaderSize = 240;
constexpr uint32_t kDataAt = 0x1000;
constexpr uint32_t kFileAlignment = 512;

template <typename T>
void Put(std::vector<uint8_t>& bytes, uint64_t offset, const T& value) {
  std::memcpy(bytes.data() + offset, &value, sizeof(value));
}

}  // namespace

PeBuilder& PeBuilder::Add(const std::string& name, const std::vector<uint8_t>& bytes) {
  PeSectionHeader section;
  std::copy_n(name.begin(), std::min(name.size(), sizeof(section.Name)), section.Name);
  section.VirtualSize = static_cast<uint32_t>(bytes.size());
  section.PointerToRawData = kDataAt + static_cast<uint32_t>(data_.size());
  data_.insert(data_.end(), bytes.begin(), bytes.end());
  data_.resize((data_.size() + kFileAlignment - 1) / kFileAlignment * kFileAlignment, 0xee);
  section.SizeOfRawData = kDataAt + static_cast<uint32_t>(data_.size()) - section.PointerToRawData;
  sections_.push_back(section);
  ++coff.NumberOfSections;
  if (coff.Machine == 0) coff.Machine = kPeMachineAmd64;
  return *this;
}

PeBuilder& PeBuilder::Add(const std::string& name, const std::string& bytes) {
  return Add(name, std::vector<uint8_t>(bytes.begin(), bytes.end()));
}

std::vector<uint8_t> PeBuilder::Image() const {
  std::vector<uint8_t> file(kDataAt);
  file[0] = 'M';
  file[1] = 'Z';
  Put(file, kDosLfanewOffset, kPeAt);
  Put(file, kPeAt, kPeSignature);
  CoffHeader header = coff;
  header.SizeOfOptionalHeader = kOptionalHeaderSize;
  Put(file, kPeAt + sizeof(kPeSignature), header);
  std::vector<PeSectionHeader> sections = sections_;
  if (lie) lie(sections);
  for (size_t i = 0; i < sections.size(); ++i) {
    Put(file, kPeAt + sizeof(kPeSignature) + sizeof(header) + kOptionalHeaderSize + i * sizeof(sections[i]),
        sections[i]);
  }
  file.insert(file.end(), data_.begin(), data_.end());
  return file;
}

}  // namespace vmm
