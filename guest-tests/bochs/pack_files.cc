// pack_files ROOT NAME...: writes files, or all files in a folder, to standard output without their holes: a vmcore of
// 64 MiB has a few hundred KiB of data, and a serial port is slow. Writes for each run of data a line "PATH SIZE OFFSET
// LENGTH" and its bytes, and for a file without data a line with length 0. PATH is relative to ROOT. results.py reads
// it.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

bool Put(int fd, const std::string& name, off_t size, off_t offset, off_t length) {
  std::printf("%s %lld %lld %lld\n", name.c_str(), static_cast<long long>(size), static_cast<long long>(offset),
              static_cast<long long>(length));
  std::vector<char> buffer(64 << 10);
  while (length > 0) {
    const ssize_t got = pread(fd, buffer.data(), std::min<size_t>(buffer.size(), static_cast<size_t>(length)), offset);
    if (got <= 0) return false;
    std::fwrite(buffer.data(), 1, static_cast<size_t>(got), stdout);
    offset += got;
    length -= got;
  }
  return true;
}

bool Pack(const fs::path& root, const fs::path& file) {
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info = {};
  if (fd < 0 || fstat(fd, &info) != 0) return false;
  const std::string name = fs::relative(file, root);
  bool ok = true;
  off_t end = 0;
  for (;;) {
    const off_t data = lseek(fd, end, SEEK_DATA);
    if (data < 0) break;
    end = lseek(fd, data, SEEK_HOLE);
    ok &= end > data && Put(fd, name, info.st_size, data, end - data);
    if (!ok) break;
  }
  if (end == 0) ok &= Put(fd, name, info.st_size, 0, 0);
  close(fd);
  return ok;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: pack_files ROOT NAME...\n");
    return 2;
  }
  const fs::path root = argv[1];
  bool ok = true;
  for (int i = 2; i < argc; ++i) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / argv[i])) {
      if (entry.is_regular_file()) ok &= Pack(root, entry.path());
    }
  }
  return ok && std::fflush(stdout) == 0 ? 0 : 1;
}
