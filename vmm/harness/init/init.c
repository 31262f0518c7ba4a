// The first program of a guest that runs the user's program (docs/harness.md): it loads modules, starts the program,
// carries its three streams through the channel (../channel.h), and ends the machine with its status.
//
// It runs without a libc, so that it is a few KiB and needs nothing of the guest. It trusts the host. One loop and one
// thread: everything that it waits for is a descriptor, except room in a ring, for which the host rings on ttyS0.
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/reboot.h>
#include <stdbool.h>

#include "vmm/harness/channel.h"
#include "vmm/harness/init/root.h"
#include "vmm/harness/init/syscalls.h"

// Programs expect these. Each mount may fail: a kernel need not have them all.
static const struct {
  const char *type, *at;
} kMounts[] = {
    {"devtmpfs", "/dev"},
    {"proc", "/proc"},
    {"sysfs", "/sys"},
    {"devpts", "/dev/pts"},
    {"tmpfs", "/dev/shm"},
    {"debugfs", "/sys/kernel/debug"},
    {"tracefs", "/sys/kernel/tracing"},
    {"cgroup2", "/sys/fs/cgroup"},
    {"bpf", "/sys/fs/bpf"},
};

#define MAX_WORDS 65536

static struct {
  const char* program;
  const char* folder;
  const char* root;      // NULL: the initramfs is the root
  const char* terminal;  // NULL: three pipes; else kPlanTerminal's text
  char* arguments[MAX_WORDS + 1];
  char* variables[MAX_WORDS + 1];
} plan;

static struct ChannelHeader* channel;
static int ports = -1;     // /dev/port, if the kernel gives no direct access
static int doorbell = -1;  // ttyS0, on which the host rings
static int children = -1;  // readable when a child has ended

static void write_port(uint16_t port, uint32_t value, bool wide) {
  if (ports >= 0) {
    call4(__NR_pwrite64, ports, (long)&value, 1, port);
  } else if (wide) {
    __asm__ volatile("outl %0, %1" ::"a"(value), "d"(port) : "memory");
  } else {
    __asm__ volatile("outb %b0, %1" ::"a"(value), "d"(port) : "memory");
  }
}

static void ring_host(void) { write_port(CHANNEL_DOORBELL_PORT, 0, false); }

// For people who read the kernel's log: without the channel there is no other way out.
static void complain(const char* text) {
  const int log = open_file("/dev/kmsg", O_WRONLY);
  if (log >= 0) write_all(log, text, length_of(text));
}

static void power_off(void) {
  call0(__NR_sync);
  call4(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF, 0);
  while (true) call0(__NR_pause);
}

// Ends the machine through vmm's exit port, which is quicker than a power-off.
static void end(enum ChannelStage stage, uint32_t error, uint32_t status) {
  call0(__NR_sync);
  channel->error = error;
  __atomic_store_n(&channel->stage, stage, __ATOMIC_RELEASE);
  write_port(CHANNEL_EXIT_PORT, status, true);
  power_off();
}

static void fail(enum ChannelStage stage, long error, const char* text) {
  for (uint32_t i = 0; i < CHANNEL_TEXT_SIZE; ++i) {
    channel->text[i] = text[i];
    if (text[i] == '\0') break;
  }
  end(stage, (uint32_t)-error, 255);
}

// ---- start

static void prepare_machine(void) {
  for (unsigned i = 0; i < sizeof kMounts / sizeof kMounts[0]; ++i) {
    call3(__NR_mkdir, (long)kMounts[i].at, 0755, 0);
    call5(__NR_mount, (long)"none", (long)kMounts[i].at, (long)kMounts[i].type, 0, 0);
  }
  call3(__NR_symlink, (long)"/proc/self/fd", (long)"/dev/fd", 0);
  call3(__NR_symlink, (long)"/proc/self/fd/0", (long)"/dev/stdin", 0);
  call3(__NR_symlink, (long)"/proc/self/fd/1", (long)"/dev/stdout", 0);
  call3(__NR_symlink, (long)"/proc/self/fd/2", (long)"/dev/stderr", 0);
  call3(__NR_sethostname, (long)"vmm", 3, 0);
  bring_loopback_up();
}

