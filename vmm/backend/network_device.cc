#include "vmm/backend/network_device.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "devices/virtio/net/frame_device.h"
#include "devices/virtio/net/frame_stream.h"
#include "devices/virtio/net/virtio_net.h"
#include "vmm/backend/find_program.h"
#include "vmm/backend/open_tap.h"

namespace vmm {
namespace {

constexpr std::array<std::string_view, 1> kPasst = {"passt"};
constexpr int kPassedOn = 3;  // the number of the first descriptor that a BackEndPlan passes on

// passt's own default: the fewer packets, the less each byte costs.
constexpr uint16_t kPasstMtu = 65520;

absl::StatusOr<BackedDevice> ConnectPasst(const HostNetwork& network, OnBackEndEnd on_end) {
  ASSIGN_OR_RETURN(const std::string program, FindProgram(kPasst, "passt"));
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) return ErrnoStatus(errno, "socketpair");
  UniqueFd ours(fds[0]), theirs(fds[1]);
  BackEndPlan plan = {
      .name = "passt", .argv = PasstArguments(program, network, kPassedOn), .descriptors = {theirs.get()}};
  BackedDevice made;
  ASSIGN_OR_RETURN(made.process,
                   BackEndProcess::Start(std::move(plan), [on_end = std::move(on_end)](const std::string& how) {
                     if (on_end) on_end(absl::AbortedError("passt " + how));
                   }));
  made.device =
      std::make_unique<VirtioNet>(network.mac, kPasstMtu, std::make_unique<FrameStream>("passt", std::move(ours)));
  return made;
}

}  // namespace

std::vector<std::string> PasstArguments(const std::string& program, const HostNetwork& network, int fd) {
  std::vector<std::string> words = {program, "--foreground", "--quiet", "--fd", absl::StrCat(fd)};
  for (const auto& [host, guest] : network.ports) {
    words.push_back("--tcp-ports");
    words.push_back(absl::StrCat(host, ":", guest));
  }
  return words;
}

absl::StatusOr<BackedDevice> ConnectNetwork(const HostNetwork& network, OnBackEndEnd on_end) {
  if (network.tap.empty()) return Annotate(ConnectPasst(network, std::move(on_end)), "network of the user");
  ASSIGN_OR_RETURN(UniqueFd tap, OpenTap(network.tap));
  BackedDevice made;
  made.device =
      std::make_unique<VirtioNet>(network.mac, /*mtu=*/0, std::make_unique<FrameDevice>(network.tap, std::move(tap)));
  return made;
}

}  // namespace vmm
