// Makes a folder that the host shares the root of the guest.
#ifndef VMM_HARNESS_INIT_ROOT_H_
#define VMM_HARNESS_INIT_ROOT_H_

struct RootFailure {
  long error;        // 0: none; else negative
  const char* step;  // the step that failed
};

// Mounts the root that `described` names (a kPlanRoot record's text), moves /dev, /proc and /sys there with all that is
// mounted below, and makes it the root of this process. Modules must be loaded. /lib/modules is hidden if it has none
// for the running kernel.
struct RootFailure enter_root(const char* described);

#endif  // VMM_HARNESS_INIT_ROOT_H_