static void find_channel(void) {
  const int memory = open_file("/dev/mem", O_RDWR);
  if (memory < 0) {
    complain(memory == -kEperm ? "<3>vmm-init: the kernel forbids /dev/mem: boot it without lockdown= on its command "
                                 "line, or with an --initrd of your own"
                               : "<3>vmm-init: the kernel has no /dev/mem: build it with CONFIG_DEVMEM=y, or boot it "
                                 "with an --initrd of your own");
    power_off();
  }
  const long at = call6(__NR_mmap, 0, CHANNEL_SIZE, 3, 1, memory, CHANNEL_ADDRESS);
  if (at < 0 && at > -4096) {
    complain(
        "<3>vmm-init: the kernel forbids to map /dev/mem: boot it without lockdown, or with an --initrd of your own");
    power_off();
  }
  channel = (struct ChannelHeader*)at;
  if (channel->magic != CHANNEL_MAGIC) {
    complain("<3>vmm-init: this machine has no channel: it is not vmm's");
    power_off();
  }
  if (call3(__NR_ioperm, CHANNEL_EXIT_PORT, 4, 1) < 0) {
    ports = open_file("/dev/port", O_WRONLY);
    if (ports < 0) {
      complain("<3>vmm-init: neither ioperm nor /dev/port: the kernel allows no access to ports");
      power_off();
    }
  }
  channel->stage = kStageStarted;
}

// Returns the words of the plan, which stay in memory.
static void read_plan(void) {
  long size = 0;
  char* const text = map_file(PLAN_PATH, &size);
  if (size < 0) fail(kStagePlanFailed, size, PLAN_PATH);
  unsigned arguments = 0, variables = 0;
  for (char* at = text; at < text + size; at += length_of(at) + 1) {
    char* const value = at + 1;
    switch (*at) {
      case kPlanSoftModule:
      case kPlanModule: {
        const int file = open_file(value, O_RDONLY);
        const long loaded = file < 0 ? file : call3(__NR_finit_module, file, (long)"", 0);
        call3(__NR_close, file, 0, 0);
        if (*at == kPlanModule && loaded < 0 && loaded != -kEexist) fail(kStageModuleFailed, loaded, value);
        break;
      }
      case kPlanRoot: plan.root = value; break;
      case kPlanTerminal: plan.terminal = value; break;
      case kPlanFolder: plan.folder = value; break;
      case kPlanProgram: plan.program = value; break;
      case kPlanArgument:
        if (arguments < MAX_WORDS) plan.arguments[arguments++] = value;
        break;
      case kPlanVariable:
        if (variables < MAX_WORDS) plan.variables[variables++] = value;
        break;
      default: break;
    }
  }
}

// As execvp(3): a name without a slash is searched for in the program's own PATH. Returns an error.
static long execute(const char* name) {
  const char* path = "";
  for (unsigned i = 0; plan.variables[i] != NULL; ++i) {
    if (begins_with(plan.variables[i], "PATH=")) path = plan.variables[i] + 5;
  }
  if (has_slash(name)) path = "";
  static char whole[4096];
  long error = -kEnoent;
  do {
    size_t folder = 0;
    while (path[folder] != '\0' && path[folder] != ':') ++folder;
    const size_t size = length_of(name) + 1;
    if (folder + 1 + size <= sizeof whole) {
      memcpy(whole, path, folder);
      if (folder > 0) whole[folder] = '/';
      memcpy(whole + folder + (folder > 0), name, size);
      const long tried = call3(__NR_execve, (long)whole, (long)plan.arguments, (long)plan.variables);
      if (tried != -kEnoent && tried != -kEnotdir) error = tried;
    }
    path += folder;
  } while (*path++ == ':');
  return error;
}

// In the child. Does not return. The exit status of a failure is a shell's.
static void become_program(const int stdio[3]) {
  for (int i = 0; i < 3; ++i) call3(__NR_dup2, stdio[i], i, 0);
  call0(__NR_setsid);
  if (plan.terminal != NULL) take_terminal(0);
  set_signal_mask(0);
  long error = call3(__NR_chdir, (long)plan.folder, 0, 0);
  enum ChannelStage stage = kStageFolderFailed;
  if (error == 0) {
    error = execute(plan.program);
    stage = kStageProgramFailed;
  }
  channel->error = (uint32_t)-error;
  __atomic_store_n(&channel->stage, stage, __ATOMIC_RELEASE);
  call1(__NR_exit_group, 127);
}

// ---- streams

struct Output {
  struct ChannelRing* ring;
  char* bytes;
  uint32_t size;
  int pipe;  // or the terminal's other end; -1: at its end
  bool full;
  uint64_t carried;  // bytes, in all
};

// Bytes of one stream, before the other streams have their turn.
#define AT_ONCE (256 << 10)

// The most that a pipe can hold. What the program itself has written is carried after its end; what its orphans go on
// writing is not.
#define MOST_AFTER_END (1 << 20)

static uint32_t room_in(const struct Output* out) {
  return out->size - (out->ring->produced - __atomic_load_n(&out->ring->consumed, __ATOMIC_ACQUIRE));
}

