#include "vmm/lib/vmm_c.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vmm/lib/libvmm.h"

struct vmm_vm {
  std::unique_ptr<libvmm::Vm> vm;

  // After the run. The C side's texts are those of `outcome`.
  libvmm::RunOutcome outcome;
  std::vector<vmm_subtest> subtests;
  vmm_outcome view;
};

namespace libvmm {
namespace {

thread_local std::string last_error;

std::string Text(const char* text) { return text == nullptr ? "" : text; }

std::vector<std::string> List(const char* const* words) {
  std::vector<std::string> list;
  for (; words != nullptr && *words != nullptr; ++words) list.emplace_back(*words);
  return list;
}

absl::Duration Time(double seconds) { return seconds == 0 ? absl::InfiniteDuration() : absl::Seconds(seconds); }

std::function<void(std::string_view)> Listener(vmm_listener listener, void* user) {
  if (listener == nullptr) return nullptr;
  return [listener, user](std::string_view bytes) { listener(user, bytes.data(), bytes.size()); };
}

absl::StatusOr<Config> FromC(const vmm_config& c) {
  Config config{.kernel = Text(c.kernel),
                .initrd = Text(c.initrd),
                .command_line = Text(c.command_line),
                .program = List(c.program),
                .environment = List(c.environment),
                .modules = List(c.modules),
                .modules_folder = Text(c.modules_folder),
                .working_folder = Text(c.working_folder),
                .memory_mib = c.memory_mib,
                .cpus = c.cpus,
                .timeout = Time(c.timeout),
                .hang_after = Time(c.hang_after),
                .dump_dir = Text(c.dump_dir),
                .dump_level = c.dump_level,
                .keep_bytes = c.keep_bytes,
                .on_console = Listener(c.on_console, c.user),
                .on_stdout = Listener(c.on_stdout, c.user),
                .on_stderr = Listener(c.on_stderr, c.user),
                .on_message = Listener(c.on_message, c.user)};
  if (c.input != nullptr) config.input.assign(c.input, c.input_size);
  const std::vector<std::string> files = List(c.files);
  if (files.size() % 2 != 0) return absl::InvalidArgumentError("files: " + files.back() + " has no path in the guest");
  for (size_t i = 0; i < files.size(); i += 2) config.files.emplace_back(files[i], files[i + 1]);
  return config;
}

vmm_stream View(const Stream& stream) {
  return {.bytes = stream.bytes.c_str(), .size = stream.bytes.size(), .dropped = stream.dropped};
}

// Recurses as deep as the tree, which the parser limits.
void AddSubtests(const std::vector<Subtest>& tests, int depth, std::vector<vmm_subtest>& list) {
  for (const Subtest& test : tests) {
    list.push_back({.name = test.name.c_str(),
                    .verdict = test.verdict.c_str(),
                    .message = test.message.c_str(),
                    .failed = test.failed ? 1 : 0,
                    .depth = depth});
    AddSubtests(test.subtests, depth + 1, list);
  }
}

void MakeView(vmm_vm& vm) {
  const RunOutcome& outcome = vm.outcome;
  AddSubtests(outcome.subtests, 0, vm.subtests);
  vm.view = {.outcome = outcome.outcome.c_str(),
             .exit_code = outcome.exit_code,
             .has_status = outcome.status.has_value() ? 1 : 0,
             .status = outcome.status.value_or(0),
             .summary = outcome.summary.c_str(),
             .cause = outcome.cause.c_str(),
             .signature = outcome.signature.c_str(),
             .console = View(outcome.console),
             .stdout_stream = View(outcome.stdout_stream),
             .stderr_stream = View(outcome.stderr_stream),
             .dump_path = outcome.dump_path.c_str(),
             .record = outcome.record.c_str(),
             .junit = outcome.junit.c_str(),
             .subtests = vm.subtests.data(),
             .subtest_count = vm.subtests.size()};
}

// What no caller in C could catch becomes an error.
template <typename Work>
auto WithoutExceptions(Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::exception& failed) {
    last_error = failed.what();
  } catch (...) {
    last_error = "unknown error";
  }
  return nullptr;
}

}  // namespace
}  // namespace libvmm

extern "C" {

void vmm_config_init(vmm_config* config, size_t size) {
  const libvmm::Config defaults;
  vmm_config ours = {};
  ours.size = size;
  ours.memory_mib = defaults.memory_mib;
  ours.cpus = defaults.cpus;
  ours.dump_level = defaults.dump_level;
  ours.keep_bytes = defaults.keep_bytes;
  std::memset(config, 0, size);
  std::memcpy(config, &ours, std::min(size, sizeof(ours)));
}

vmm_vm* vmm_new(const vmm_config* config) {
  return libvmm::WithoutExceptions([&]() -> vmm_vm* {
    // A program that was compiled with an older header has fewer fields: the others keep their defaults.
    vmm_config ours;
    vmm_config_init(&ours, sizeof(ours));
    std::memcpy(&ours, config, std::min(config->size, sizeof(ours)));
    auto ready = libvmm::FromC(ours);
    auto vm = ready.ok() ? libvmm::Vm::Create(*std::move(ready)) : ready.status();
    if (vm.ok()) return new vmm_vm{.vm = *std::move(vm), .outcome = {}, .subtests = {}, .view = {}};
    libvmm::last_error = std::string(vm.status().message());
    return nullptr;
  });
}

const vmm_outcome* vmm_run(vmm_vm* vm) {
  return libvmm::WithoutExceptions([&]() -> const vmm_outcome* {
    auto outcome = vm->vm->Run();
    if (!outcome.ok()) {
      libvmm::last_error = std::string(outcome.status().message());
      return nullptr;
    }
    vm->outcome = *std::move(outcome);
    libvmm::MakeView(*vm);
    return &vm->view;
  });
}

void vmm_cancel(vmm_vm* vm) { vm->vm->Cancel(); }

void vmm_free(vmm_vm* vm) { delete vm; }

const char* vmm_last_error(void) { return libvmm::last_error.c_str(); }

}  // extern "C"
