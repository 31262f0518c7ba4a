#include "vmm/lib/run_thread.h"

#include <pthread.h>

#include <csignal>
#include <string>
#include <system_error>
#include <thread>

namespace libvmm {
namespace {

// The handlers of these report a crash, or a sanitizer's finding, and then end the process. Blocked they would end it
// without a word.
constexpr int kFaults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS};

}  // namespace

absl::Status RunOnOwnThread(const std::function<void()>& run) {
  sigset_t blocked, before;
  sigfillset(&blocked);
  for (const int fault : kFaults) sigdelset(&blocked, fault);
  // A thread inherits the mask. A signal that comes meanwhile reaches this thread when its mask is back.
  pthread_sigmask(SIG_SETMASK, &blocked, &before);
  std::thread thread;
  std::string error;
  try {
    thread = std::thread([&run] {
      pthread_setname_np(pthread_self(), "vmm-run");
      run();
    });
  } catch (const std::system_error& failed) {
    error = failed.what();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!thread.joinable()) return absl::ResourceExhaustedError("start a thread for the run: " + error);
  thread.join();
  return absl::OkStatus();
}

}  // namespace libvmm
