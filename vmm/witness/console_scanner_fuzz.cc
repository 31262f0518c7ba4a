// Any bytes of a console: however they are cut, the same witnesses are found, and their lines are short and printable.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "fuzz/input.h"
#include "vmm/witness/console_scanner.h"

namespace vmm {
namespace {

using Found = std::vector<std::pair<KernelSign, std::string>>;

Found Scan(std::span<const uint8_t> bytes, size_t piece) {
  Found found;
  ConsoleScanner scanner([] { return absl::ZeroDuration(); },
                         [&](const ConsoleWitness& it) { found.emplace_back(it.sign, it.line); });
  while (!bytes.empty()) {
    const size_t size = std::min(piece, bytes.size());
    scanner.Scan(bytes.first(size));
    bytes = bytes.subspan(size);
  }
  scanner.Finish();
  return found;
}

}  // namespace
}  // namespace vmm

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vmm::FuzzInput input(data, size);
  const size_t piece = 1 + input.Take<uint8_t>();
  const std::span<const uint8_t> bytes = input.Rest();
  const vmm::Found whole = vmm::Scan(bytes, bytes.size() + 1);
  vmm::FuzzCheck(whole == vmm::Scan(bytes, piece));
  for (const auto& [sign, line] : whole) {
    vmm::FuzzCheck(line.size() <= vmm::ConsoleScanner::kMaxLine);
    for (const char c : line) vmm::FuzzCheck(static_cast<unsigned char>(c) >= ' ' && c != '\x7f');
  }
  return 0;
}
