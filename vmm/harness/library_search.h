// Finds the shared libraries of a program as the dynamic loader would find them when it starts the program.
#ifndef VMM_HARNESS_LIBRARY_SEARCH_H_
#define VMM_HARNESS_LIBRARY_SEARCH_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "vmm/harness/loader_cache.h"

namespace vmm {

// Where to look. Folders are the host's, and so are all paths here.
struct LibraryFolders {
  std::vector<std::string> environment;  // LD_LIBRARY_PATH of the program
  LoaderCache cache;
  std::vector<std::string> defaults;  // tried last
};

// The loader's own folders on the distributions that we know, and this host's /etc/ld.so.cache, if it can be read.
LibraryFolders HostLibraryFolders();

// Returns the paths of all libraries that the program or library at `path` needs, directly or not, each once, breadth
// first; not its interpreter. The rules are those of ld.so(8): DT_RPATH of the file and of those that loaded it, the
// environment, DT_RUNPATH, the cache, the default folders; with $ORIGIN, $LIB and $PLATFORM. A library for another
// processor is passed over. NotFound names a library that is nowhere, and the file that needs it.
absl::StatusOr<std::vector<std::string>> FindLibraries(const std::string& path, const LibraryFolders& folders);

}  // namespace vmm

#endif  // VMM_HARNESS_LIBRARY_SEARCH_H_
