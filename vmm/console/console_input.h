// Passes standard input to the guest's serial port, with Ctrl-A as the escape: Ctrl-A x ends the run, Ctrl-A Ctrl-A
// sends one Ctrl-A, Ctrl-A d and Ctrl-A n are the run's (SetKeys), Ctrl-A and any other key sends nothing.
#ifndef VMM_CONSOLE_CONSOLE_INPUT_H_
#define VMM_CONSOLE_CONSOLE_INPUT_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <span>

namespace vmm {

// Owned and called by the run loop's thread. Holds at most one read's worth of bytes: until the guest takes them, the
// loop must not read more (see full()).
class ConsoleInput {
 public:
  // `receive` takes as many bytes as it can and returns how many. With `escapes`, Ctrl-A is the escape; without it
  // (input is a pipe or a file), every byte passes through.
  using Receive = std::function<size_t(std::span<const uint8_t>)>;
  ConsoleInput(bool escapes, Receive receive) : escapes_(escapes), receive_(std::move(receive)) {}

  // `on_key` is called for each Ctrl-A d and Ctrl-A n, with the small letter.
  void SetKeys(std::function<void(char key)> on_key) { on_key_ = std::move(on_key); }

  // Takes bytes that were read. Returns true if the user asked to quit.
  bool Take(std::span<const uint8_t> bytes);

  // Hands the waiting bytes to the guest, as many as it takes.
  void Flush();

  // True if bytes are waiting: poll the input again only if this is false.
  bool full() const { return !waiting_.empty(); }

 private:
  const bool escapes_;
  bool after_escape_ = false;
  const Receive receive_;
  std::function<void(char key)> on_key_;
  std::deque<uint8_t> waiting_;
};

}  // namespace vmm

#endif  // VMM_CONSOLE_CONSOLE_INPUT_H_
