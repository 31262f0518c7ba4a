// cloud-init reads what we pass as guestinfo: its DataSourceVMware runs the real vmware-rpctool many times, and each
// run finds the backdoor as the one before left it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "devices/vmport/testing/backdoor_client.h"
#include "guest-tests/vmport/clients.h"

namespace vmm {
namespace {

namespace fs = std::filesystem;

// Returns the output and the status of a shell command.
std::pair<std::string, int> Shell(const std::string& command) {
  FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
  std::string output;
  for (int c; (c = std::fgetc(pipe)) != EOF;) output.push_back(static_cast<char>(c));
  return {output, pclose(pipe)};
}

TEST(CloudInitTest, ItReadsMetadataAndUserdataAndHidesWhatItIsTold) {
  const std::string rpctool = ClientPath("/usr/bin/vmware-rpctool");
  if (access(rpctool.c_str(), X_OK) != 0) GTEST_SKIP() << rpctool << " is not there: vmport/fetch-clients gets it";
  UseClientLibraries();
  if (Shell("/usr/bin/python3 -c 'import cloudinit.sources.DataSourceVMware'").second != 0) {
    GTEST_SKIP() << "/usr/bin/python3 finds no cloudinit: vmport/fetch-clients gets it";
  }
  const fs::path directory = fs::path(testing::TempDir()) / "cloud-init";
  fs::create_directories(directory);

  TestBackdoor before;
  // base64 of "instance-id: i-42\nlocal-hostname: probe\nredact: [userdata]\n"
  ASSERT_TRUE(
      before.backdoor
          .SetGuestInfo("metadata", "aW5zdGFuY2UtaWQ6IGktNDIKbG9jYWwtaG9zdG5hbWU6IHByb2JlCnJlZGFjdDogW3VzZXJkYXRhXQo=")
          .ok());
  ASSERT_TRUE(before.backdoor.SetGuestInfo("metadata.encoding", "base64").ok());
  ASSERT_TRUE(before.backdoor.SetGuestInfo("userdata", "#cloud-config\nruncmd: [poweroff]").ok());
  std::ofstream(directory / "state", std::ios::binary) << before.backdoor.Save();

  const fs::path tool = directory / "vmware-rpctool";
  std::ofstream(tool) << "#!/bin/sh\nexec " << fs::absolute("guest-tests/vmport/with_backdoor").string() << " "
                      << (directory / "state").string() << " " << rpctool << " \"$@\"\n";
  fs::permissions(tool, fs::perms::owner_all);

  const auto [output, status] = Shell("PATH=" + directory.string() +
                                      ":$PATH /usr/bin/python3 guest-tests/vmport/cloud_init.py " + directory.string());
  EXPECT_EQ(status, 0) << output;
  EXPECT_EQ(output, "guestinfo\ni-42 probe\n#cloud-config\nruncmd: [poweroff]\nNone\n");

  std::ifstream file(directory / "state", std::ios::binary);
  TestBackdoor after;
  ASSERT_TRUE(
      after.backdoor.Restore(std::string(std::istreambuf_iterator<char>(file), {}), Backdoor::RestoreMode::kExact)
          .ok());
  EXPECT_EQ(after.backdoor.GuestInfo().at("userdata"), (GuestInfoStore::Entry{"---", GuestInfoStore::By::kGuest}));
}

}  // namespace
}  // namespace vmm
