// Standard input on its way to the guest's serial port, with Ctrl-A as the escape: Ctrl-A x
// ends the run, Ctrl-A Ctrl-A sends one Ctrl-A, Ctrl-A and anything else sends nothing.
#ifndef VMM_CONSOLE_CONSOLE_INPUT_H_
#define VMM_CONSOLE_CONSOLE_INPUT_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <span>

namespace vmm {

// Owned and called by the run loop's thread. Holds at most one read's worth of bytes: while
// the guest does not take them, the loop must not read on (see full()).
class ConsoleInput {
 public:
  // `receive` takes as many bytes as it can and returns how many. With `escapes`, Ctrl-A is
  // the escape; without (input is a pipe or a file) every byte goes through.
  using Receive = std::function<size_t(std::span<const uint8_t>)>;
  ConsoleInput(bool escapes, Receive receive) : escapes_(escapes), receive_(std::move(receive)) {}

  // Bytes that were read. Returns true iff the user asked to quit.
  bool Take(std::span<const uint8_t> bytes);

  // Hands what is waiting to the guest, as far as it takes it.
  void Flush();

  // Bytes are waiting: poll input again only when this is false.
  bool full() const { return !waiting_.empty(); }

 private:
  const bool escapes_;
  bool after_escape_ = false;
  const Receive receive_;
  std::deque<uint8_t> waiting_;
};

}  // namespace vmm

#endif  // VMM_CONSOLE_CONSOLE_INPUT_H_