// Moves what the program has written into its ring, until there is no more, or no room, or others must have their turn.
// Returns true if the pipe was empty.
static bool carry_output(struct Output* out) {
  const uint64_t turn_ends = out->carried + AT_ONCE;
  while (out->pipe >= 0) {
    if (out->carried >= turn_ends) {
      out->full = false;
      return false;
    }
    if (__atomic_load_n(&out->ring->consumer_gone, __ATOMIC_ACQUIRE) != 0) {
      call3(__NR_close, out->pipe, 0, 0);  // the program gets SIGPIPE, as it would on the host
      out->pipe = -1;
      break;
    }
    uint32_t room = room_in(out);
    if (room == 0) {
      __atomic_store_n(&out->ring->producer_waits, 1, __ATOMIC_SEQ_CST);
      ring_host();
      room = room_in(out);
      out->full = room == 0;
      if (out->full) return false;
      __atomic_store_n(&out->ring->producer_waits, 0, __ATOMIC_SEQ_CST);
    }
    const uint32_t at = out->ring->produced % out->size;
    const uint32_t most = room < out->size - at ? room : out->size - at;
    const long got = call3(__NR_read, out->pipe, (long)(out->bytes + at), most);
    if (got == 0 || got == -kEio) {  // EIO: nobody has the terminal open any more
      call3(__NR_close, out->pipe, 0, 0);
      out->pipe = -1;
    }
    if (got == -kEintr) continue;
    if (got <= 0) break;
    out->carried += (uint64_t)got;
    __atomic_store_n(&out->ring->produced, out->ring->produced + (uint32_t)got, __ATOMIC_RELEASE);
    ring_host();
  }
  out->full = false;
  return true;
}

struct Input {
  struct ChannelRing* ring;
  const char* bytes;
  int pipe;  // -1: the program takes no more, or there is no more
  bool blocked;
};

static void close_input(struct Input* in) {
  call3(__NR_close, in->pipe, 0, 0);
  in->pipe = -1;
}

// Moves what the host has put into the ring to the program, as far as its pipe has room.
static void carry_input(struct Input* in) {
  in->blocked = false;
  while (in->pipe >= 0) {
    // In this order: what was produced before the end was said is then seen.
    const bool ended = __atomic_load_n(&in->ring->ended, __ATOMIC_ACQUIRE) != 0;
    const uint32_t waiting = __atomic_load_n(&in->ring->produced, __ATOMIC_ACQUIRE) - in->ring->consumed;
    if (waiting == 0) {
      if (ended) close_input(in);
      return;
    }
    const uint32_t at = in->ring->consumed % CHANNEL_STDIN_SIZE;
    const uint32_t most = waiting < CHANNEL_STDIN_SIZE - at ? waiting : CHANNEL_STDIN_SIZE - at;
    const long put = call3(__NR_write, in->pipe, (long)(in->bytes + at), most);
    if (put == -kEintr) continue;
    if (put == -kEagain) {
      in->blocked = true;
      return;
    }
    if (put < 0) {  // the program has closed its standard input
      __atomic_store_n(&in->ring->consumer_gone, 1, __ATOMIC_RELEASE);
      close_input(in);
    } else {
      __atomic_store_n(&in->ring->consumed, in->ring->consumed + (uint32_t)put, __ATOMIC_SEQ_CST);
    }
    ring_host();
  }
}

// Reaps every child that has ended; orphans are init's children, too. Returns true if `program` was among them.
static bool reap(long program) {
  bool ended = false;
  while (true) {
    int status = 0;
    const long pid = call4(__NR_wait4, -1, (long)&status, 1 /* WNOHANG */, 0);
    if (pid <= 0) return ended;
    if (pid != program) continue;
    channel->wait_status = (uint32_t)status;
    ended = true;
  }
}

static void empty(int fd) {
  char bytes[128];
  while (fd >= 0 && call3(__NR_read, fd, (long)bytes, sizeof bytes) > 0) {
  }
}

static void show_size(int terminal) {
  static uint32_t rows, columns;
  const uint32_t new_columns = __atomic_load_n(&channel->columns, __ATOMIC_ACQUIRE);
  const uint32_t new_rows = __atomic_load_n(&channel->rows, __ATOMIC_RELAXED);
  if (terminal < 0 || (rows == new_rows && columns == new_columns)) return;
  rows = new_rows;
  columns = new_columns;
  set_terminal_size(terminal, (uint16_t)rows, (uint16_t)columns);
}

