// Wrong flags, one row for each kind of mistake. Each run ends with 125 at once, before anything starts, and its last
// line says what was wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "guest-tests/vmm_process.h"

namespace vmm {
namespace {

using testing::HasSubstr;

struct BadFlags {
  const char* name;
  std::vector<std::string> args;
  std::vector<const char*> said;  // the last line must contain each
};

void PrintTo(const BadFlags& row, std::ostream* out) { *out << row.name; }

const std::string kHello = "--kernel=guest-tests/hello.elf";

const std::vector<BadFlags>& Table() {
  static const auto& rows = *new std::vector<BadFlags>{
      {"NoFlagsAtAll", {}, {"--kernel=FILE is needed"}},
      {"NoKernel", {"--memory=64M"}, {"--kernel=FILE is needed"}},
      {"EmptyKernel", {"--kernel="}, {"--kernel=FILE is needed"}},
      {"KernelWithoutAValue", {"--kernel"}, {"--kernel: a value must follow"}},
      {"MissingKernelFile", {"--kernel=guest-tests/none.elf"}, {"guest-tests/none.elf", "No such file or directory"}},
      {"KernelIsADirectory", {"--kernel=/"}, {"/", "directory"}},
      {"KernelIsWithoutEnd", {"--kernel=/dev/zero"}, {"/dev/zero", "it is a character device"}},
      {"InitrdIsWithoutEnd", {kHello, "--initrd=/dev/zero"}, {"/dev/zero", "it is a character device"}},
      {"SymbolsWithoutEnd", {kHello, "--symbols=/dev/zero"}, {"--symbols: /dev/zero: it is a character device"}},
      {"SymbolsOfADirectory", {kHello, "--symbols=/"}, {"--symbols: /: it is a directory"}},
      {"VmcoreinfoWithoutEnd",
       {kHello, "--vmcoreinfo=/dev/zero"},
       {"--vmcoreinfo: /dev/zero: it is a character device"}},
      {"VmcoreinfoOfADirectory", {kHello, "--vmcoreinfo=/"}, {"--vmcoreinfo: /: it is a directory"}},
      {"GuestinfoFileOfADirectory", {kHello, "--vmport", "--guestinfo-file=k=/"}, {"k=/: /: it is a directory"}},
      {"KernelIsADevice", {"--kernel=/dev/null"}, {"/dev/null", "it is a character device"}},
      {"KernelIsNoKernel", {"--kernel=guest-tests/not_a_kernel.txt"}, {"guest-tests/not_a_kernel.txt", "a text file"}},
      {"KernelIsAProgram", {"--kernel=/proc/self/exe"}, {"/proc/self/exe", "a program for user space"}},
      {"UnknownFlag", {kHello, "--frobnicate"}, {"--frobnicate: no such flag", "--help"}},
      {"UnknownFlagNearAKnownOne", {kHello, "--memroy=1G"}, {"did you mean --memory?"}},
      {"UnknownFlagWithAnUnderscore", {kHello, "--cpu_s=1"}, {"no such flag"}},
      {"AbseilsOwnFlagFile", {kHello, "--flagfile=/etc/passwd"}, {"--flagfile=/etc/passwd: no such flag"}},
      {"OneDash", {kHello, "-m", "64M"}, {"-m: not a flag"}},
      {"APlainWord", {"bzImage"}, {"bzImage: not a flag", "--kernel=FILE"}},
      {"TwoDashesAlone", {kHello, "--"}, {"--"}},
      {"EmptyArgument", {kHello, ""}, {"not a flag"}},
      {"MemoryZero", {kHello, "--memory=0"}, {"--memory=0: ", "at least 64M"}},
      {"MemoryTooSmall", {kHello, "--memory=63M"}, {"--memory=63M: ", "at least 64M"}},
      {"MemoryJustTooSmall", {kHello, "--memory=67108863"}, {"at least 64M"}},
      {"MemoryNotPages", {kHello, "--memory=67108865"}, {"--memory=67108865: ", "4K"}},
      {"MemoryEmpty", {kHello, "--memory="}, {"not a size"}},
      {"MemoryUnitOnly", {kHello, "--memory=G"}, {"not a size"}},
      {"MemoryUnknownUnit", {kHello, "--memory=1X"}, {"--memory=1X: not a size"}},
      {"MemoryTwoUnits", {kHello, "--memory=1GB"}, {"not a size"}},
      {"MemoryNegative", {kHello, "--memory=-1G"}, {"not a size"}},
      {"MemoryFraction", {kHello, "--memory=1.5G"}, {"not a size"}},
      {"MemoryWithASpace", {kHello, "--memory= 1G"}, {"not a size"}},
      {"MemoryAWord", {kHello, "--memory=lots"}, {"not a size"}},
      {"MemoryPast64Bits", {kHello, "--memory=16777216T"}, {"more bytes than 64 bits can count"}},
      {"MemoryPast64BitsOfDigits", {kHello, "--memory=99999999999999999999"}, {"--memory=99999999999999999999: "}},
      {"MemoryMoreThanTheHost", {kHello, "--memory=1000T"}, {"more than this host's"}},
      {"CpusZero", {kHello, "--cpus=0"}, {"--cpus=0: must be 1 to 255"}},
      {"CpusTooMany", {kHello, "--cpus=256"}, {"--cpus=256: must be 1 to 255"}},
      {"CpusNegative", {kHello, "--cpus=-1"}, {"--cpus=-1: must be 1 to 255"}},
      {"CpusAWord", {kHello, "--cpus=two"}, {"--cpus=two: "}},
      {"CpusEmpty", {kHello, "--cpus="}, {"--cpus=: "}},
      {"CpusPast32Bits", {kHello, "--cpus=4294967297"}, {"--cpus=4294967297: "}},
      {"CpuFeatureWithoutASign", {kHello, "--cpu-features=avx2"}, {"--cpu-features=avx2: "}},
      {"CpuFeatureUnknown", {kHello, "--cpu-features=-warp"}, {"--cpu-features=-warp: ", "warp"}},
      {"BootUnknown", {kHello, "--boot=fast"}, {"--boot=fast: must be auto, direct or classic"}},
      {"BootEmpty", {kHello, "--boot="}, {"must be auto, direct or classic"}},
      {"BootClassicOfAnElf", {kHello, "--boot=classic"}, {"not for classic boot"}},
      {"KaslrSeedOfAnElf", {kHello, "--kaslr=7"}, {"no relocations"}},
      {"KaslrUnknown", {kHello, "--kaslr=maybe"}, {"--kaslr=maybe: must be on, off, or a number"}},
      {"KaslrNegative", {kHello, "--kaslr=-1"}, {"must be on, off, or a number"}},
      {"OnPanicUnknown", {kHello, "--on-panic=cry"}, {"--on-panic=cry: must be dump, exit or pause"}},
      {"OnPanicInCapitals", {kHello, "--on-panic=DUMP"}, {"must be dump, exit or pause"}},
      {"CatchUnknown",
       {kHello, "--catch=panic,warning"},
       {"--catch=panic,warning: \"warning\": must be off, or some of panic"}},
      {"CatchConsoleUnknown", {kHello, "--catch-console=panic,flood"}, {"\"flood\": must be off, or some of panic"}},
      {"CatchConsoleEmpty", {kHello, "--catch-console="}, {"must be off, or some of panic"}},
      {"WatchdogUnknown", {kHello, "--watchdog=softdog"}, {"--watchdog=softdog: must be ib700 or off"}},
      {"SymbolsMissing", {kHello, "--symbols=/none/System.map"}, {"--symbols: /none/System.map: ", "No such file"}},
      {"SymbolsAreNone", {kHello, "--symbols=guest-tests/not_a_kernel.txt"}, {"--symbols: ", "line 1 is not"}},
      {"DumpOnceAndADirectory",
       {kHello, "--dump-once=/tmp", "--dump-dir=/var/tmp"},
       {"--dump-once=/tmp says where the vmcore is", "not with --dump-dir"}},
      {"DumpOnceAndAName", {kHello, "--dump-once=/tmp", "--dump-name=x"}, {"not with --dump-name"}},
      {"HangAfterTooShort", {kHello, "--hang-after=200ms"}, {"--hang-after=200ms: less than 1s is too short"}},
      {"DumpEveryTooShort", {kHello, "--dump-every=5ms"}, {"--dump-every=5ms: must be at least 100ms"}},
      {"LiveDumpUnknown", {kHello, "--live-dump=maybe"}, {"--live-dump=maybe: must be auto or stop"}},
      {"HangAfterNoTime", {kHello, "--hang-after=soon"}, {"--hang-after=soon: not a time"}},
      {"GraceNegative", {kHello, "--panic-grace=-1s"}, {"--panic-grace=-1s: a time before now"}},
      {"GraceWithoutAUnit", {kHello, "--panic-grace=5"}, {"--panic-grace=5: not a time"}},
      {"GraceOff", {kHello, "--panic-grace=off"}, {"--panic-grace=off: not a time"}},
      {"GraceWithoutEnd", {kHello, "--panic-grace=inf"}, {"--panic-grace=inf: a time without end"}},
      {"TimeoutWithoutAUnit", {kHello, "--timeout=30"}, {"--timeout=30: not a time", "or off"}},
      {"TimeoutNegative", {kHello, "--timeout=-30s"}, {"--timeout=-30s: a time before now"}},
      {"TimeoutAWord", {kHello, "--timeout=soon"}, {"--timeout=soon: not a time"}},
      {"DumpNameWithADirectory", {kHello, "--dump-name=a/b"}, {"--dump-name=a/b: must be a plain file name"}},
      {"DumpToAFile", {kHello, "--dump=core"}, {"--dump=core: must be - or fd:N", "--dump-dir"}},
      {"DumpToADescriptorThatIsNotOpen", {kHello, "--dump=fd:99"}, {"--dump=fd:99: descriptor 99 is not open"}},
      {"DumpToStandardError", {kHello, "--dump=fd:2"}, {"0, 1 and 2 are taken"}},
      {"DumpToNoNumber", {kHello, "--dump=fd:3x"}, {"must be - or fd:N"}},
      {"DumpAndResultToStandardOutput", {kHello, "--dump=-", "--result=-"}, {"cannot both have standard output"}},
      {"DumpOfKdumpToAStream", {kHello, "--dump=-", "--dump-format=kdump-zlib"}, {"streams an ELF core"}},
      {"DumpKeepNegative", {kHello, "--dump-keep=-1"}, {"--dump-keep=-1: must be 0 or more"}},
      {"DumpKeepWithAName", {kHello, "--dump-keep=2", "--dump-name=a"}, {"not with --dump-name"}},
      {"DumpMinFreeNoSize", {kHello, "--dump-min-free=much"}, {"--dump-min-free=much: not a size"}},
      {"DumpNameDotDot", {kHello, "--dump-name=.."}, {"--dump-name=..: must be a plain file name"}},
      {"GuestinfoWithoutThePort", {kHello, "--guestinfo=k=v"}, {"--guestinfo: ", "add --vmport"}},
      {"GuestinfoFileWithoutThePort",
       {kHello, "--guestinfo-file=k=guest-tests/not_a_kernel.txt"},
       {"--guestinfo-file: ", "--vmport"}},
      {"SoftPowerWithoutThePort", {kHello, "--soft-power"}, {"--soft-power: ", "add --vmport"}},
      {"GuestinfoWithoutAValue", {kHello, "--vmport", "--guestinfo=k"}, {"--guestinfo=k: write KEY=VALUE"}},
      {"GuestinfoWithASpaceInItsKey", {kHello, "--vmport", "--guestinfo=a b=v"}, {"--guestinfo=a b: "}},
      {"GuestinfoTheSecondOfTwo", {kHello, "--vmport", "--guestinfo=k=v", "--guestinfo=="}, {"--guestinfo=: "}},
      {"GuestinfoFileMissing",
       {kHello, "--vmport", "--guestinfo-file=k=guest-tests/none"},
       {"--guestinfo-file=k=guest-tests/none: ", "No such file"}},
      {"GuestinfoFileWithoutEnd",
       {kHello, "--vmport", "--guestinfo-file=k=/dev/zero"},
       {"/dev/zero: it is a character device"}},
      {"SoftPowerAWord", {kHello, "--vmport", "--soft-power=soon"}, {"--soft-power=soon: not a time"}},
      {"VmwareCpuidUnknown", {kHello, "--vmware-cpuid=last"}, {"--vmware-cpuid=last: must be first or only"}},
      {"VerboseAWord", {kHello, "--verbose=perhaps"}, {"--verbose=perhaps: "}},
      {"NoBeforeAFlagWithAValue", {kHello, "--nomemory"}, {"--nomemory: no such flag"}},
      {"InitrdMissing", {kHello, "--initrd=guest-tests/none.img"}, {"guest-tests/none.img", "No such file"}},
      {"InitrdEmptyFile", {kHello, "--initrd=/dev/null"}, {"/dev/null", "not a regular file"}},
      {"CommandLineTooLong", {kHello, "--append=" + std::string(70000, 'x')}, {"command line"}},
      {"KernelBehindTheEndOfMemory",
       {"--kernel=guest-tests/hello_at_256_mib.elf", "--memory=64M"},
       {"hello_at_256_mib.elf", "0x10000000", "64 MiB", "give it more memory"}},
  };
  return rows;
}

class BadFlagsTest : public testing::TestWithParam<BadFlags> {};

TEST_P(BadFlagsTest, IsRefusedWithItsReason) {
  const BadFlags& row = GetParam();
  const VmmResult result = RunVmm(row.args);
  EXPECT_EQ(result.exit_code, 125) << result.Describe();
  for (const char* said : row.said) EXPECT_THAT(result.LastErrorLine(), HasSubstr(said));
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("[exit 125]"));
  EXPECT_EQ(result.out, "");
  EXPECT_LT(result.seconds, 20) << "a hang, and no busy host, takes so long";
}

INSTANTIATE_TEST_SUITE_P(Table, BadFlagsTest, testing::ValuesIn(Table()),
                         [](const testing::TestParamInfo<BadFlags>& info) { return info.param.name; });

// A FIFO without a writer, a socket, and a sparse file of 1 TiB.
class SpecialFileTest : public testing::TestWithParam<const char*> {
 protected:
  SpecialFileTest() {
    const std::string folder = testing::TempDir() + "/" + std::to_string(getpid());
    fifo_ = folder + ".fifo";
    huge_ = folder + ".huge";
    socket_ = std::filesystem::temp_directory_path() / (std::to_string(getpid()) + ".vmm-socket");  // sun_path is short
    EXPECT_EQ(mkfifo(fifo_.c_str(), 0600), 0);
    listener_.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::copy(socket_.begin(), socket_.end(), address.sun_path);
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    std::ofstream(huge_).put('x');
    EXPECT_EQ(truncate(huge_.c_str(), 1ll << 40), 0);
  }

