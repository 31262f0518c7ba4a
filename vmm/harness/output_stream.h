// One of the program's output streams: from its ring in guest memory to a descriptor of ours.
#ifndef VMM_HARNESS_OUTPUT_STREAM_H_
#define VMM_HARNESS_OUTPUT_STREAM_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/shared_output.h"
#include "base/unique_fd.h"
#include "vmm/harness/channel.h"

namespace vmm {

// Whoever hears the doorbell carries the bytes, as long as the reader takes them at once; for a reader that does not, a
// thread waits. Meanwhile the ring fills, and the program stalls, as on any full pipe. The ring is the guest's to
// write: of its indexes only a copy is believed, and only if it can be true. A broken ring ends its stream, and is said
// once.
class OutputStream {
 public:
  // `ring` and `bytes` are guest memory, and must outlive this object. `fd` is not owned. `name`: "stdout".
  // `ring_guest` tells the guest of news in the rings; any thread calls it. `on_bytes`, if any, sees all bytes in
  // order, before the descriptor gets them; one thread at a time calls it.
  static absl::StatusOr<std::unique_ptr<OutputStream>> Start(ChannelRing& ring, std::span<const uint8_t> bytes, int fd,
                                                             std::string_view name, std::function<void()> ring_guest,
                                                             std::function<void(std::span<const uint8_t>)> on_bytes);
  ~OutputStream();

  OutputStream(const OutputStream&) = delete;
  OutputStream& operator=(const OutputStream&) = delete;

  // Any thread: carries what is there. Never waits for the reader.
  void Carry();

  // After the guest has stopped: carries the rest. Gives a reader up that takes nothing for `patience`, or for a second
  // once `stop_fd` is readable. Carry() does nothing afterwards.
  void Finish(int stop_fd, absl::Duration patience);

 private:
  OutputStream(ChannelRing& ring, std::span<const uint8_t> bytes, std::string_view name,
               std::function<void()> ring_guest, std::unique_ptr<SharedOutput> output, UniqueFd cancel)
      : ring_(ring),
        bytes_(bytes),
        name_(name),
        ring_guest_(std::move(ring_guest)),
        output_(std::move(output)),
        cancel_(std::move(cancel)) {}

  void WaitForReaders();  // the thread
  void StopThread();

  // With mutex_ held.
  void CarryLocked();
  bool Fetch();  // moves the ring's bytes to fetched_; false if there are none
  void End(std::string_view why);

  ChannelRing& ring_;
  const std::span<const uint8_t> bytes_;
  const std::string_view name_;
  const std::function<void()> ring_guest_;
  std::function<void(std::span<const uint8_t>)> on_bytes_;
  const std::unique_ptr<SharedOutput> output_;
  const UniqueFd cancel_;  // eventfd: ends the thread's wait

  std::mutex mutex_;  // guards all below
  std::condition_variable news_;
  std::vector<uint8_t> fetched_;  // not yet taken by the reader, from written_ on
  size_t written_ = 0;
  uint32_t consumed_ = 0;  // ours; the guest's copy may say anything
  bool stalled_ = false;
  bool stopping_ = false;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace vmm

#endif  // VMM_HARNESS_OUTPUT_STREAM_H_
