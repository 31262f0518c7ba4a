// What a run takes from the process that it is in.
#ifndef VMM_RUN_SURROUNDINGS_H_
#define VMM_RUN_SURROUNDINGS_H_

#include <unistd.h>

#include <cstdint>
#include <functional>
#include <span>

#include "base/thread_log.h"

namespace vmm {

// As it is made, it is that of the program vmm, whose process has no other task. All that it refers to must outlive the
// run. The functions are called by threads of the run, one at a time for each function; they must not block.
struct Surroundings {
  using OnBytes = std::function<void(std::span<const uint8_t>)>;

  // True: SIGINT and others end the run, some are ignored, and a terminal becomes raw. False: none of that. The thread
  // that calls RunVm() must then have SIGPIPE and SIGXFSZ blocked.
  bool own_process = true;

  // Ends a run with own_process == false, as SIGTERM does the other kind: see StopSignals::FromEvent().
  int cancel_fd = -1;

  // The standard streams: the program's, or without one the console's. Not owned.
  int input_fd = STDIN_FILENO;
  int output_fd = STDOUT_FILENO;
  int error_fd = STDERR_FILENO;

  // See the bytes in order, before a descriptor gets them. Empty: nobody does.
  OnBytes on_console;
  OnBytes on_stdout;
  OnBytes on_stderr;

  bool keep_tests = false;           // RunOutcome::tests, also if the configuration names no file for them
  const LogFunction* log = nullptr;  // takes the messages of the run's threads; null: they go where they went
};

}  // namespace vmm

#endif  // VMM_RUN_SURROUNDINGS_H_
