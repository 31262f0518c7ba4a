// The pages that the harness and its init in the guest share: a mailbox and three rings. C and C++, because init is C.
//
//   0xc0000  ChannelHeader   mailbox, and the indexes of the rings
//   0xc4000  stdin           16 KiB
//   0xc8000  stderr          32 KiB
//   0xd0000  stdout          64 KiB
//
// The pages are RAM below 1 MiB, in an area that a PC has for option ROMs. e820 gives it to nobody, so the kernel
// leaves it alone, and /dev/mem maps it even with STRICT_DEVMEM. The kernel maps all of this area write-back. Bytes
// written to it are in our memory at once: no exit, no driver, and nothing that a dying kernel could lose.
//
// A ring is one producer and one consumer. Each only ever writes its own half of ChannelRing. Indexes count bytes since
// the start and wrap at 2^32; the place in the ring is the index modulo its size.
#ifndef VMM_HARNESS_CHANNEL_H_
#define VMM_HARNESS_CHANNEL_H_

#include <stdint.h>

#define CHANNEL_ADDRESS 0xc0000
#define CHANNEL_SIZE 0x20000
#define CHANNEL_MAGIC 0x31304c4e48434d56ull  // "VMCHNL01"

#define CHANNEL_STDIN_OFFSET 0x4000
#define CHANNEL_STDIN_SIZE 0x4000
#define CHANNEL_STDERR_OFFSET 0x8000
#define CHANNEL_STDERR_SIZE 0x8000
#define CHANNEL_STDOUT_OFFSET 0x10000
#define CHANNEL_STDOUT_SIZE 0x10000

// A byte written to this port is the guest's doorbell: look at the rings. The host's doorbell is a byte on ttyS0, the
// one interrupt for which every stock kernel has a driver built in.
#define CHANNEL_DOORBELL_PORT 0xf5
#define CHANNEL_EXIT_PORT 0xf4

struct ChannelRing {
  // The producer's half.
  uint32_t produced;
  uint32_t ended;           // 1: no bytes will follow
  uint32_t producer_waits;  // 1: ring back when there is room
  uint32_t unused1[13];
  // The consumer's half.
  uint32_t consumed;
  uint32_t consumer_gone;  // 1: nobody will take more bytes
  uint32_t unused2[14];
};

// How far init has come.
enum ChannelStage {
  kStageNone = 0,  // init has not found the channel
  kStageStarted = 1,
  kStageRunning = 2,        // the program has been started
  kStageEnded = 3,          // it has ended: see wait_status
  kStageModuleFailed = 4,   // see error and text
  kStageFolderFailed = 5,   // the working directory could not be entered; see error and text
  kStageProgramFailed = 6,  // execve failed; see error
  kStagePlanFailed = 7,     // init could not read its own plan, or could not make processes; see error
  kStageRootFailed = 8,     // the root of --rootfs could not be entered; see error, and text for the step
};

#define CHANNEL_TEXT_SIZE 256

struct ChannelHeader {
  uint64_t magic;  // the host writes it before the guest runs
  // The size of the user's terminal. The host writes it, and rings when it changes. 0: not known.
  uint32_t rows;
  uint32_t columns;
  uint64_t unused0[6];
  // The mailbox, written by init.
  uint32_t stage;        // ChannelStage
  uint32_t error;        // errno
  uint32_t wait_status;  // of the program, as waitpid(2) gives it
  uint32_t unused3[13];
  char text[CHANNEL_TEXT_SIZE];  // NUL-terminated if shorter
  struct ChannelRing stdin_ring;
  struct ChannelRing stdout_ring;
  struct ChannelRing stderr_ring;
};

// What init does, in order, as a file in the initramfs: records that end with a NUL, whose first byte is a kind.
#define PLAN_PATH "/.vmm/plan"
enum PlanRecord {
  kPlanModule = 'm',      // path of a .ko file to load
  kPlanSoftModule = 's',  // the same, but it may fail: the processor may lack what it is for
  kPlanFolder = 'c',      // working directory of the program
  kPlanProgram = 'p',     // path of the file to execute
  kPlanArgument = 'a',
  kPlanVariable = 'e',  // NAME=VALUE
  kPlanRoot = 'r',      // the root to enter after the modules: a RootChanges letter, a RootTmp letter, then the tag
  kPlanTerminal = 't',  // the program gets a terminal; with 'e' as its text, that is standard error, too
};
enum RootChanges { kRootOverlay = 'o', kRootReadOnly = 'r', kRootWritable = 'w' };
enum RootTmp {
  kRootEmptyTmp = 'e',  // /tmp is empty, and in memory
  kRootTreesTmp = 't',  // /tmp is the tree's own
};

#endif  // VMM_HARNESS_CHANNEL_H_
