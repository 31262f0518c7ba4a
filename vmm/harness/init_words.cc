#include "vmm/harness/init_words.h"

#include <string_view>

namespace vmm {
namespace {

constexpr size_t kMaxLine = 300;
constexpr std::string_view kName = "vmm-init: ";  // as init.c's complain() writes it

}  // namespace

void InitWords::Scan(std::span<const uint8_t> bytes) {
  for (const uint8_t byte : bytes) {
    if (byte == '\n') {
      TakeLine();
    } else if (line_.size() < kMaxLine && byte >= ' ' && byte < 0x7f) {
      line_ += static_cast<char>(byte);
    }
  }
}

void InitWords::TakeLine() {
  const size_t at = line_.find(kName);
  if (at != std::string::npos && text_.empty()) text_ = line_.substr(at + kName.size());
  line_.clear();
}

}  // namespace vmm
