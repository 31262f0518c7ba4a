// The results of tests in a stream of the running guest: its console, or the standard output of its program.
#ifndef VMM_KTAP_TEST_STREAM_H_
#define VMM_KTAP_TEST_STREAM_H_

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>

#include "absl/time/time.h"
#include "vmm/ktap/ktap_parser.h"

namespace vmm {

// Any thread may call; the bytes of the stream must arrive in order.
class TestStream {
 public:
  // `tell`: write a line on standard error for each result of the outer two levels as it comes.
  explicit TestStream(bool tell);

  void Take(std::span<const uint8_t> bytes);

  // The results, once the guest has ended. `death` as for KtapParser::Close(). Call it once, and no Take() after it.
  ResultTree Close(const std::optional<GuestDeath>& death);

 private:
  const absl::Time start_;
  std::mutex mutex_;  // guards parser_
  KtapParser parser_;
};

}  // namespace vmm

#endif  // VMM_KTAP_TEST_STREAM_H_
