// The last words of an init that cannot reach us by the channel: a line of the kernel's log, on the console.
#ifndef VMM_HARNESS_INIT_WORDS_H_
#define VMM_HARNESS_INIT_WORDS_H_

#include <cstdint>
#include <span>
#include <string>

namespace vmm {

// One thread at a time.
class InitWords {
 public:
  // The console's bytes, in order.
  void Scan(std::span<const uint8_t> bytes);

  // The first such line, from the words after init's name on; printable, at most 300 bytes. Empty: there was none.
  const std::string& text() const { return text_; }

 private:
  void TakeLine();

  std::string line_;
  std::string text_;
};

}  // namespace vmm

#endif  // VMM_HARNESS_INIT_WORDS_H_
