/* One message at a time at a fixed rate, whatever the answers do (an open loop), and a consumer that waits for each: how long
 * after the time it was due was a message acknowledged, how long until it was read.
 * latency HOST PORT RATE WARM_MS RUN_MS ACK_BYTES ACK_ERROR_AT OFFSET_AT FETCHED_HEADER BATCH_BYTES < produce-and-fetch-requests
 * Both requests come with their size. Every answer is checked: its size, its error code. Prints JSON; times in microseconds. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ROOM (4 << 20)
#define MOST 1000000

struct side {
  int fd;
  size_t have;
  uint8_t in[ROOM];
};

static struct side producer, consumer;
static uint8_t requests[1 << 20];
static uint8_t *produce, *fetch;
static size_t produce_size, fetch_size, ack_bytes, ack_error_at, offset_at, fetched_header, batch_bytes;
static int64_t due[MOST], acked[MOST], read_at[MOST];
static int64_t total, sent, acks, fetched;

static int64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void fail(const char *what) {
  fprintf(stderr, "latency: %s (%s)\n", what, strerror(errno));
  exit(1);
}

static uint32_t get32(const uint8_t *at) {
  uint32_t big;
  memcpy(&big, at, 4);
  return ntohl(big);
}

static void send_all(int fd, const uint8_t *bytes, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t n = send(fd, bytes + done, size - done, MSG_NOSIGNAL);
    if (n < 0) fail("send");
    done += n;
  }
}

static void ask(void) {
  for (int i = 0; i < 8; i++) fetch[offset_at + i] = (uint8_t)((uint64_t)fetched >> (56 - 8 * i));
  send_all(consumer.fd, fetch, fetch_size);
}

/* The size of the first whole answer, its prefix included; 0 when there is none yet. */
static size_t answer(struct side *s) {
  if (s->have < 4) return 0;
  size_t size = 4 + (size_t)get32(s->in);
  if (size > ROOM) fail("an answer too large");
  return s->have >= size ? size : 0;
}

static void take(struct side *s, size_t size) {
  memmove(s->in, s->in + size, s->have - size);
  s->have -= size;
}

static int receive(struct side *s) {
  ssize_t n = recv(s->fd, s->in + s->have, ROOM - s->have, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  if (n <= 0) fail("the connection was closed");
  s->have += n;
  return 1;
}

static void on_acks(int64_t now) {
  for (size_t size; (size = answer(&producer)) > 0; take(&producer, size)) {
    if (size != 4 + ack_bytes) fail("an answer of another size");
    if (producer.in[ack_error_at] != 0 || producer.in[ack_error_at + 1] != 0) fail("an error code");
    acked[acks++] = now;
  }
}

static void on_fetched(int64_t now) {
  for (size_t size; (size = answer(&consumer)) > 0;) {
    if (size < fetched_header || (size - fetched_header) % batch_bytes != 0) fail("a fetch of another size");
    for (size_t n = (size - fetched_header) / batch_bytes; n > 0; n--) read_at[fetched++] = now;
    take(&consumer, size);
    if (fetched < total) ask();
  }
}

static int connect_to(const char *host, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) fail("the address");
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

static int ascending(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void tell(const char *name, int64_t *at, int64_t from) {
  for (int64_t i = from; i < total; i++) at[i] -= due[i];
  int64_t count = total - from;
  qsort(at + from, count, sizeof *at, ascending);
  printf("\"%s\":{\"p50\":%ld,\"p99\":%ld,\"p999\":%ld},", name, (long)at[from + count / 2],
         (long)at[from + count * 99 / 100], (long)at[from + count * 999 / 1000]);
}

int main(int argc, char **argv) {
  if (argc != 11) fail("ten arguments");
  int64_t rate = atoll(argv[3]), warm = rate * atoll(argv[4]) / 1000;
  total = warm + rate * atoll(argv[5]) / 1000;
  ack_bytes = atoi(argv[6]);
  ack_error_at = atoi(argv[7]);
  offset_at = atoi(argv[8]);
  fetched_header = atoi(argv[9]);
  batch_bytes = atoi(argv[10]);
  size_t got = fread(requests, 1, sizeof requests, stdin);
  produce = requests;
  produce_size = 4 + get32(produce);
  fetch = requests + produce_size;
  fetch_size = 4 + get32(fetch);
  if (produce_size + fetch_size != got || total > MOST) fail("the arguments");
  producer.fd = connect_to(argv[1], atoi(argv[2]));
  consumer.fd = connect_to(argv[1], atoi(argv[2]));
  ask();
  int64_t start = now_us() + 1000, last = start;
  for (int64_t i = 0; i < total; i++) due[i] = start + i * 1000000 / rate;
  while (fetched < total || acks < total) {
    int64_t now = now_us();
    for (; sent < total && due[sent] <= now; sent++) send_all(producer.fd, produce, produce_size);
    int64_t wait = sent < total ? due[sent] - now : 1000000;
    struct timespec timeout = {.tv_sec = wait / 1000000, .tv_nsec = wait % 1000000 * 1000};
    struct pollfd both[2] = {{producer.fd, POLLIN, 0}, {consumer.fd, POLLIN, 0}};
    if (wait > 0 && ppoll(both, 2, &timeout, NULL) < 0 && errno != EINTR) fail("poll");
    now = now_us();
    if (receive(&producer)) last = now;
    on_acks(now);
    if (receive(&consumer)) last = now;
    on_fetched(now);
    if (now - last > 10000000) fail("no answer for ten seconds");
  }
  printf("{");
  tell("ack", acked, warm);
  tell("read", read_at, warm);
  printf("\"total\":%ld}\n", (long)total);
  return 0;
}
