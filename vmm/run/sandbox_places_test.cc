#include "vmm/run/sandbox_places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "vmm/config/vm_config.h"

namespace vmm {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::filesystem::path TempDir() { return std::filesystem::canonical(testing::TempDir()); }

TEST(SandboxPlacesTest, ARunWithoutOutputsNeedsNoPlace) {
  EXPECT_THAT(WritablePlaces(VmConfig(), DumpDirs()), IsEmpty());
  EXPECT_THAT(SocketFolders(VmConfig()), IsEmpty());
}

TEST(SandboxPlacesTest, ARecordThatIsToBeMadeNeedsItsFolder) {
  VmConfig config;
  config.result_path = TempDir() / "not-there-yet.json";
  EXPECT_THAT(WritablePlaces(config, DumpDirs()), ElementsAre(TempDir()));
}

TEST(SandboxPlacesTest, ARecordBehindASymbolicLinkNeedsTheFolderOfTheFileItself) {
  const std::filesystem::path dir = TempDir() / "sandbox_places_target";
  const std::filesystem::path link = TempDir() / "sandbox_places_link.json";
  std::filesystem::create_directory(dir);
  std::ofstream(dir / "result.json") << "{}";
  std::filesystem::remove(link);
  std::filesystem::create_symlink(dir / "result.json", link);
  VmConfig config;
  config.result_path = link;
  EXPECT_THAT(WritablePlaces(config, DumpDirs()), ElementsAre(dir));
}

TEST(SandboxPlacesTest, ARecordThatIsADeviceNeedsNothingElseInItsFolder) {
  VmConfig config;
  config.result_path = "/dev/null";
  EXPECT_THAT(WritablePlaces(config, DumpDirs()), ElementsAre("/dev/null"));
}

TEST(SandboxPlacesTest, EachSocketNeedsItsFolderAndAPortThatIsAFileNeedsNone) {
  VmConfig config;
  config.qmp_path = "/run/a/qmp";
  config.gdb_path = "/run/b/gdb";
  config.virtio.ports = {{.name = "p", .where = "unix:/run/c/port"}, {.name = "q", .where = "file:/run/d/log"}};
  EXPECT_THAT(SocketFolders(config), ElementsAre("/run/a", "/run/b", "/run/c"));
}

}  // namespace
}  // namespace vmm
