// A program that ends in the way that its first argument names, for ./run.
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

extern char** environ;

// The kernel's log, for a program that wants it to print; -1: it does not.
static int flood_log = -1;

// The same bytes as run's pattern(): all values, no short period.
static void write_pattern(uint64_t size) {
  static unsigned char bytes[1 << 16];
  uint64_t done = 0;
  while (done < size) {
    const size_t part = size - done < sizeof bytes ? (size_t)(size - done) : sizeof bytes;
    for (size_t i = 0; i < part; ++i) bytes[i] = (unsigned char)((done + i) * 2654435761u >> 13);
    for (size_t sent = 0; sent < part;) {
      const ssize_t wrote = write(1, bytes + sent, part - sent);
      if (wrote < 0) exit(2);
      sent += (size_t)wrote;
    }
    done += part;
    dprintf(2, "%llu\n", (unsigned long long)done);
    if (flood_log >= 0 && done % (1 << 20) == 0) dprintf(flood_log, "<3>flood: %llu\n", (unsigned long long)done);
  }
}

static void panic(void) {
  dprintf(1, "said before the end\n");
  dprintf(2, "so was this\n");
  const int trigger = open("/proc/sysrq-trigger", O_WRONLY);
  if (trigger < 0 || write(trigger, "c", 1) != 1) exit(2);
}

// Says a word each second, so many times.
static void tick(int times) {
  for (int i = 0; i < times; ++i) {
    dprintf(1, "tick\n");
    sleep(1);
  }
}

static void compute(int seconds) {
  const time_t end = time(NULL) + seconds;
  while (time(NULL) < end) {
  }
}

// Makes init die of its next instruction. SIGKILL does not reach it.
static void kill_init(void) {
  unsigned long start = 0, end = 0;
  char line[200] = "";
  FILE* const maps = fopen("/proc/1/maps", "r");
  const int memory = open("/proc/1/mem", O_RDWR);
  while (maps != NULL && fgets(line, sizeof line, maps) != NULL && strstr(line, "r-x") == NULL) {
  }
  if (memory < 0 || sscanf(line, "%lx-%lx", &start, &end) != 2) exit(2);
  static unsigned char illegal[1 << 16];
  memset(illegal, 0x06, sizeof illegal);
  const unsigned long size = end - start < sizeof illegal ? end - start : sizeof illegal;
  if (pwrite(memory, illegal, size, (off_t)start) != (ssize_t)size) exit(3);
}

int main(int argc, char** argv) {
  const char* act = argc > 1 ? argv[1] : "";
  if (strcmp(act, "exit") == 0) return atoi(argv[2]);
  if (strcmp(act, "die") == 0) raise(atoi(argv[2]));
  if (strcmp(act, "panic") == 0) panic();
  if (strcmp(act, "power-off") == 0) reboot(RB_POWER_OFF);
  if (strcmp(act, "pattern") == 0) write_pattern(strtoull(argv[2], NULL, 10));
  if (strcmp(act, "flood") == 0) {
    flood_log = open("/dev/kmsg", O_WRONLY);
    write_pattern(strtoull(argv[2], NULL, 10));
  }
  if (strcmp(act, "tick") == 0) tick(atoi(argv[2]));
  if (strcmp(act, "compute") == 0) compute(atoi(argv[2]));
  if (strcmp(act, "sleep") == 0) sleep((unsigned)atoi(argv[2]));
  if (strcmp(act, "kill-init") == 0) kill_init();
  if (strcmp(act, "show") == 0) {
    char folder[4096];
    printf("folder %s\n", getcwd(folder, sizeof folder));
    for (int i = 2; i < argc; ++i) printf("argument <%s>\n", argv[i]);
    for (char** variable = environ; *variable != NULL; ++variable) printf("variable <%s>\n", *variable);
  }
  return 0;
}
