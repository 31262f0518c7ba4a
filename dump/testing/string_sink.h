// A sink in memory that can be made to fail.
#ifndef DUMP_TESTING_STRING_SINK_H_
#define DUMP_TESTING_STRING_SINK_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/byte_sink.h"

namespace vmm {

class StringSink final : public ByteSink {
 public:
  // The call with index `fail_at` fails; calls of SetSize and WriteAt count together. -1: none fails.
  explicit StringSink(int fail_at = -1) : fail_at_(fail_at) {}

  absl::Status WriteAt(uint64_t offset, std::span<const uint8_t> data) override {
    if (calls_++ == fail_at_) return absl::ResourceExhaustedError("the sink is full");
    if (content_.size() < offset + data.size()) content_.resize(offset + data.size());
    content_.replace(offset, data.size(), reinterpret_cast<const char*>(data.data()), data.size());
    writes_.emplace_back(offset, data.size());
    return absl::OkStatus();
  }

  absl::Status SetSize(uint64_t size) override {
    if (calls_++ == fail_at_) return absl::ResourceExhaustedError("the sink is full");
    content_.resize(size);
    return absl::OkStatus();
  }

  const std::string& content() const { return content_; }

  // Offset and size of each write, in order.
  const std::vector<std::pair<uint64_t, uint64_t>>& writes() const { return writes_; }
  int calls() const { return calls_; }

 private:
  const int fail_at_;
  int calls_ = 0;
  std::string content_;
  std::vector<std::pair<uint64_t, uint64_t>> writes_;
};

}  // namespace vmm

#endif  // DUMP_TESTING_STRING_SINK_H_
