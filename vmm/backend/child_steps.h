// What a new process does between fork(2) and execv(2).
#ifndef VMM_BACKEND_CHILD_STEPS_H_
#define VMM_BACKEND_CHILD_STEPS_H_

#include <sys/types.h>

#include <span>
#include <string_view>

namespace vmm {

inline constexpr size_t kMostDescriptors = 8;

// All that the child needs, made before the fork: afterwards nothing may allocate or lock.
struct ChildOrder {
  char* const* argv = nullptr;
  std::span<const int> descriptors;  // become 3, 4, ...; at most kMostDescriptors
  int output = -1;                   // becomes standard output and error
  int failure = -1;                  // close-on-exec; gets a ChildFailure if a step fails
  pid_t parent = 0;
  bool own_namespaces = false;
  const char* read_only_folder = nullptr;  // null: none
  // Lines for /proc/self/uid_map and gid_map; empty: no user namespace.
  std::string_view uid_map, gid_map;
};

struct ChildFailure {
  const char* step;  // a literal, so the address is good in the parent
  int error;         // errno
};

// Does not return. Async-signal-safe.
[[noreturn]] void BecomeBackEnd(const ChildOrder& order);

}  // namespace vmm

#endif  // VMM_BACKEND_CHILD_STEPS_H_
