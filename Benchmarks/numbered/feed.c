// A feed of numbered events: the upstream of Benchmarks/lossless and Benchmarks/flat. Event N is there from N / RATE seconds
// after START on, its own id is N, and a client gets what follows its Last-Event-ID: it may be killed and started again at
// any moment. SIGUSR1 makes it die in the middle of its next event.
// Build: cc -O2 -D_GNU_SOURCE -o feed feed.c -lssl -lcrypto -pthread
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event.h"

static char name = 'a';
static int port;
static uint64_t start, total = UINT64_MAX, fault_at;
static double rate = 10;
static size_t largest = 4096;
static bool chunked;
static const char *fault = "";
static SSL_CTX *context;
static volatile sig_atomic_t dying;

struct client {
    int descriptor;
    SSL *ssl;
    uint64_t random;
};

static void stop(const char *what) {
    perror(what);
    exit(2);
}

static bool send_bytes(struct client *client, const char *bytes, size_t count) {
    while (count > 0) {
        int taken = client->ssl ? SSL_write(client->ssl, bytes, (int)count)
                                : (int)send(client->descriptor, bytes, count, MSG_NOSIGNAL);
        if (taken <= 0) return false;
        bytes += taken;
        count -= (size_t)taken;
    }
    return true;
}

// In pieces that end anywhere; each one is a chunk where chunks are sent.
static bool send_body(struct client *client, const char *bytes, size_t count) {
    while (count > 0) {
        size_t piece = next_random(&client->random) % 2 ? count : 1 + next_random(&client->random) % count;
        char head[32];
        int length = sprintf(head, "%zx\r\n", piece);
        if (chunked && !send_bytes(client, head, (size_t)length)) return false;
        if (!send_bytes(client, bytes, piece)) return false;
        if (chunked && !send_bytes(client, "\r\n", 2)) return false;
        bytes += piece;
        count -= piece;
    }
    return true;
}

// The event as a feed may write it: line ends, comments and optional spaces differ from event to event.
static size_t encode(char *out, const struct numbered *event) {
    static const char *ends[] = {"\n", "\n", "\r\n", "\r"};
    uint64_t random = seed_of(name, event->number) ^ 0x5555;
    const char *end = ends[next_random(&random) % 4];
    char *to = out;
    if (next_random(&random) % 8 == 0) to += sprintf(to, ": before %llu%s", (unsigned long long)event->number, end);
    if (strcmp(event->type, "message")) to += sprintf(to, "event:%s%s", event->type, end);
    bool last = next_random(&random) % 2;
    if (!last) to += sprintf(to, "id: %llu%s", (unsigned long long)event->number, end);
    const char *line = event->data, *stop = event->data + event->length;
    while (line <= stop) {
        const char *next = memchr(line, '\n', (size_t)(stop - line));
        if (!next) next = stop;
        bool space = (line < stop && *line == ' ') || next_random(&random) % 2;
        to += sprintf(to, "data:%s", space ? " " : "");
        memcpy(to, line, (size_t)(next - line));
        to += next - line;
        to += sprintf(to, "%s", end);
        if (next_random(&random) % 16 == 0) to += sprintf(to, ": within%s", end);
        line = next + 1;
    }
    if (last) to += sprintf(to, "id:%llu%s", (unsigned long long)event->number, end);
    to += sprintf(to, "%s", end);
    return (size_t)(to - out);
}

// An event as it is sent: dropped, damaged or repeated where that is asked for.
static size_t place(char *out, uint64_t at) {
    struct numbered *event = malloc(sizeof *event);
    if (!event) stop("malloc");
    bool here = fault_at != 0 && at == fault_at;
    make_numbered(event, name, at, largest);
    if (here && !strcmp(fault, "damage")) event->data[event->length - 1] ^= 1;
    size_t length = here && !strcmp(fault, "drop") ? 0 : encode(out, event);
    if (here && !strcmp(fault, "repeat")) length += encode(out + length, event);
    free(event);
    return length;
}

