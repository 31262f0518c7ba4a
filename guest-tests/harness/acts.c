// A program that ends in the way that its first argument names, for ./run.
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

extern char** environ;

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
  }
}

static void panic(void) {
  dprintf(1, "said before the end\n");
  dprintf(2, "so was this\n");
  const int trigger = open("/proc/sysrq-trigger", O_WRONLY);
  if (trigger < 0 || write(trigger, "c", 1) != 1) exit(2);
}

int main(int argc, char** argv) {
  const char* act = argc > 1 ? argv[1] : "";
  if (strcmp(act, "exit") == 0) return atoi(argv[2]);
  if (strcmp(act, "die") == 0) raise(atoi(argv[2]));
  if (strcmp(act, "panic") == 0) panic();
  if (strcmp(act, "power-off") == 0) reboot(RB_POWER_OFF);
  if (strcmp(act, "pattern") == 0) write_pattern(strtoull(argv[2], NULL, 10));
  if (strcmp(act, "show") == 0) {
    char folder[4096];
    printf("folder %s\n", getcwd(folder, sizeof folder));
    for (int i = 2; i < argc; ++i) printf("argument <%s>\n", argv[i]);
    for (char** variable = environ; *variable != NULL; ++variable) printf("variable <%s>\n", *variable);
  }
  return 0;
}
