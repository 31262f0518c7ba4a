// Finds other people's programs that talk to the backdoor.
#ifndef GUEST_TESTS_VMPORT_CLIENTS_H_
#define GUEST_TESTS_VMPORT_CLIENTS_H_

#include <string>
#include <string_view>

namespace vmm {

// Returns `path` ("/usr/bin/vmtoolsd") in the folder that fetch-clients prints and VMM_TEST_CLIENTS names. Without that
// variable, returns the path on this machine.
std::string ClientPath(std::string_view path);

// Lets processes that start from now on find those programs' libraries and Python modules.
void UseClientLibraries();

}  // namespace vmm

#endif  // GUEST_TESTS_VMPORT_CLIENTS_H_
