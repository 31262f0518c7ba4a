// rpcload KEY ROUNDS: sets guestinfo.KEY and reads it back, ROUNDS times, each on a new channel. It does the same as
// vmware-rpctool, but starts no program for each word: for many at once. Fails at the first value that belongs to
// another.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>

enum { OPEN, SENDSIZE, SENDPAYLOAD, RECVSIZE, RECVPAYLOAD, RECVSTATUS, CLOSE };

struct channel {
  uint32_t id, high, low;  // the channel's id is in the upper half, the port in the lower half
};

// Sends one MESSAGE and returns its status. `ebx` receives the answer's EBX.
static uint16_t message(struct channel* c, uint32_t type, uint32_t* ebx) {
  uint32_t eax = 0x564d5868, ecx = type << 16 | 30, edx = c->id, esi = c->high, edi = c->low;
  asm volatile("inl %%dx, %%eax" : "+a"(eax), "+b"(*ebx), "+c"(ecx), "+d"(edx), "+S"(esi), "+D"(edi) : : "memory");
  if (type == OPEN) *c = (struct channel){edx, esi, edi};
  return (uint16_t)(ecx >> 16);
}

static int call(const char* request, char* answer, uint32_t room) {
  struct channel c = {0x5658, 0, 0};
  uint32_t ebx = 0x80000000 | 0x49435052, size = (uint32_t)strlen(request);
  if ((message(&c, OPEN, &ebx) & 1) == 0) return -1;
  ebx = size;
  if ((message(&c, SENDSIZE, &ebx) & 1) == 0) return -2;
  for (uint32_t at = 0; at < size; at += 4) {
    ebx = 0;
    memcpy(&ebx, request + at, size - at < 4 ? size - at : 4);
    if ((message(&c, SENDPAYLOAD, &ebx) & 1) == 0) return -3;
  }
  if ((message(&c, RECVSIZE, &ebx) & 2) == 0 || ebx >= room) return -4;
  size = ebx;
  for (uint32_t at = 0; at < size; at += 4) {
    ebx = 1;
    if ((message(&c, RECVPAYLOAD, &ebx) & 1) == 0) return -5;
    memcpy(answer + at, &ebx, size - at < 4 ? size - at : 4);
  }
  answer[size] = 0;
  ebx = 1;
  if ((message(&c, RECVSTATUS, &ebx) & 1) == 0) return -6;
  return (message(&c, CLOSE, &ebx) & 1) != 0 ? 0 : -7;
}

int main(int argc, char** argv) {
  if (argc != 3 || ioperm(0x5658, 4, 1) != 0) return 2;
  const long rounds = strtol(argv[2], NULL, 10);
  for (long n = 0; n < rounds; ++n) {
    char request[128], expected[64], answer[256];
    snprintf(expected, sizeof(expected), "1 %s-%ld", argv[1], n);
    snprintf(request, sizeof(request), "info-set guestinfo.%s %s", argv[1], expected + 2);
    int failed = call(request, answer, sizeof(answer));
    if (failed == 0 && strcmp(answer, "1 ") != 0) failed = 1;
    snprintf(request, sizeof(request), "info-get guestinfo.%s", argv[1]);
    if (failed == 0) failed = call(request, answer, sizeof(answer));
    if (failed == 0 && strcmp(answer, expected) != 0) failed = 2;
    if (failed != 0) {
      printf("rpcload %s: round %ld: %d, '%s'\n", argv[1], n, failed, answer);
      return 1;
    }
  }
  return 0;
}
