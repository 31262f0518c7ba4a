// The guest's end of the case "vsock".
//
//   vsock_ends listen COUNT     port 5000 sends back what it gets, until COUNT connections have ended
//   vsock_ends connect BYTES    port 6000 of the host sends back BYTES, and they are the same
#include <linux/vm_sockets.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 128

static void die(const char* what) {
  perror(what);
  exit(1);
}

static int vsock(void) {
  const int fd = socket(AF_VSOCK, SOCK_STREAM, 0);
  if (fd < 0) die("socket");
  return fd;
}

static void write_all(int fd, const char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t put = write(fd, bytes, size);
    if (put <= 0) die("write");
    bytes += put;
    size -= (size_t)put;
  }
}

static void echo_until(int count) {
  struct sockaddr_vm address = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = 5000};
  struct pollfd fds[MOST + 1] = {{.fd = vsock(), .events = POLLIN}};
  if (bind(fds[0].fd, (struct sockaddr*)&address, sizeof(address)) != 0) die("bind");
  if (listen(fds[0].fd, MOST) != 0) die("listen");
  static char bytes[65536];
  int open = 0, most = 0;
  while (count > 0) {
    if (poll(fds, (nfds_t)open + 1, -1) < 0) die("poll");
    for (int i = open; i >= 1; --i) {
      if (fds[i].revents == 0) continue;
      const ssize_t got = read(fds[i].fd, bytes, sizeof(bytes));
      if (got < 0) die("read");
      if (got > 0) {
        write_all(fds[i].fd, bytes, (size_t)got);
        continue;
      }
      close(fds[i].fd);
      fds[i] = fds[open--];
      --count;
    }
    if ((fds[0].revents & POLLIN) != 0 && open < MOST) {
      const int fd = accept(fds[0].fd, NULL, NULL);
      if (fd < 0) die("accept");
      fds[++open] = (struct pollfd){.fd = fd, .events = POLLIN};
      if (open > most) most = open;
    }
  }
  printf("vsock_ends: %d connections at once\n", most);
}

// Half a window at a time, so that neither end waits for the other for ever.
static void send_and_compare(size_t size) {
  struct sockaddr_vm address = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = 6000};
  const int fd = vsock();
  if (connect(fd, (struct sockaddr*)&address, sizeof(address)) != 0) die("connect");
  static char out[32768], in[32768];
  for (size_t at = 0; at < size; at += sizeof(out)) {
    for (size_t i = 0; i < sizeof(out); ++i) out[i] = (char)((at + i) * 2654435761u >> 13);
    write_all(fd, out, sizeof(out));
    for (size_t got = 0; got < sizeof(in);) {
      const ssize_t more = read(fd, in + got, sizeof(in) - got);
      if (more <= 0) die("read");
      got += (size_t)more;
    }
    if (memcmp(in, out, sizeof(in)) != 0) die("other bytes came back");
  }
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const long number = strtol(argv[2], NULL, 10);
  if (strcmp(argv[1], "listen") == 0) {
    echo_until((int)number);
  } else {
    send_and_compare((size_t)number);
  }
  return 0;
}
