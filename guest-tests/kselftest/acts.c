// A kselftest that does what its name says, for ./check: all the ways in which one can end.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char** argv) {
  const char* slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
  const char* name = slash != NULL ? slash + 1 : "";
  printf("TAP version 13\n1..1\n# %s\n", name);
  fflush(stdout);
  if (strcmp(name, "passes") == 0) {
    puts("ok 1 passes");
    return 0;
  }
  if (strcmp(name, "skips") == 0) return 4;
  if (strcmp(name, "exits-200") == 0) return 200;
  if (strcmp(name, "aborts") == 0) abort();
  if (strcmp(name, "sleeps") == 0) pause();
  if (strcmp(name, "crashes") == 0) {
    const int trigger = open("/proc/sysrq-trigger", O_WRONLY);
    if (trigger < 0 || write(trigger, "c", 1) != 1) return 2;
  }
  return 1;
}