static void events(struct client *client, uint64_t after) {
    enum { BATCH = 32 * 1024 };
    // Each line of data may be a single LF in the event, and has a field's name and a line end here.
    char *batch = malloc(BATCH + 2 * (LARGEST * 24));
    if (!batch) stop("malloc");
    uint64_t said = now_nanoseconds();
    for (;;) {
        uint64_t now = now_nanoseconds();
        uint64_t there = now > start ? (uint64_t)((double)(now - start) * rate / 1e9) : 0;
        if (there > total) there = total;
        size_t length = 0, before = 0;
        while (after < there && length < BATCH) {
            before = length;
            length += place(batch + length, ++after);
        }
        if (length > 0 && dying) {
            // Half of an event and nothing more, as when a machine goes down.
            send_body(client, batch, before + (length - before) / 2);
            kill(getpid(), SIGKILL);
        }
        if (length == 0 && now - said > 1000000000u) length = (size_t)sprintf(batch, ": idle\n");
        if (length > 0) {
            said = now;
            if (!send_body(client, batch, length)) break;
        }
        if (after >= there) {
            double wait = after < total && rate < 400 ? 1e9 / rate : 2.5e6;
            struct timespec pause = {0, (long)(wait > 2e8 ? 2e8 : wait)};
            nanosleep(&pause, NULL);
        }
    }
    free(batch);
}

static void *serve(void *argument) {
    struct client *client = argument;
    char head[16384];
    int length = 0;
    client->random = now_nanoseconds();
    if (client->ssl && SSL_accept(client->ssl) != 1) goto over;
    for (;;) {
        int room = (int)sizeof head - 1 - length;
        int count = client->ssl ? SSL_read(client->ssl, head + length, room)
                                : (int)recv(client->descriptor, head + length, (size_t)room, 0);
        if (count <= 0) goto over;
        head[length += count] = 0;
        if (strstr(head, "\r\n\r\n")) break;
    }
    const char *cursor = strcasestr(head, "\r\nlast-event-id:");
    uint64_t after = cursor ? strtoull(cursor + 16, NULL, 10) : 0;
    fprintf(stderr, "%c: asked for what follows %llu\n", name, (unsigned long long)after);
    const char *plain = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
    const char *pieces = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n";
    const char *answer = chunked ? pieces : plain;
    if (send_bytes(client, answer, strlen(answer))) events(client, after);
over:
    if (client->ssl) SSL_free(client->ssl);
    close(client->descriptor);
    free(client);
    return NULL;
}

static void die_soon(int signal) {
    (void)signal;
    dying = 1;
}

static void read_options(int count, char **values) {
    static const struct option options[] = {
        {"name", 1, 0, 'n'}, {"port", 1, 0, 'p'}, {"start", 1, 0, 's'}, {"rate", 1, 0, 'r'}, {"total", 1, 0, 't'},
        {"largest", 1, 0, 'l'}, {"chunked", 0, 0, 'c'}, {"certificate", 1, 0, 'C'}, {"key", 1, 0, 'K'},
        {"fault", 1, 0, 'f'}, {"at", 1, 0, 'a'}, {0, 0, 0, 0},
    };
    const char *certificate = NULL, *key = NULL;
    for (int option; (option = getopt_long(count, values, "", options, NULL)) != -1;) switch (option) {
        case 'n': name = *optarg; break;
        case 'p': port = atoi(optarg); break;
        case 's': start = strtoull(optarg, NULL, 10); break;
        case 'r': rate = atof(optarg); break;
        case 't': total = strtoull(optarg, NULL, 10); break;
        case 'l': largest = strtoull(optarg, NULL, 10); break;
        case 'c': chunked = true; break;
        case 'C': certificate = optarg; break;
        case 'K': key = optarg; break;
        case 'f': fault = optarg; break;
        case 'a': fault_at = strtoull(optarg, NULL, 10); break;
        default: exit(2);
        }
    if (!certificate) return;
    context = SSL_CTX_new(TLS_server_method());
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1) stop(certificate);
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) stop(key);
}

int main(int count, char **values) {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, die_soon);
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // Not to outlive a driver that was killed.
    start = now_nanoseconds();
    read_options(count, values);
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 16) < 0) stop("listen");
    fprintf(stderr, "%c: listens as %d\n", name, (int)getpid());
    for (;;) {
        int descriptor = accept(listener, NULL, NULL);
        if (descriptor < 0) continue;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct client *client = calloc(1, sizeof *client);
        if (!client) stop("calloc");
        client->descriptor = descriptor;
        if (context) SSL_set_fd(client->ssl = SSL_new(context), descriptor);
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, client)) stop("pthread_create");
        pthread_detach(thread);
    }
}
