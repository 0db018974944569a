/* gs-demo-web PORT [--start-delay-ms N] [--term-delay-ms N] [--also-extra] [--unhealthy-file PATH]

   A web service that answers which library it runs: {"host","library","extra"?}.
   /?ms=N answers after N ms; /health answers 200 "ok" or 503 "unhealthy";
   /become?health=bad and /become?health=ok change what /health answers.
   --start-delay-ms  listen only after this time
   --term-delay-ms   on SIGTERM go on serving for this time, then end (default: end at once,
                     requests in flight are cut)
   --also-extra      load libgsextra too
   --unhealthy-file  begin unhealthy when this file is there at the start
   One thread per connection, Connection: close. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const char *gs_demo_version(void);

/* Makes two builds of the program differ without a change of size. */
__attribute__((used)) static const char program_version[64] = GS_VERSION;
static char host[64];
static const char *(*extra_version)(void);
static volatile int healthy = 1;
static long term_delay_ms;

static void sleep_ms(long ms) {
  if (ms > 0) usleep((useconds_t)ms * 1000);
}

/* The only thread that takes SIGTERM: all others block it. */
static void *end_on_term(void *arg) {
  int received;
  sigwait(arg, &received);
  sleep_ms(term_delay_ms);
  _exit(0);
}

static void answer(int fd, const char *status, const char *body) {
  char text[512];
  int length = snprintf(text, sizeof text,
                        "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                        "Connection: close\r\n\r\n%s",
                        status, strlen(body), body);
  if (write(fd, text, (size_t)length) < 0) return;
}

static void *serve(void *arg) {
  int fd = (int)(long)arg;
  char request[4096];
  size_t have = 0;
  ssize_t got;
  while (have < sizeof request - 1 && (got = read(fd, request + have, sizeof request - 1 - have)) > 0) {
    have += (size_t)got;
    request[have] = 0;
    if (strstr(request, "\r\n\r\n")) break;
  }
  request[have] = 0;
  if (have == 0) {
    close(fd); /* a check that only connects */
    return NULL;
  }
  if (strncmp(request, "GET /health", 11) == 0) {
    answer(fd, healthy ? "200 OK" : "503 Service Unavailable",
           healthy ? "\"ok\"" : "\"unhealthy\"");
  } else if (strncmp(request, "GET /become?health=", 19) == 0) {
    healthy = strncmp(request + 19, "ok", 2) == 0;
    answer(fd, "200 OK", "\"done\"");
  } else {
    char body[320];
    const char *wait = strstr(request, "?ms=");
    if (wait && wait < strstr(request, "\r\n")) sleep_ms(atol(wait + 4));
    if (extra_version)
      snprintf(body, sizeof body, "{\"host\":\"%s\",\"library\":\"%s\",\"extra\":\"%s\"}", host,
               gs_demo_version(), extra_version());
    else
      snprintf(body, sizeof body, "{\"host\":\"%s\",\"library\":\"%s\"}", host, gs_demo_version());
    answer(fd, "200 OK", body);
  }
  shutdown(fd, SHUT_WR);
  close(fd);
  return NULL;
}

static int listen_on(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1024) < 0) {
    perror("gs-demo-web: listen");
    exit(1);
  }
  return fd;
}

int main(int argc, char **argv) {
  long start_delay_ms = 0;
  if (argc < 2 || atoi(argv[1]) <= 0) {
    fprintf(stderr, "usage: gs-demo-web PORT [options]\n");
    return 2;
  }
  for (int i = 2; i < argc; i++) {
    const char *value = i + 1 < argc ? argv[i + 1] : "";
    if (strcmp(argv[i], "--start-delay-ms") == 0) {
      start_delay_ms = atol(value);
      i++;
    } else if (strcmp(argv[i], "--term-delay-ms") == 0) {
      term_delay_ms = atol(value);
      i++;
    } else if (strcmp(argv[i], "--unhealthy-file") == 0) {
      healthy = access(value, F_OK) != 0;
      i++;
    } else if (strcmp(argv[i], "--also-extra") == 0) {
      void *library = dlopen("libgsextra.so.1", RTLD_NOW);
      if (library) *(void **)&extra_version = dlsym(library, "gs_extra_version");
      if (!extra_version) {
        fprintf(stderr, "gs-demo-web: %s\n", dlerror());
        return 1;
      }
    } else {
      fprintf(stderr, "gs-demo-web: unknown option %s\n", argv[i]);
      return 2;
    }
  }
  gethostname(host, sizeof host - 1);
  signal(SIGPIPE, SIG_IGN);
  static sigset_t term;
  pthread_t waiter;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &term, NULL);
  if (pthread_create(&waiter, NULL, end_on_term, &term) != 0) return 1;
  sleep_ms(start_delay_ms);
  int listener = listen_on(atoi(argv[1]));
  pthread_attr_t detached;
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&detached, 64 * 1024);
  for (;;) {
    int fd = accept(listener, NULL, NULL), on = 1;
    pthread_t thread;
    if (fd < 0) continue;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (pthread_create(&thread, &detached, serve, (void *)(long)fd) != 0) close(fd);
  }
}
