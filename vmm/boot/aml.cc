#include "vmm/boot/aml.h"

namespace vmm {
namespace {

// 20.2: opcodes.
constexpr uint8_t kZeroOp = 0x00, kOneOp = 0x01, kNameOp = 0x08, kBytePrefix = 0x0a, kWordPrefix = 0x0b,
                  kDwordPrefix = 0x0c, kStringPrefix = 0x0d, kScopeOp = 0x10, kBufferOp = 0x11, kExtOp = 0x5b,
                  kExtDeviceOp = 0x82;

// 6.4.2 and 6.4.3: resource descriptors.
constexpr uint8_t kEndTag = 0x79, kMemory32FixedTag = 0x86, kExtendedInterruptTag = 0x89;
constexpr uint8_t kReadWrite = 1;
constexpr uint8_t kConsumer = 1 << 0, kEdge = 1 << 1;  // active high and exclusive are 0

AmlBytes Text(std::string_view text) { return {text.begin(), text.end()}; }

AmlBytes LittleEndian(uint32_t value, int bytes) {
  AmlBytes all;
  for (int i = 0; i < bytes; ++i) all.push_back(static_cast<uint8_t>(value >> (8 * i)));
  return all;
}

// 20.2.4: the length counts its own bytes. One byte holds up to 63; otherwise the low four bits stand in the first
// byte, which says how many follow.
AmlBytes PkgLength(size_t content) {
  if (content + 1 <= 0x3f) return {static_cast<uint8_t>(content + 1)};
  uint8_t more = 1;
  while (content + 1 + more >= size_t{1} << (4 + 8 * more)) ++more;
  const uint32_t length = static_cast<uint32_t>(content + 1 + more);
  return AmlJoin({{static_cast<uint8_t>(more << 6 | (length & 0x0f))}, LittleEndian(length >> 4, more)});
}

AmlBytes Package(AmlBytes opcode, const AmlBytes& content) {
  return AmlJoin({std::move(opcode), PkgLength(content.size()), content});
}

}  // namespace

AmlBytes AmlJoin(std::initializer_list<AmlBytes> parts) {
  AmlBytes all;
  for (const AmlBytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

AmlBytes AmlScope(std::string_view path, const AmlBytes& terms) {
  return Package({kScopeOp}, AmlJoin({Text(path), terms}));
}

AmlBytes AmlDevice(std::string_view name, const AmlBytes& terms) {
  return Package({kExtOp, kExtDeviceOp}, AmlJoin({Text(name), terms}));
}

AmlBytes AmlName(std::string_view name, const AmlBytes& value) { return AmlJoin({{kNameOp}, Text(name), value}); }

AmlBytes AmlInteger(uint32_t value) {
  if (value <= 1) return {value == 0 ? kZeroOp : kOneOp};
  if (value <= 0xff) return {kBytePrefix, static_cast<uint8_t>(value)};
  if (value <= 0xffff) return AmlJoin({{kWordPrefix}, LittleEndian(value, 2)});
  return AmlJoin({{kDwordPrefix}, LittleEndian(value, 4)});
}

AmlBytes AmlString(std::string_view text) { return AmlJoin({{kStringPrefix}, Text(text), {0}}); }

AmlBytes AmlResourceTemplate(const AmlBytes& descriptors) {
  // A checksum of 0 in the end tag: it need not be checked.
  const AmlBytes all = AmlJoin({descriptors, {kEndTag, 0}});
  return Package({kBufferOp}, AmlJoin({AmlInteger(static_cast<uint32_t>(all.size())), all}));
}

AmlBytes AmlMemory32Fixed(uint32_t base, uint32_t size) {
  return AmlJoin({{kMemory32FixedTag}, LittleEndian(9, 2), {kReadWrite}, LittleEndian(base, 4), LittleEndian(size, 4)});
}

AmlBytes AmlEdgeInterrupt(uint32_t gsi) {
  return AmlJoin({{kExtendedInterruptTag}, LittleEndian(6, 2), {kConsumer | kEdge, 1}, LittleEndian(gsi, 4)});
}

}  // namespace vmm
