#include "vmm/lib/libvmm.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <new>
#include <utility>

#include "base/status.h"
#include "base/thread_log.h"
#include "base/unique_fd.h"
#include "vmm/lib/capture.h"
#include "vmm/lib/from_run_outcome.h"
#include "vmm/lib/run_thread.h"
#include "vmm/lib/to_vm_config.h"
#include "vmm/run/run_vm.h"

namespace libvmm {
namespace {

// A file in memory, so that no process needs to feed a pipe.
absl::StatusOr<vmm::UniqueFd> OpenInput(const std::string& input) {
  vmm::UniqueFd fd(memfd_create("vmm-input", MFD_CLOEXEC));
  if (!fd.valid()) return vmm::ErrnoStatus(errno, "input: memfd_create");
  for (size_t done = 0; done < input.size();) {
    const ssize_t put = pwrite(fd.get(), input.data() + done, input.size() - done, static_cast<off_t>(done));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return vmm::ErrnoStatus(errno, "input: write to a file in memory");
    done += static_cast<size_t>(put);
  }
  return fd;
}

}  // namespace

struct Vm::Parts {
  vmm::VmConfig config;
  std::string input;
  vmm::UniqueFd cancel;  // as vmm::StopSignals::FromEvent() wants it
  vmm::LogFunction log;
  Capture console, out, err;
  std::atomic<bool> begun = false;

  absl::StatusOr<RunOutcome> Run() {
    ASSIGN_OR_RETURN(const vmm::UniqueFd input_fd, OpenInput(input));
    const vmm::UniqueFd nowhere(open("/dev/null", O_WRONLY | O_CLOEXEC));
    if (!nowhere.valid()) return vmm::ErrnoStatus(errno, "/dev/null");
    const vmm::Surroundings around{.own_process = false,
                                   .cancel_fd = cancel.get(),
                                   .input_fd = input_fd.get(),
                                   .output_fd = nowhere.get(),
                                   .error_fd = nowhere.get(),
                                   .on_console = [this](std::span<const uint8_t> bytes) { console.Take(bytes); },
                                   .on_stdout = [this](std::span<const uint8_t> bytes) { out.Take(bytes); },
                                   .on_stderr = [this](std::span<const uint8_t> bytes) { err.Take(bytes); },
                                   .keep_tests = true,
                                   .log = &log};
    ASSIGN_OR_RETURN(RunOutcome outcome, FromRunOutcome(config, vmm::RunVm(config, around)));
    outcome.console = console.Release();
    outcome.stdout_stream = out.Release();
    outcome.stderr_stream = err.Release();
    return outcome;
  }
};

absl::StatusOr<std::unique_ptr<Vm>> Vm::Create(Config config) {
  ASSIGN_OR_RETURN(vmm::VmConfig run, ToVmConfig(config));
  vmm::UniqueFd cancel(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE));
  if (!cancel.valid()) return vmm::ErrnoStatus(errno, "eventfd");
  vmm::LogFunction log = [to = std::move(config.on_message)](vmm::LogLevel level, std::string_view text) {
    if (to && level != vmm::LogLevel::kDebug) to(text);
  };
  return std::unique_ptr<Vm>(new Vm(std::make_unique<Parts>(
      std::move(run), std::move(config.input), std::move(cancel), std::move(log),
      Capture(config.keep_bytes, std::move(config.on_console)), Capture(config.keep_bytes, std::move(config.on_stdout)),
      Capture(config.keep_bytes, std::move(config.on_stderr)))));
}

Vm::Vm(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Vm::~Vm() = default;

absl::StatusOr<RunOutcome> Vm::Run() {
  if (parts_->begun.exchange(true)) return absl::FailedPreconditionError("this Vm has had its run: make another one");
  absl::StatusOr<RunOutcome> outcome = absl::UnknownError("not run");
  const absl::Status ran = RunOnOwnThread([&] {
    try {
      outcome = parts_->Run();
    } catch (const std::bad_alloc&) {
      outcome = absl::ResourceExhaustedError("out of memory");
    }
  });
  if (!ran.ok()) return ran;
  return outcome;
}

void Vm::Cancel() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t told = write(parts_->cancel.get(), &one, sizeof(one));
}

absl::StatusOr<RunOutcome> Run(Config config) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Vm> vm, Vm::Create(std::move(config)));
  return vm->Run();
}

}  // namespace libvmm
