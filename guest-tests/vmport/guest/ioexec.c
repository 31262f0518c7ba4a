// ioexec COUNT PROGRAM [ARG...]: grants PROGRAM the COUNT ports from 0x5658 on, and runs it. PROGRAM keeps them over
// exec and fork. VMware's tools need this if KVM does not let every program through; COUNT is then 4.
// ioexec read: prints the values of 32-, 16- and 8-bit reads of the port without a magic number.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <unistd.h>

int main(int argc, char** argv) {
  const int reads = argc == 2 && strcmp(argv[1], "read") == 0;
  if (argc < 3 && !reads) return 2;
  if (ioperm(0x5658, reads ? 4 : strtoul(argv[1], NULL, 10), 1) != 0) {
    perror("ioexec: ioperm");
    return 2;
  }
  if (reads) {
    printf("%x %x %x\n", inl(0x5658), inw(0x5658), inb(0x5658));
    return 0;
  }
  execv(argv[2], argv + 2);
  perror(argv[2]);
  return 2;
}