  ~SpecialFileTest() override {
    for (const std::string& path : {fifo_, huge_, socket_}) unlink(path.c_str());
  }

  std::string fifo_, huge_, socket_;
  UniqueFd listener_;
};

TEST_P(SpecialFileTest, IsRefusedAtOnceForAFlagThatTakesAFile) {
  const std::string flag = GetParam();
  const auto why = WhyNoKvm();
  const bool needs_kvm = flag == "--kernel=" || flag == "--initrd=";
  if (needs_kvm && why.has_value()) GTEST_SKIP() << *why;
  for (const auto& [path, said] : {std::pair{fifo_, "it is a FIFO"}, std::pair{socket_, "it is a socket"},
                                   std::pair{huge_, flag == "--vmcoreinfo=" ? "" : "1099511627776 bytes"}}) {
    std::vector<std::string> args = {flag + path, "--vmport"};
    if (flag != "--kernel=") args.push_back(kHello);
    const VmmResult result = RunVmm(args);
    EXPECT_EQ(result.exit_code, 125) << result.Describe();
    EXPECT_THAT(result.LastErrorLine(), HasSubstr(path));
    EXPECT_THAT(result.LastErrorLine(), HasSubstr(said));
    EXPECT_LT(result.seconds, 20);
  }
}

INSTANTIATE_TEST_SUITE_P(Flags, SpecialFileTest,
                         testing::Values("--kernel=", "--initrd=", "--symbols=", "--vmcoreinfo=",
                                         "--guestinfo-file=k="));

TEST(GoodFlagsTest, HelpNamesEveryFlagAndEndsWell) {
  const VmmResult result = RunVmm({"--help"});
  EXPECT_EQ(result.exit_code, 0);
  for (const char* flag : {"--kernel",       "--initrd",     "--append",         "--boot",
                           "--kaslr",        "--memory",     "--cpus",           "--cpu-features",
                           "--on-panic",     "--catch",      "--catch-console",  "--hang-after",
                           "--panic-grace",  "--dump-dir",   "--dump-name",      "--dump-fallback-dir",
                           "--vmport",       "--guestinfo",  "--guestinfo-file", "--soft-power",
                           "--vmware-cpuid", "--vmware-dmi", "--timeout",        "--result",
                           "--verbose",      "--version",    "--symbols",        "--watchdog",
                           "--dump-once"}) {
    EXPECT_THAT(result.out, HasSubstr(flag));
  }
  EXPECT_EQ(result.err, "");
}

TEST(GoodFlagsTest, VersionSaysWhatThisIs) {
  const VmmResult result = RunVmm({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, testing::StartsWith("vmm "));
}

}  // namespace
}  // namespace vmm
