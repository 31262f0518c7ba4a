// System calls of x86-64 Linux, and the few functions on top of them that init needs in place of a libc.
#ifndef VMM_HARNESS_INIT_SYSCALLS_H_
#define VMM_HARNESS_INIT_SYSCALLS_H_

#include <asm/unistd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A result from -4095 to -1 is an error, negated.
static inline long call6(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
static inline long call5(long number, long a, long b, long c, long d, long e) {
  return call6(number, a, b, c, d, e, 0);
}
static inline long call4(long number, long a, long b, long c, long d) { return call6(number, a, b, c, d, 0, 0); }
static inline long call3(long number, long a, long b, long c) { return call6(number, a, b, c, 0, 0, 0); }
static inline long call1(long number, long a) { return call6(number, a, 0, 0, 0, 0, 0); }
static inline long call0(long number) { return call6(number, 0, 0, 0, 0, 0, 0); }

enum { kEperm = 1, kEnoent = 2, kEintr = 4, kEio = 5, kEagain = 11, kEexist = 17, kEnotdir = 20, kSigchld = 17 };

struct PollFd {
  int fd;  // -1: ignored
  short events, revents;
};
enum { kPollIn = 1, kPollOut = 4 };

void* memcpy(void* to, const void* from, size_t size);
size_t length_of(const char* text);
bool begins_with(const char* text, const char* start);
bool has_slash(const char* text);
int open_file(const char* path, int flags);  // close-on-exec
void write_all(int fd, const char* text, size_t size);

// Maps a file, private and writable, with a NUL after its end. `size` is its bytes, or an error.
char* map_file(const char* path, long* size);

long make_pipe(int ends[2]);  // close-on-exec; 0 or an error
void set_nonblocking(int fd);

// From now on the calling process has a real-time priority, and its children do not.
void set_realtime(void);

// Blocks this signal alone; 0: none.
void set_signal_mask(int signal);
int open_signals(int signal);  // a non-blocking signalfd for it

// Opens a serial port of which every byte wakes a reader, non-blocking.
int open_doorbell(const char* path);

int duplicate(int fd);  // close-on-exec

// A new terminal: its master's end, and the program's. Close-on-exec. 0 or an error.
long make_terminal(int ends[2]);
void take_terminal(int fd);  // it becomes the calling session's
void set_terminal_size(int fd, uint16_t rows, uint16_t columns);

void bring_loopback_up(void);

#endif  // VMM_HARNESS_INIT_SYSCALLS_H_
