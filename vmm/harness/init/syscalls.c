#include "vmm/harness/init/syscalls.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <asm/termios.h>
#include <linux/fcntl.h>
#include <linux/if.h>
#include <linux/sched.h>
#include <linux/sockios.h>

// The kernel enters here. The stack is aligned to 16 bytes, as a call would leave it not.
__asm__(
    ".globl _start\n"
    "_start:\n"
    "  xor %ebp, %ebp\n"
    "  call init_main\n"
    "  ud2\n");

// GCC calls these for copies and zeros of its own.
void* memset(void* to, int value, size_t size) {
  void* const start = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
  return start;
}

void* memcpy(void* to, const void* from, size_t size) {
  void* const start = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
  return start;
}

size_t length_of(const char* text) {
  size_t length = 0;
  while (text[length] != '\0') ++length;
  return length;
}

bool begins_with(const char* text, const char* start) {
  while (*start != '\0') {
    if (*text++ != *start++) return false;
  }
  return true;
}

bool has_slash(const char* text) {
  while (*text != '\0' && *text != '/') ++text;
  return *text == '/';
}

int open_file(const char* path, int flags) { return (int)call3(__NR_open, (long)path, flags | O_CLOEXEC, 0); }

void write_all(int fd, const char* text, size_t size) { call3(__NR_write, fd, (long)text, (long)size); }

char* map_file(const char* path, long* size) {
  enum { kSeekEnd = 2, kReadWrite = 3, kPrivate = 2, kAnonymous = 0x20 };
  const int fd = open_file(path, O_RDONLY);
  *size = fd < 0 ? fd : call3(__NR_lseek, fd, 0, kSeekEnd);
  if (*size < 0) return NULL;
  const long at = call6(__NR_mmap, 0, *size + 1, kReadWrite, kPrivate | kAnonymous, -1, 0);
  if (at < 0 && at > -4096) {
    *size = at;
    return NULL;
  }
  for (long done = 0; done < *size;) {
    const long got = call4(__NR_pread64, fd, at + done, *size - done, done);
    if (got <= 0) {
      *size = got;
      break;
    }
    done += got;
  }
  call3(__NR_close, fd, 0, 0);
  return (char*)at;
}

long make_pipe(int ends[2]) { return call3(__NR_pipe2, (long)ends, O_CLOEXEC, 0); }

void set_nonblocking(int fd) { call3(__NR_fcntl, fd, F_SETFL, O_NONBLOCK); }

void set_realtime(void) {
  const int priority = 1;
  call3(__NR_sched_setscheduler, 0, SCHED_FIFO | SCHED_RESET_ON_FORK, (long)&priority);
}

static uint64_t mask_of(int signal) { return signal == 0 ? 0 : 1ull << (signal - 1); }

void set_signal_mask(int signal) {
  enum { kSetMask = 2 };
  const uint64_t mask = mask_of(signal);
  call4(__NR_rt_sigprocmask, kSetMask, (long)&mask, 0, sizeof mask);
}

int open_signals(int signal) {
  const uint64_t mask = mask_of(signal);
  return (int)call4(__NR_signalfd4, -1, (long)&mask, sizeof mask, O_CLOEXEC | O_NONBLOCK);
}

int open_doorbell(const char* path) {
  const int fd = open_file(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
  struct termios mode;
  if (fd < 0 || call3(__NR_ioctl, fd, TCGETS, (long)&mode) < 0) return -1;
  mode.c_iflag = IGNBRK;
  mode.c_lflag = 0;
  mode.c_cflag |= CLOCAL | CREAD;
  mode.c_cc[VMIN] = 1;
  mode.c_cc[VTIME] = 0;
  return call3(__NR_ioctl, fd, TCSETS, (long)&mode) < 0 ? -1 : fd;
}

int duplicate(int fd) { return (int)call3(__NR_fcntl, fd, F_DUPFD_CLOEXEC, 0); }

long make_terminal(int ends[2]) {
  const int locked = 0;
  ends[0] = open_file("/dev/pts/ptmx", O_RDWR | O_NOCTTY);
  if (ends[0] < 0) ends[0] = open_file("/dev/ptmx", O_RDWR | O_NOCTTY);
  if (ends[0] < 0) return ends[0];
  const long unlocked = call3(__NR_ioctl, ends[0], TIOCSPTLCK, (long)&locked);
  if (unlocked < 0) return unlocked;
  ends[1] = (int)call3(__NR_ioctl, ends[0], TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  return ends[1] < 0 ? ends[1] : 0;
}

void take_terminal(int fd) { call3(__NR_ioctl, fd, TIOCSCTTY, 0); }

void set_terminal_size(int fd, uint16_t rows, uint16_t columns) {
  const struct winsize size = {.ws_row = rows, .ws_col = columns};
  call3(__NR_ioctl, fd, TIOCSWINSZ, (long)&size);
}

void bring_loopback_up(void) {
  enum { kAfInet = 2, kSockDgram = 2 };
  struct ifreq request = {.ifr_ifrn.ifrn_name = "lo", .ifr_ifru.ifru_flags = IFF_UP};
  const int fd = (int)call3(__NR_socket, kAfInet, kSockDgram, 0);
  if (fd < 0) return;
  call3(__NR_ioctl, fd, SIOCSIFFLAGS, (long)&request);
  call3(__NR_close, fd, 0, 0);
}
