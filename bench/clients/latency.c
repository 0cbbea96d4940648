/* One batch at a time at a fixed rate, whatever the answers do (an open loop), and consumers that wait for each: how long
 * after the time it was due was a batch acknowledged, how long until it was read.
 * latency HOST PORT RATE WARM_MS RUN_MS CONSUMERS ACK_BYTES ACK_ERROR_AT OFFSET_AT FETCHED_HEADER BATCH_BYTES BATCH_RECORDS
 *   < produce-and-fetch-requests
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
#define MOST_CONSUMERS 1000

struct side {
  int fd;
  int64_t fetched, *read_at;
  size_t have;
  uint8_t in[ROOM];
};

static struct side producer, *consumers;
static uint8_t requests[1 << 20];
static uint8_t *produce, *fetch;
static size_t produce_size, fetch_size, ack_bytes, ack_error_at, offset_at, fetched_header, batch_bytes, batch_records;
static int64_t due[MOST], acked[MOST];
static int64_t total, sent, acks, readers, reading;

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

static void ask(struct side *c) {
  uint64_t offset = (uint64_t)c->fetched * batch_records;
  for (int i = 0; i < 8; i++) fetch[offset_at + i] = (uint8_t)(offset >> (56 - 8 * i));
  send_all(c->fd, fetch, fetch_size);
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

/* Whether there were any. */
static int on_acks(int64_t now) {
  int64_t before = acks;
  for (size_t size; (size = answer(&producer)) > 0; take(&producer, size)) {
    if (size != 4 + ack_bytes) fail("an answer of another size");
    if (producer.in[ack_error_at] != 0 || producer.in[ack_error_at + 1] != 0) fail("an error code");
    acked[acks++] = now;
  }
  return acks > before;
}

/* Whether any batch came. */
static int on_fetched(struct side *c, int64_t now) {
  int64_t before = c->fetched;
  for (size_t size; (size = answer(c)) > 0;) {
    if (size < fetched_header || (size - fetched_header) % batch_bytes != 0) fail("a fetch of another size");
    size_t count = (size - fetched_header) / batch_bytes;
    if (c->fetched + (int64_t)count > total) fail("more batches than were sent");
    for (; count > 0; count--) c->read_at[c->fetched++] = now;
    take(c, size);
    if (c->fetched < total) ask(c);
    else reading--;
  }
  return c->fetched > before;
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

static void tell(const char *name, int64_t *took, int64_t count) {
  qsort(took, count, sizeof *took, ascending);
  printf("\"%s\":{\"p50\":%ld,\"p99\":%ld,\"p999\":%ld},", name, (long)took[count / 2], (long)took[count * 99 / 100],
         (long)took[count * 999 / 1000]);
}

/* Of all consumers together. */
static void tell_reads(int64_t from) {
  int64_t count = total - from, *took = malloc(readers * count * sizeof *took), at = 0;
  for (int64_t r = 0; r < readers; r++)
    for (int64_t i = from; i < total; i++) took[at++] = consumers[r].read_at[i] - due[i];
  tell("read", took, at);
}

int main(int argc, char **argv) {
  if (argc != 13) fail("twelve arguments");
  int64_t rate = atoll(argv[3]), warm = rate * atoll(argv[4]) / 1000;
  total = warm + rate * atoll(argv[5]) / 1000;
  reading = readers = atoi(argv[6]);
  ack_bytes = atoi(argv[7]);
  ack_error_at = atoi(argv[8]);
  offset_at = atoi(argv[9]);
  fetched_header = atoi(argv[10]);
  batch_bytes = atoi(argv[11]);
  batch_records = atoi(argv[12]);
  size_t got = fread(requests, 1, sizeof requests, stdin);
  produce = requests;
  produce_size = 4 + get32(produce);
  fetch = requests + produce_size;
  fetch_size = 4 + get32(fetch);
  if (produce_size + fetch_size != got || total > MOST || readers < 1 || readers > MOST_CONSUMERS) fail("the arguments");
  struct pollfd polled[MOST_CONSUMERS + 1];
  producer.fd = connect_to(argv[1], atoi(argv[2]));
  polled[0] = (struct pollfd){producer.fd, POLLIN, 0};
  /* Memory that is not written to takes none. */
  consumers = calloc(readers, sizeof *consumers);
  for (int64_t r = 0; r < readers; r++) {
    consumers[r].fd = connect_to(argv[1], atoi(argv[2]));
    consumers[r].read_at = calloc(total, sizeof *consumers[r].read_at);
    polled[r + 1] = (struct pollfd){consumers[r].fd, POLLIN, 0};
    ask(&consumers[r]);
  }
  int64_t start = now_us() + 1000, last = start;
  for (int64_t i = 0; i < total; i++) due[i] = start + i * 1000000 / rate;
  while (reading > 0 || acks < total) {
    int64_t now = now_us();
    for (; sent < total && due[sent] <= now; sent++) send_all(producer.fd, produce, produce_size);
    int64_t wait = sent < total ? due[sent] - now : 1000000;
    struct timespec timeout = {.tv_sec = wait / 1000000, .tv_nsec = wait % 1000000 * 1000};
    if (wait < 0) timeout = (struct timespec){0, 0};
    if (ppoll(polled, readers + 1, &timeout, NULL) < 0 && errno != EINTR) fail("poll");
    now = now_us();
    if (polled[0].revents != 0 && receive(&producer) && on_acks(now)) last = now;
    for (int64_t r = 0; r < readers; r++)
      if (polled[r + 1].revents != 0 && receive(&consumers[r]) && on_fetched(&consumers[r], now)) last = now;
    if (now - last > 10000000) fail("no message for ten seconds");
  }
  int64_t took = now_us() - start;
  printf("{");
  for (int64_t i = 0; i < total; i++) acked[i] -= due[i];
  tell("ack", acked + warm, total - warm);
  tell_reads(warm);
  printf("\"total\":%ld,\"took\":%ld}\n", (long)total, (long)took);
  return 0;
}
