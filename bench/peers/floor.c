/*
 * The floor: as little as a server can do. It accepts sockets, and for each line on its standard input
 * ("<times> <bytes>\n", then the bytes) it writes the bytes to every socket. No HTTP, no frames, no logic.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 20000, LINE = 1 << 20 };
static int clients[MOST];
static int count;
static char bytes[LINE];

static void take(int listener) {
  int one = 1, client = accept(listener, NULL, NULL);
  if (client < 0 || count == MOST) return;
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  clients[count++] = client;
}

static int fill(void) {
  static char head[64];
  size_t at = 0;
  while (read(0, head + at, 1) == 1 && head[at] != '\n')
    if (++at == sizeof head - 1) return 0;
  head[at] = 0;
  int times = 0, length = 0;
  if (sscanf(head, "%d %d", &times, &length) != 2 || length > LINE) return 0;
  for (int got = 0; got < length;) {
    ssize_t n = read(0, bytes + got, length - got);
    if (n <= 0) return 0;
    got += n;
  }
  for (int t = 0; t < times; t++)
    for (int i = 0; i < count; i++)
      if (clients[i] >= 0 && write(clients[i], bytes, length) < 0) clients[i] = -1;
  return 1;
}

int main(void) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 4096)) return 1;
  getsockname(listener, (struct sockaddr *)&address, &size);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  struct pollfd watched[2] = {{listener, POLLIN, 0}, {0, POLLIN, 0}};
  while (poll(watched, 2, -1) > 0) {
    if (watched[0].revents) take(listener);
    if (watched[1].revents && !fill()) return 0;
  }
}
