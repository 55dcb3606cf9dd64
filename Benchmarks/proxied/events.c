// events: an origin of event streams, and the clients that count them behind a proxy. Every event of a stream is numbered, so
// that what is lost, doubled or spoilt is seen, however the proxy cut the bytes and the chunks.
// Build: cc -O2 -D_GNU_SOURCE -o events events.c ../load/histogram.c
// Run:   events serve PORT RATE                     so many events of 100 bytes a second to each stream
//        events read PORT CLIENTS SECONDS RATE      says `begin` and `end` around what it counts, then the figures
#include <sys/time.h>

#include "proxied.h"

enum { MOST = 4096, SIZE = 100 };

static struct stream_end {
    int descriptor;
    bool is_open;
    uint64_t due, number;        // the origin: when its next event is, and which
    bool in_body;                // the client: the head is over
    int matched;                 // bytes of the head's end
    bool is_chunked;
    bool in_size, in_line_end;   // of a chunk
    uint64_t chunk_left;
    char event[SIZE];
    int length;
} ends[MOST];

static int selector;
static uint64_t interval;

static int make_event(char *text, uint64_t number) {
    int length = sprintf(text, "data: %llu ", (unsigned long long)number);
    memset(text + length, 'x', (size_t)(SIZE - 2 - length));
    memcpy(text + SIZE - 2, "\n\n", 2);
    return SIZE;
}

// MARK: The origin

static void send_event(struct stream_end *end) {
    char chunk[SIZE + 16];
    int length = sprintf(chunk, "%x\r\n", SIZE);
    length += make_event(chunk + length, end->number++);
    memcpy(chunk + length, "\r\n", 2);
    if (send(end->descriptor, chunk, (size_t)length + 2, MSG_NOSIGNAL | MSG_DONTWAIT) == length + 2) return;
    close(end->descriptor);
    end->is_open = false;
}

static void begin_stream(int descriptor) {
    static const char head[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    char request[8192];
    int on = 1;
    // A proxy sends its request in one piece.
    if (recv(descriptor, request, sizeof request, 0) <= 0 || descriptor >= MOST) {
        close(descriptor);
        return;
    }
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    send_all(descriptor, head, sizeof head - 1);
    // The streams come in at any time, and so their events are spread over the interval.
    ends[descriptor] = (struct stream_end){.descriptor = descriptor, .is_open = true};
    send_event(&ends[descriptor]);
    ends[descriptor].due = now() + (uint64_t)rand() % interval;
}

static void take_end(struct stream_end *end) {
    char bytes[4096];
    if (recv(end->descriptor, bytes, sizeof bytes, 0) > 0) return;
    close(end->descriptor);
    end->is_open = false;
}

static void serve(int port) {
    struct sockaddr_in address = loopback(port);
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0) fail("bind");
    watch(selector, listener, NULL);
    for (;;) {
        struct epoll_event events[256];
        // A millisecond is the grain of what is due.
        int found = wait_until(selector, events, 256, now() + SECOND / 1000);
        for (int index = 0; index < found; index++) {
            struct stream_end *end = events[index].data.ptr;
            if (end) {
                if (end->is_open) take_end(end);
                continue;
            }
            int descriptor = accept4(listener, NULL, NULL, 0);
            if (descriptor < 0) continue;
            begin_stream(descriptor);
            if (ends[descriptor].is_open) watch(selector, descriptor, &ends[descriptor]);
        }
        uint64_t time = now();
        for (int index = 0; index < MOST; index++) {
            for (; ends[index].is_open && ends[index].due <= time; ends[index].due += interval) send_event(&ends[index]);
        }
    }
}

// MARK: The clients

static uint64_t counted;

static void spoilt(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void take_body_byte(struct stream_end *end, char byte) {
    end->event[end->length++] = byte;
    if (end->length < SIZE) return;
    char expected[SIZE + 1];
    make_event(expected, end->number);
    if (memcmp(expected, end->event, SIZE)) spoilt("an event is lost, doubled or spoilt");
    end->number++;
    end->length = 0;
    counted++;
}

static void take_byte(struct stream_end *end, char byte) {
    static const char head_end[] = "\r\n\r\n";
    if (!end->in_body) {
        end->matched = byte == head_end[end->matched] ? end->matched + 1 : byte == '\r';
        if (end->matched == 4) end->in_body = end->in_size = true;
    } else if (!end->is_chunked) {
        take_body_byte(end, byte);
    } else if (end->in_line_end) {
        if (byte == '\n') end->in_line_end = false, end->in_size = true;
    } else if (end->in_size) {
        if (byte == '\n') end->in_size = false;
        else if (byte != '\r') end->chunk_left = end->chunk_left * 16 + strtoull((char[]){byte, 0}, NULL, 16);
    } else {
        take_body_byte(end, byte);
        if (--end->chunk_left == 0) end->in_line_end = true;
    }
}

static void receive(struct stream_end *end) {
    char bytes[65536];
    ssize_t count = recv(end->descriptor, bytes, sizeof bytes - 1, 0);
    if (count <= 0) spoilt("a stream ended");
    bytes[count] = 0;
    if (!end->in_body && end->matched == 0 && strncmp(bytes, "HTTP/1.1 200", 12)) spoilt(bytes);
    if (!end->in_body && strcasestr(bytes, "\r\ntransfer-encoding: chunked\r\n")) end->is_chunked = true;
    for (ssize_t index = 0; index < count; index++) take_byte(end, bytes[index]);
}

static void receive_until(uint64_t time) {
    struct epoll_event events[256];
    while (now() < time) {
        int found = wait_until(selector, events, 256, time);
        for (int index = 0; index < found; index++) receive(events[index].data.ptr);
    }
}

static void say(const char *what) {
    printf("%s\n", what);
    fflush(stdout);
    // Whoever measures has the time to look.
    char answer[8];
    if (!fgets(answer, sizeof answer, stdin)) exit(1);
}

static int read_streams(int port, int clients, uint64_t seconds, uint64_t rate) {
    static const char request[] = "GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    for (int index = 0; index < clients; index++) {
        ends[index].descriptor = connect_to(port);
        watch(selector, ends[index].descriptor, &ends[index]);
        send_all(ends[index].descriptor, request, sizeof request - 1);
        receive_until(now() + SECOND / 2000);
    }
    receive_until(now() + SECOND / 2);
    for (int index = 0; index < clients; index++) {
        if (ends[index].number > 0) continue;
        fprintf(stderr, "stream %d of %d has no events; its head has %s\n", index, clients, ends[index].in_body ? "come" : "not come");
        return 1;
    }
    say("begin");
    uint64_t before = counted, began = now();
    receive_until(began + seconds * SECOND);
    uint64_t events = counted - before, expected = (uint64_t)clients * seconds * rate;
    say("end");
    // What was on its way at either end of the time may come or go; half of a fiftieth of all may not.
    if (events < expected * 98 / 100 || events > expected * 102 / 100) {
        fprintf(stderr, "%llu events came and %llu were sent\n", (unsigned long long)events, (unsigned long long)expected);
        return 1;
    }
    printf("{\"events\":%llu}\n", (unsigned long long)events);
    return 0;
}

int main(int count, char **values) {
    if (count < 4) return 2;
    selector = epoll_create1(0);
    if (!strcmp(values[1], "serve")) {
        interval = SECOND / strtoull(values[3], NULL, 10);
        serve(atoi(values[2]));
    }
    if (count != 6 || atoi(values[3]) > MOST) return 2;
    return read_streams(atoi(values[2]), atoi(values[3]), strtoull(values[4], NULL, 10), strtoull(values[5], NULL, 10));
}
