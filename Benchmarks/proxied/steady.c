// steady: requests at a constant rate, whatever the server does (an open loop), and how long after the time at which each
// was due its answer was whole. A server that makes its clients wait does not look fast.
// Build: cc -O2 -D_GNU_SOURCE -o steady steady.c ../load/histogram.c   Run: steady PORT PATH CONNECTIONS RATE SECONDS
#include "proxied.h"

enum { MOST = 4096, WAITING = 1 << 20 };

static struct client {
    int descriptor;
    uint64_t due;    // of the request that is under way; 0: none is
    size_t received; // of its answer
    char answer[8192];
} clients[MOST];

static struct client *idle[MOST];
static int idle_count, selector;
// Due, but no connection was free.
static uint64_t waiting[WAITING];
static uint64_t waiting_first, waiting_end;
static char request[512];
static int request_length;
static struct histogram latency;
static uint64_t answered;

static void begin(struct client *client, uint64_t due) {
    client->due = due;
    client->received = 0;
    send_all(client->descriptor, request, (size_t)request_length);
}

static bool is_whole(struct client *client) {
    client->answer[client->received] = 0;
    char *end = strstr(client->answer, "\r\n\r\n");
    if (!end) return false;
    const char *length = strcasestr(client->answer, "\r\ncontent-length:");
    if (strncmp(client->answer, "HTTP/1.1 200", 12) || !length) {
        fprintf(stderr, "not an answer with a length: %.200s\n", client->answer);
        exit(1);
    }
    return client->received >= (size_t)(end + 4 - client->answer) + strtoul(length + 17, NULL, 10);
}

static void take(struct client *client) {
    size_t room = sizeof client->answer - 1 - client->received;
    ssize_t count = recv(client->descriptor, client->answer + client->received, room, 0);
    if (count <= 0) fail("the server closed a connection");
    client->received += (size_t)count;
    if (!is_whole(client)) return;
    add_time(&latency, now() - client->due);
    answered++;
    if (waiting_first < waiting_end) return begin(client, waiting[waiting_first++ % WAITING]);
    client->due = 0;
    idle[idle_count++] = client;
}

int main(int count, char **values) {
    if (count != 6) return 2;
    int port = atoi(values[1]), connections = atoi(values[3]);
    uint64_t rate = strtoull(values[4], NULL, 10), total = rate * strtoull(values[5], NULL, 10);
    if (connections < 1 || connections > MOST || rate < 1) return 2;
    request_length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", values[2]);
    selector = epoll_create1(0);
    for (int index = 0; index < connections; index++) {
        clients[index].descriptor = connect_to(port);
        watch(selector, clients[index].descriptor, &clients[index]);
        idle[idle_count++] = &clients[index];
    }
    uint64_t began = now(), sent = 0, most_waiting = 0;
    while (answered < total) {
        uint64_t due = sent < total ? began + sent * SECOND / rate : now() + SECOND;
        struct epoll_event events[256];
        int found = wait_until(selector, events, 256, due);
        for (int index = 0; index < found; index++) take(events[index].data.ptr);
        for (uint64_t time = now(); sent < total && (due = began + sent * SECOND / rate) <= time; sent++) {
            if (idle_count > 0) begin(idle[--idle_count], due);
            else waiting[waiting_end++ % WAITING] = due;
        }
        if (waiting_end - waiting_first > most_waiting) most_waiting = waiting_end - waiting_first;
        if (now() > began + (total / rate + 30) * SECOND || most_waiting >= WAITING) {
            fprintf(stderr, "the server is slower than %llu requests a second\n", (unsigned long long)rate);
            return 1;
        }
    }
    printf("{\"p50_us\":%llu,\"p99_us\":%llu,\"most_waiting\":%llu}\n", (unsigned long long)percentile(&latency, 0.5),
           (unsigned long long)percentile(&latency, 0.99), (unsigned long long)most_waiting);
    return 0;
}
