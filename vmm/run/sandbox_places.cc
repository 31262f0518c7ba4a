#include "vmm/run/sandbox_places.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

// A regular file is replaced by one that is made beside it. What is no regular file is written to.
std::string PlaceOfResult(const std::string& path) {
  std::error_code error;
  const std::filesystem::path file = std::filesystem::canonical(path, error);
  if (!error && !std::filesystem::is_regular_file(file, error)) return path;
  return (error ? std::filesystem::absolute(path) : file).parent_path();
}

}  // namespace

std::vector<std::string> WritablePlaces(const VmConfig& config, const DumpDirs& dirs) {
  std::vector<std::string> places;
  for (const absl::StatusOr<OutputDir>* dir : {&dirs.first, &dirs.fallback}) {
    if (dir->ok()) places.push_back(absl::StrFormat("/proc/self/fd/%d", (*dir)->fd()));
  }
  for (const std::string* file : {&config.result_path, &config.ktap_path, &config.junit_path}) {
    if (!file->empty()) places.push_back(PlaceOfResult(*file));
  }
  return places;
}

std::vector<std::string> SocketFolders(const VmConfig& config) {
  std::vector<std::string> sockets = {config.qmp_path, config.gdb_path, config.virtio.vsock_path};
  for (const PortConfig& port : config.virtio.ports) {
    if (port.where.starts_with("unix:")) sockets.push_back(port.where.substr(5));
  }
  std::vector<std::string> folders;
  for (const std::string& socket : sockets) {
    if (!socket.empty()) folders.push_back(std::filesystem::absolute(socket).parent_path());
  }
  return folders;
}

}  // namespace vmm
