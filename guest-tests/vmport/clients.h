// Where other people's programs are that speak with the backdoor.
#ifndef GUEST_TESTS_VMPORT_CLIENTS_H_
#define GUEST_TESTS_VMPORT_CLIENTS_H_

#include <string>
#include <string_view>

namespace vmm {

// `path` ("/usr/bin/vmtoolsd") in the folder that fetch-clients prints, which is in VMM_TEST_CLIENTS;
// without that, of this machine.
std::string ClientPath(std::string_view path);

// Lets the processes that are started from now on find those programs' libraries and Python modules.
void UseClientLibraries();

}  // namespace vmm

#endif  // GUEST_TESTS_VMPORT_CLIENTS_H_
