/*
 * A workload that costs next to nothing: answers what it gets on h8s.http.*.com.example.bench.> by the last
 * token of the subject. Usage: responder HOST PORT; prints "ready" once subscribed.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define IN_SIZE (1 << 21)
#define OUT_SIZE (1 << 22)
#define EVENTS 100
#define LARGE 100000

static char in[IN_SIZE], out[OUT_SIZE], large[LARGE];
static size_t out_length;
static int fd;

static void flush_out(void) {
  size_t sent = 0;
  while (sent < out_length) {
    ssize_t n = write(fd, out + sent, out_length - sent);
    if (n <= 0) exit(0);
    sent += n;
  }
  out_length = 0;
}

static void put(const char *data, size_t length) {
  if (out_length + length > OUT_SIZE) flush_out();
  memcpy(out + out_length, data, length);
  out_length += length;
}

static void reply(const char *to, const char *headers, const char *data, size_t length) {
  char line[512];
  size_t h = strlen(headers);
  int n = h == 0 ? snprintf(line, sizeof line, "PUB %s %zu\r\n", to, length)
                 : snprintf(line, sizeof line, "HPUB %s %zu %zu\r\n", to, h, h + length);
  put(line, n);
  put(headers, h);
  put(data, length);
  put("\r\n", 2);
}

static void whole(const char *to, const char *data, size_t length) {
  char headers[256];
  snprintf(headers, sizeof headers,
           "NATS/1.0\r\nStatus-Code: 200\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n", length);
  reply(to, headers, data, length);
}

static void answer(const char *subject, const char *to) {
  const char *last = strrchr(subject, '.') + 1;
  if (strcmp(last, "large") == 0) {
    whole(to, large, LARGE);
  } else if (strcmp(last, "events") == 0) {
    const char *head = "NATS/1.0\r\nStatus-Code: 200\r\nContent-Type: text/event-stream\r\n\r\n";
    for (int i = 0; i < EVENTS; i++) reply(to, i == 0 ? head : "", "data: an event\n\n", 16);
    reply(to, "", "", 0);
  } else {
    whole(to, "hello", 5);
  }
}

/* Handles one protocol unit at the beginning of the text; 0 when it is not all there yet. */
static size_t consume(char *text, size_t length) {
  char *end = memchr(text, '\n', length);
  if (end == NULL) return 0;
  size_t line = end - text + 1;
  if (strncmp(text, "MSG ", 4) != 0 && strncmp(text, "HMSG ", 5) != 0) {
    if (strncmp(text, "PING", 4) == 0) put("PONG\r\n", 6);
    if (strncmp(text, "PONG", 4) == 0) { printf("ready\n"); fflush(stdout); }
    return line;
  }
  char copy[4096];
  if (line >= sizeof copy) exit(1);
  memcpy(copy, text, line);
  copy[line - 2] = 0;
  char *words[6], *save = NULL;
  int count = 0;
  for (char *word = strtok_r(copy, " ", &save); word && count < 6; word = strtok_r(NULL, " ", &save))
    words[count++] = word;
  size_t total = line + strtoul(words[count - 1], NULL, 10) + 2;
  if (total > length) return 0;
  if (count == (copy[0] == 'H' ? 6 : 5)) answer(words[1], words[3]);
  return total;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  memset(large, 'x', LARGE);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
  inet_pton(AF_INET, argv[1], &address.sin_addr);
  fd = socket(AF_INET, SOCK_STREAM, 0);
  int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) return 1;
  const char *hello = "CONNECT {\"verbose\":false,\"headers\":true,\"protocol\":1,\"name\":\"responder\"}\r\n"
                      "SUB h8s.http.*.com.example.bench.> 1\r\nPING\r\n";
  put(hello, strlen(hello));
  flush_out();
  size_t length = 0;
  for (;;) {
    ssize_t n = read(fd, in + length, IN_SIZE - length);
    if (n <= 0) return 0;
    length += n;
    size_t used = 0, step;
    while (used < length && (step = consume(in + used, length - used)) > 0) used += step;
    memmove(in, in + used, length - used);
    length -= used;
    if (out_length > 0) flush_out();
  }
}