static void carry_streams(long program, struct Input* in, struct Output* out, struct Output* err) {
  bool ended = false;
  uint64_t out_end = ~0ull, err_end = ~0ull;
  while (true) {
    // First the calls, then the rings that they are about: a call that comes later is still there in poll.
    empty(doorbell);
    empty(children);
    if (reap(program)) {
      ended = true;
      out_end = out->carried + MOST_AFTER_END;
      err_end = err->carried + MOST_AFTER_END;
    }
    if (plan.terminal != NULL) show_size(out->pipe);
    carry_input(in);
    const bool out_done = carry_output(out) || out->carried >= out_end;
    const bool err_done = carry_output(err) || err->carried >= err_end;
    if (ended && out_done && err_done) return;

    struct PollFd polled[] = {
        {doorbell, kPollIn, 0},
        {children, kPollIn, 0},
        {out->full ? -1 : out->pipe, kPollIn, 0},
        {err->full ? -1 : err->pipe, kPollIn, 0},
        {in->blocked ? in->pipe : -1, kPollOut, 0},
    };
    // The host's ring can be missed only if somebody else reads ttyS0.
    const bool waits_for_host = out->full || err->full || (in->pipe >= 0 && !in->blocked);
    int patience = waits_for_host ? (doorbell >= 0 ? 500 : 5) : -1;
    if (children < 0) patience = 5;
    call3(__NR_poll, (long)polled, sizeof polled / sizeof polled[0], patience);
  }
}

// Ends where waitpid's status says: the program's own, or 128 and the signal's number, as a shell gives it.
static uint32_t shell_status(uint32_t wait_status) {
  const uint32_t signal = wait_status & 0x7f;
  return signal != 0 ? 128 + signal : (wait_status >> 8) & 0xff;
}

// Each is a pipe, {its end to read, its end to write}, or the terminal's two ends in the same places.
static void make_streams(int in[2], int out[2], int err[2]) {
  long error = make_pipe(err);
  if (plan.terminal == NULL) {
    if (error == 0) error = make_pipe(in);
    if (error == 0) error = make_pipe(out);
    if (error < 0) fail(kStagePlanFailed, error, "pipe");
    return;
  }
  int ends[2] = {-1, -1};  // ours, the program's
  if (error == 0) error = make_terminal(ends);
  if (error < 0) fail(kStagePlanFailed, error, "terminal");
  in[0] = ends[1];
  in[1] = duplicate(ends[0]);
  out[0] = ends[0];
  out[1] = duplicate(ends[1]);
  if (plan.terminal[0] != 'e') return;
  call3(__NR_close, err[1], 0, 0);  // nothing comes from the pipe then
  err[1] = duplicate(ends[1]);
}

void init_main(void) {
  prepare_machine();
  find_channel();
  read_plan();
  if (plan.root != NULL) {
    const struct RootFailure root = enter_root(plan.root);
    if (root.error != 0) fail(kStageRootFailed, root.error, root.step);
  }

  // Before everybody else: when the program's write(2) returns, its bytes are in the ring already, at least where there
  // is one CPU. The kernel may die right after. A child is an ordinary process again.
  set_realtime();
  doorbell = open_doorbell("/dev/ttyS0");
  set_signal_mask(kSigchld);
  children = open_signals(kSigchld);

  int in_pipe[2], out_pipe[2], err_pipe[2];
  make_streams(in_pipe, out_pipe, err_pipe);
  __atomic_store_n(&channel->stage, kStageRunning, __ATOMIC_RELEASE);
  const long program = call0(__NR_fork);
  if (program < 0) fail(kStagePlanFailed, program, "fork");
  if (program == 0) {
    const int stdio[3] = {in_pipe[0], out_pipe[1], err_pipe[1]};
    become_program(stdio);
  }
  call3(__NR_close, in_pipe[0], 0, 0);
  call3(__NR_close, out_pipe[1], 0, 0);
  call3(__NR_close, err_pipe[1], 0, 0);
  set_nonblocking(in_pipe[1]);
  set_nonblocking(out_pipe[0]);
  set_nonblocking(err_pipe[0]);

  char* const base = (char*)channel;
  struct Input in = {&channel->stdin_ring, base + CHANNEL_STDIN_OFFSET, in_pipe[1], false};
  struct Output out = {&channel->stdout_ring, base + CHANNEL_STDOUT_OFFSET, CHANNEL_STDOUT_SIZE, out_pipe[0], false, 0};
  struct Output err = {&channel->stderr_ring, base + CHANNEL_STDERR_OFFSET, CHANNEL_STDERR_SIZE, err_pipe[0], false, 0};
  carry_streams(program, &in, &out, &err);

  const uint32_t stage = __atomic_load_n(&channel->stage, __ATOMIC_ACQUIRE);
  if (stage != kStageRunning) end((enum ChannelStage)stage, channel->error, 127);
  end(kStageEnded, 0, shell_status(channel->wait_status));
}
