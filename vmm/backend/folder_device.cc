#include "vmm/backend/folder_device.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "devices/virtio/fs/vhost_user.h"
#include "devices/virtio/fs/virtio_fs.h"
#include "devices/virtio/p9/virtio_9p.h"
#include "vmm/backend/find_program.h"

namespace vmm {
namespace {

// The one in Rust first: it is the one that is kept up.
constexpr std::array<std::string_view, 4> kVirtiofsd = {"/usr/libexec/virtiofsd", "virtiofsd", "/usr/lib/virtiofsd",
                                                        "/usr/lib/qemu/virtiofsd"};
constexpr std::array<std::string_view, 1> kDiod = {"diod"};
constexpr int kPassedOn = 3;  // the number of the first descriptor that a BackEndPlan passes on

// `path` without symbolic links. It must be a folder.
absl::StatusOr<std::string> ResolveFolder(const std::string& path) {
  char* const resolved = realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return ErrnoStatus(errno, path);
  std::string folder(resolved);
  std::free(resolved);
  struct stat what;
  if (stat(folder.c_str(), &what) != 0) return ErrnoStatus(errno, path);
  if (!S_ISDIR(what.st_mode)) return absl::InvalidArgumentError(path + ": not a folder");
  return folder;
}

struct Sockets {
  UniqueFd listening;  // for virtiofsd, which wants to accept a connection
  UniqueFd connected;  // and this is the connection
};

// The socket has an abstract name that nobody can guess. It has room for one connection, which is ours, so nobody else
// can get to the program even after reading the name in /proc/net/unix.
absl::StatusOr<Sockets> MakeSockets() {
  std::array<char, 16> secret;
  if (getrandom(secret.data(), secret.size(), 0) != static_cast<ssize_t>(secret.size())) {
    return ErrnoStatus(errno, "getrandom");
  }
  const std::string name = "vmm-" + absl::BytesToHexString({secret.data(), secret.size()});
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  const auto* const at = reinterpret_cast<const sockaddr*>(&address);
  const socklen_t size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());

  Sockets sockets;
  sockets.listening.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockets.connected.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const bool connected =
      sockets.listening.valid() && sockets.connected.valid() && bind(sockets.listening.get(), at, size) == 0 &&
      listen(sockets.listening.get(), /*waiting behind the first=*/0) == 0 &&
      connect(sockets.connected.get(), at, size) == 0 && fcntl(sockets.connected.get(), F_SETFL, 0) == 0;
  if (!connected) return ErrnoStatus(errno, "connect two sockets");
  return sockets;
}

std::function<void(std::string)> NameIt(const std::string& name, OnBackEndEnd on_end) {
  return [name, on_end = std::move(on_end)](const std::string& how) {
    if (on_end) on_end(absl::AbortedError(absl::StrCat(name, " ", how)));
  };
}

absl::StatusOr<BackedDevice> ShareByVirtiofsd(const HostFolder& folder, const std::string& path, GuestMemory& memory,
                                              OnBackEndEnd on_end) {
  ASSIGN_OR_RETURN(const std::string program, FindProgram(kVirtiofsd, "qemu-system-common (Debian 12) or virtiofsd"));
  ASSIGN_OR_RETURN(const std::string help, AskProgram(program, "--help"));
  ASSIGN_OR_RETURN(Sockets sockets, MakeSockets());
  const std::string name = "virtiofsd of " + folder.path;
  HostFolder resolved = folder;
  resolved.path = path;
  BackEndPlan plan = {.name = name,
                      .argv = VirtiofsdArguments(program, help, resolved, kPassedOn),
                      .descriptors = {sockets.listening.get()},
                      .world = BackEndPlan::World::kRootThere,
                      .read_only_folder = folder.read_only ? path : ""};
  BackedDevice made;
  ASSIGN_OR_RETURN(made.process, BackEndProcess::Start(std::move(plan), NameIt(name, std::move(on_end))));
  sockets.listening.reset();  // if the program ends, the connection does too
  ASSIGN_OR_RETURN(std::unique_ptr<VhostUser> back_end,
                   VhostUser::Connect(name, std::move(sockets.connected), VirtioFs::kQueues, {}));
  made.device = std::make_unique<VirtioFs>(folder.tag, std::move(back_end), memory);
  return made;
}

absl::StatusOr<BackedDevice> ShareByDiod(const HostFolder& folder, const std::string& path, OnBackEndEnd on_end) {
  ASSIGN_OR_RETURN(const std::string program, FindProgram(kDiod, "diod"));
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) return ErrnoStatus(errno, "socketpair");
  UniqueFd ours(fds[0]), theirs(fds[1]);
  const std::string name = "diod of " + folder.path;
  const std::string fd = absl::StrCat(kPassedOn);
  BackEndPlan plan = {.name = name,
                      .argv = {program, "--foreground", "--rfdno", fd, "--wfdno", fd, "--no-auth", "--no-userdb",
                               "--config-file", "/dev/null", "--logdest", "stderr", "--export", path},
                      .descriptors = {theirs.get()},
                      .world = BackEndPlan::World::kNotRoot,  // root's diod wants to change its groups
                      .read_only_folder = folder.read_only ? path : ""};
  BackedDevice made;
  ASSIGN_OR_RETURN(made.process, BackEndProcess::Start(std::move(plan), NameIt(name, std::move(on_end))));
  made.device = std::make_unique<Virtio9p>(
      folder.tag, Virtio9p::Attach{path, geteuid() != 0 ? geteuid() : BackEndPlan::kNobody}, std::move(ours));
  return made;
}

}  // namespace

std::vector<std::string> VirtiofsdArguments(const std::string& program, const std::string& help,
                                            const HostFolder& folder, int fd) {
  // The namespaces are ours already (BackEndPlan), so a chroot is enough. It needs no mount of /proc, which containers
  // forbid.
  if (!absl::StrContains(help, "--shared-dir")) {
    return {program, absl::StrCat("--fd=", fd), "-f", "-o",
            absl::StrCat("source=", folder.path, ",sandbox=chroot,cache=auto",
                         folder.announce_mounts ? ",announce_submounts" : "", ",log_level=warn")};
  }
  std::vector<std::string> words = {program,     absl::StrCat("--fd=", fd), "--shared-dir",
                                    folder.path, "--sandbox=chroot",        "--cache=auto"};
  if (folder.announce_mounts) words.emplace_back("--announce-submounts");
  // Our mount is read-only in any case. With this the guest also hears of it.
  if (folder.read_only && absl::StrContains(help, "--readonly")) words.push_back("--readonly");
  return words;
}

absl::StatusOr<BackedDevice> ShareFolder(const HostFolder& folder, GuestMemory& memory, OnBackEndEnd on_end) {
  const std::string context = "share " + folder.path;
  ASSIGN_OR_RETURN(const std::string path, Annotate(ResolveFolder(folder.path), context));
  // Both programs take it as part of a list.
  if (absl::StrContains(path, ',')) {
    return absl::InvalidArgumentError(context + ": a path with a comma cannot be told to virtiofsd");
  }
  if (folder.nine_p) return Annotate(ShareByDiod(folder, path, std::move(on_end)), context);
  return Annotate(ShareByVirtiofsd(folder, path, memory, std::move(on_end)), context);
}

}  // namespace vmm
