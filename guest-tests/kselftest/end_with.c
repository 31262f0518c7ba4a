// end-with STATUS: ends the machine through vmm's debug-exit port. Its own exit status is 1 if there is no such port.
#include <stdlib.h>
#include <sys/io.h>

#define PORT_DEBUG_EXIT 0xf4

int main(int argc, char** argv) {
  if (argc == 2 && ioperm(PORT_DEBUG_EXIT, 1, 1) == 0) outb((unsigned char)atoi(argv[1]), PORT_DEBUG_EXIT);
  return 1;
}
