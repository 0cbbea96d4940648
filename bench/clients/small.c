/* A client of small requests: prebuilt ones, sent again and again with the next correlation id over some connections with
 * some of them in flight on each. Every answer is checked: its id, its size, its error code.
 * small HOST PORT CONNECTIONS IN_FLIGHT WARM_MS RUN_MS ANSWER_BYTES ERROR_AT < requests-with-size
 * The requests have one length. Each connection sends its own, in turn where there are fewer requests than connections.
 * Prints one line of JSON; times in microseconds. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_IN_FLIGHT 64
#define MAX_REQUEST (64 * 1024)
#define MAX_REQUESTS (4 << 20)
#define BUCKETS 2000000 /* of one microsecond */
#define ROOM 65536

struct connection {
  int fd;
  const uint8_t *request;
  uint32_t next, answered;
  int64_t sent_at[MAX_IN_FLIGHT];
  size_t have;
  uint8_t in[ROOM];
};

static uint8_t requests[MAX_REQUESTS], out[MAX_REQUEST * 4];
static uint32_t histogram[BUCKETS];
static size_t request_size, answer_bytes, error_at;
static int in_flight;
static uint64_t total, counted, outstanding;
static int64_t warm_until, run_until;

static int64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void fail(const char *what) {
  fprintf(stderr, "small: %s (%s)\n", what, strerror(errno));
  exit(1);
}

static void put32(uint8_t *at, uint32_t v) {
  uint32_t big = htonl(v);
  memcpy(at, &big, 4);
}

static uint32_t get32(const uint8_t *at) {
  uint32_t big;
  memcpy(&big, at, 4);
  return ntohl(big);
}

static void send_some(struct connection *c, int count, int64_t now) {
  size_t size = 0;
  for (int i = 0; i < count; i++) {
    if (size + request_size > sizeof out) fail("too many bytes in flight");
    memcpy(out + size, c->request, request_size);
    put32(out + size + 8, c->next);
    c->sent_at[c->next % MAX_IN_FLIGHT] = now;
    c->next++;
    size += request_size;
  }
  outstanding += count;
  for (size_t done = 0; done < size;) {
    ssize_t n = send(c->fd, out + done, size - done, MSG_NOSIGNAL);
    if (n < 0) fail("send");
    done += n;
  }
}

static void receive(struct connection *c) {
  ssize_t n = recv(c->fd, c->in + c->have, ROOM - c->have, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) fail("the connection was closed");
  c->have += n;
  int64_t now = now_us();
  size_t at = 0;
  int answers = 0;
  while (c->have - at >= 4 + answer_bytes) {
    const uint8_t *answer = c->in + at;
    if (get32(answer) != answer_bytes) fail("an answer of another size");
    if (get32(answer + 4) != c->answered) fail("an answer to another request");
    if (answer[error_at] != 0 || answer[error_at + 1] != 0) fail("an error code");
    int64_t took = now - c->sent_at[c->answered % MAX_IN_FLIGHT];
    c->answered++;
    total++;
    outstanding--;
    answers++;
    at += 4 + answer_bytes;
    if (now >= warm_until && now < run_until) {
      counted++;
      histogram[took < BUCKETS ? took : BUCKETS - 1]++;
    }
  }
  /* An error makes the answer longer or shorter, which would otherwise be waited for forever. */
  if (c->have - at >= 4 && get32(c->in + at) != answer_bytes) fail("an answer of another size");
  memmove(c->in, c->in + at, c->have - at);
  c->have -= at;
  if (answers > 0 && now < run_until) send_some(c, answers, now);
}

static int connect_to(const char *host, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) fail("the address");
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

static double cpu_us(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static uint64_t percentile(double share) {
  uint64_t seen = 0, wanted = (uint64_t)(counted * share);
  for (uint32_t i = 0; i < BUCKETS; i++)
    if ((seen += histogram[i]) > wanted) return i;
  return BUCKETS;
}

int main(int argc, char **argv) {
  if (argc != 9) fail("eight arguments");
  int connections = atoi(argv[3]);
  in_flight = atoi(argv[4]);
  answer_bytes = atoi(argv[7]);
  error_at = atoi(argv[8]);
  if (in_flight < 1 || in_flight > MAX_IN_FLIGHT || answer_bytes + 4 > ROOM) fail("the arguments");
  size_t got = fread(requests, 1, sizeof requests, stdin);
  request_size = 4 + (size_t)get32(requests);
  if (got < 12 || request_size > MAX_REQUEST || got % request_size != 0) fail("the requests");
  struct connection *all = calloc(connections, sizeof *all);
  int poller = epoll_create1(0);
  for (int i = 0; i < connections; i++) {
    all[i].fd = connect_to(argv[1], atoi(argv[2]));
    all[i].request = requests + i % (got / request_size) * request_size;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
    epoll_ctl(poller, EPOLL_CTL_ADD, all[i].fd, &event);
  }
  int64_t start = now_us();
  warm_until = start + atoi(argv[5]) * 1000LL;
  run_until = warm_until + atoi(argv[6]) * 1000LL;
  for (int i = 0; i < connections; i++) send_some(&all[i], in_flight, start);
  double cpu_before = -1, cpu = 0;
  int64_t last_answer = start;
  while (outstanding > 0) {
    struct epoll_event events[64];
    int n = epoll_wait(poller, events, 64, 1000);
    int64_t now = now_us();
    if (n <= 0 && now - last_answer > 10000000) fail("no answer for ten seconds");
    if (n > 0) last_answer = now;
    if (cpu_before < 0 && now >= warm_until) cpu_before = cpu_us();
    for (int i = 0; i < n; i++) receive(events[i].data.ptr);
    if (now < run_until) cpu = cpu_us() - cpu_before;
  }
  printf("{\"total\":%lu,\"counted\":%lu,\"p50\":%lu,\"p99\":%lu,\"max\":%lu,\"cpu\":%.0f}\n", total, counted,
         percentile(0.5), percentile(0.99), percentile(1 - 1.0 / (counted + 1.0)), cpu);
  return 0;
}
