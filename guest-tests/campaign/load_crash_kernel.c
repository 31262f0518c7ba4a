// Loads a kernel into the memory that crashkernel= reserves for it, as kexec -p does:
//
//   load-crash-kernel KERNEL INITRD COMMAND_LINE
#include <fcntl.h>
#include <linux/kexec.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const int kernel = open(argv[1], O_RDONLY);
  const int initrd = open(argv[2], O_RDONLY);
  if (syscall(SYS_kexec_file_load, kernel, initrd, strlen(argv[3]) + 1, argv[3], KEXEC_FILE_ON_CRASH) == 0) return 0;
  perror("kexec_file_load");
  return 1;
}
