// with_backdoor STATE PROGRAM [ARG...]: runs a program of open-vm-tools against a backdoor. The file STATE holds the
// backdoor's state and keeps it for the next run.

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "devices/vmport/backdoor.h"
#include "guest-tests/vmport/traced_client.h"

namespace vmm {
namespace {

int Main(const std::string& state, const std::vector<std::string>& argv) {
  std::ifstream in(state, std::ios::binary);
  const std::string image(std::istreambuf_iterator<char>(in), {});
  const SystemClock clock;
  Backdoor backdoor({}, clock, [&clock] { return clock.Now() - absl::UnixEpoch(); });
  if (const absl::Status status = backdoor.Restore(image, Backdoor::RestoreMode::kExact); !status.ok()) {
    std::fprintf(stderr, "with_backdoor: %s: %s\n", state.c_str(), status.ToString().c_str());
    return 125;
  }
  const TraceOptions options = {.on_in = [&backdoor](BackdoorRegisters& registers) { backdoor.In(0, 4, registers); }};
  const auto run = RunTraced(argv, options);
  if (!run.ok()) {
    std::fprintf(stderr, "with_backdoor: %s\n", run.status().ToString().c_str());
    return 125;
  }
  std::fwrite(run->out.data(), 1, run->out.size(), stdout);
  std::fwrite(run->err.data(), 1, run->err.size(), stderr);
  std::ofstream(state, std::ios::binary | std::ios::trunc) << backdoor.Save();
  return run->exit_status;
}

}  // namespace
}  // namespace vmm

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: with_backdoor STATE PROGRAM [ARG...]\n");
    return 125;
  }
  return vmm::Main(argv[1], {argv + 2, argv + argc});
}
