// Publishers: a process each, one kept connection, an event whenever it is due.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

enum { LARGEST = 64 * 1024 };

static volatile sig_atomic_t is_over;

static void stop_soon(int signal) { is_over = signal; }

static int connect_to_server(void) {
    int descriptor = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.publish_port)};
    inet_pton(AF_INET, options.host, &address.sin_addr);
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0) stop("publisher: connect");
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return descriptor;
}

// The time at which the event was due, and not the one at which it was sent: a server that makes its publishers wait does
// not look fast. Larger ones are JSON, since how well they compress matters.
static int event_text(char *text, uint64_t due, uint64_t number) {
    int length = sprintf(text, "@%llu@", (unsigned long long)due);
    unsigned long long n = number;
    if (options.size < 150) {
        for (; length < options.size; length++) text[length] = 'x';
    } else {
        length += sprintf(text + length,
                          "{\"symbol\":\"AC%02llu\",\"bid\":%llu.%02llu,\"ask\":%llu.%02llu,\"seq\":%llu,\"venue\":\"XNAS\",\"note\":\"",
                          n * 7 % 97, 100 + n * 13 % 50, n * 31 % 100, 101 + n * 13 % 50, n * 17 % 100, n);
        for (int index = 0; length < options.size - 2; index++) text[length++] = "quote of the day "[index % 17];
        length += sprintf(text + length, "\"}");
    }
    return length;
}

// Reads one answer whole. Its status, or 0 when the connection is of no use any more.
static int read_answer(int descriptor, bool *closes) {
    static char answer[LARGEST];
    size_t count = 0;
    for (;;) {
        ssize_t more = recv(descriptor, answer + count, sizeof answer - 1 - count, 0);
        if (more <= 0) return 0;
        answer[count += (size_t)more] = 0;
        char *end = strstr(answer, "\r\n\r\n");
        if (!end) continue;
        const char *length = strcasestr(answer, "content-length:");
        if (count < (size_t)(end + 4 - answer) + (length ? strtoul(length + 15, NULL, 10) : 0)) continue;
        *closes = strcasestr(answer, "connection: close") != NULL;
        int status = atoi(answer + 9);
        if (status / 100 != 2) complain("publish: %.60s", answer);
        return status;
    }
}

static uint64_t publish(const struct publishing *publishing, int number) {
    static char text[LARGEST], request[LARGEST + LONGEST_PATH + 512];
    uint64_t total = publishing->total / (uint64_t)publishing->count, done = 0, failures = 0, began = now();
    double interval = publishing->rate > 0 ? (double)SECOND * publishing->count / publishing->rate : 0;
    // Where more is offered than the server takes, the rest is not offered any more.
    uint64_t limit = publishing->rate > 0 ? began + (uint64_t)(options.seconds + 2) * SECOND : UINT64_MAX;
    int descriptor = -1;
    struct group topic = {.path = publishing->path};
    for (uint64_t index = 0; index < total && !is_over && failures < 50 && now() < limit; index++) {
        uint64_t due = interval > 0 ? began + (uint64_t)((double)index * interval) : now(), time = now();
        if (time < due) {
            struct timespec pause = {(time_t)((due - time) / SECOND), (long)((due - time) % SECOND)};
            nanosleep(&pause, NULL);
        }
        if (descriptor < 0) descriptor = connect_to_server();
        char path[LONGEST_PATH];
        path_of(path, &topic, (int)(index * (uint64_t)publishing->count) + number);
        int length = event_text(text, due, index);
        int count = sprintf(request, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%.*s",
                            path, length, length, text);
        bool closes = true;
        int status = send(descriptor, request, (size_t)count, MSG_NOSIGNAL) == count ? read_answer(descriptor, &closes) : 0;
        if (status / 100 == 2) done++;
        else failures++;
        if (closes || status == 0) {
            close(descriptor);
            descriptor = -1;
        }
    }
    return done;
}

void start_publishing(struct publishing *publishing) {
    int ends[2];
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0) stop("pipe2");
    publishing->pipe = ends[0];
    publishing->processes = calloc((size_t)publishing->count, sizeof(pid_t));
    for (int number = 0; number < publishing->count; number++) {
        pid_t process = fork();
        if (process < 0) stop("fork");
        if (process > 0) {
            publishing->processes[number] = process;
            continue;
        }
        struct sigaction action = {.sa_handler = stop_soon};
        sigaction(SIGTERM, &action, NULL);
        uint64_t done = publish(publishing, number);
        if (write(ends[1], &done, sizeof done) != sizeof done) _exit(1);
        _exit(0);
    }
    close(ends[1]);
}

// Whether all publishers are done; how much they published is known then.
bool has_ended(struct publishing *publishing) {
    uint64_t done;
    while (publishing->ended < publishing->count && read(publishing->pipe, &done, sizeof done) == sizeof done) {
        publishing->published += done;
        publishing->ended++;
    }
    return publishing->ended == publishing->count;
}

// Each finishes the event that it is at.
void end_publishing(struct publishing *publishing) {
    for (int number = 0; number < publishing->count; number++) kill(publishing->processes[number], SIGTERM);
}
