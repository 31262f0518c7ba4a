// The host's end of the channel to the program in the guest: its three streams, and the mailbox (channel.h).
#ifndef VMM_HARNESS_PROGRAM_CHANNEL_H_
#define VMM_HARNESS_PROGRAM_CHANNEL_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/guest_memory.h"
#include "vmm/harness/channel.h"
#include "vmm/harness/output_stream.h"
#include "vmm/harness/program_end.h"

namespace vmm {

// Made and destroyed by the run's thread, which alone calls all but OnDoorbell().
class ProgramChannel {
 public:
  struct Wiring {
    int stdout_fd = 1;                                        // not owned
    int stderr_fd = 2;                                        // not owned
    std::function<void()> ring_guest;                         // tells init of news; any thread calls it
    std::function<void(std::span<const uint8_t>)> on_stdout;  // sees standard output too, in order; may be empty
    std::function<void(std::span<const uint8_t>)> on_stderr;  // the same for standard error
    std::function<void()> on_room;                            // Offer() may be tried again; a vCPU thread calls it
  };
  // Writes the channel's header into `memory`, which must outlive this object. Call it after the kernel was loaded and
  // before it runs.
  static absl::StatusOr<std::unique_ptr<ProgramChannel>> Create(GuestMemory& memory, Wiring wiring);

  // Any vCPU thread: the guest says that there is news.
  void OnDoorbell();

  // Gives bytes to the program's standard input. Returns how many were taken; all, if nobody will ever read them.
  size_t Offer(std::span<const uint8_t> bytes);
  // The size of the terminal that the program has. Init hears of it.
  void SetWindow(uint16_t rows, uint16_t columns);

  void EndInput();  // all bytes were offered and taken

  // Bytes that the program has written so far, by the guest's word: a number that stays the same is silence.
  uint64_t said() const;

  // After the vCPUs have stopped: what is still in the rings goes out. See OutputStream::Finish().
  void Finish(int stop_fd, absl::Duration patience);

  // What init has left in the mailbox. Call it after the vCPUs have stopped.
  ProgramEnd end() const;

 private:
  ProgramChannel(ChannelHeader& header, std::span<uint8_t> input, Wiring wiring)
      : header_(header), input_(input), wiring_(std::move(wiring)) {}

  ChannelHeader& header_;           // in guest memory
  const std::span<uint8_t> input_;  // in guest memory
  const Wiring wiring_;
  std::unique_ptr<OutputStream> stdout_;
  std::unique_ptr<OutputStream> stderr_;
  uint32_t produced_ = 0;
  bool input_broken_ = false;
  std::atomic<bool> input_full_ = false;
};

}  // namespace vmm

#endif  // VMM_HARNESS_PROGRAM_CHANNEL_H_
