// /etc/ld.so.cache: where ldconfig found each library of the host.
#ifndef VMM_HARNESS_LOADER_CACHE_H_
#define VMM_HARNESS_LOADER_CACHE_H_

#include <map>
#include <string>
#include <string_view>

namespace vmm {

// By library name, the path of its 64-bit x86 build. Of several, ldconfig's first: it sorts the best one to the front.
// Builds for special processors (glibc-hwcaps) are left out, because every guest can use the plain one.
using LoaderCache = std::map<std::string, std::string, std::less<>>;

// `bytes` is the file as glibc 2.2 and later write it ("glibc-ld.so.cache1.1"). Entries that point outside the file are
// left out; the map is empty if the file is of another kind.
LoaderCache ReadLoaderCache(std::string_view bytes);

}  // namespace vmm

#endif  // VMM_HARNESS_LOADER_CACHE_H_
