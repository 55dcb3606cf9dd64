// Connections of subscribers, all on one epoll.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

enum { LONGEST_HEAD = 8192 };

static struct connection *connections;
static int made, most;
static int under_way;  // connections whose streams have not begun
static int selector;
static SSL_CTX *context;

void stop(const char *what) {
    perror(what);
    exit(1);
}

// Ends the run: the server is not able to take part.
void cannot(const char *what) {
    fprintf(stderr, "the server does not %s\n", what);
    exit(3);
}

// Says what is wrong, the first few times.
void complain(const char *format, ...) {
    static int said;
    if (said++ >= 5) return;
    va_list values;
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
}

void prepare_subscribers(int count) {
    most = count;
    connections = calloc((size_t)count, sizeof *connections);
    selector = epoll_create1(0);
    if (!connections || selector < 0) stop("epoll_create1");
    if (!options.tls) return;
    context = SSL_CTX_new(TLS_client_method());
    if (options.streams_per_connection > 0) SSL_CTX_set_alpn_protos(context, (const unsigned char *)"\x02h2", 3);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
}

int handshakes_under_way(void) { return under_way; }

static void watch(struct connection *connection, uint32_t events, int operation) {
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (epoll_ctl(selector, operation, connection->descriptor, &event) < 0) stop("epoll_ctl");
}

static int streams_of(const struct connection *connection) {
    int streams = options.streams_per_connection;
    int left = connection->group->count - connection->number;
    return streams == 0 ? 1 : streams < left ? streams : left;
}

static void end(struct connection *connection, bool is_expected) {
    struct group *group = connection->group;
    if (connection->state != STREAMING) under_way--;
    int streams = streams_of(connection);
    for (int place = 0; place < streams; place++) {
        struct stream *stream = &connection->streams[place];
        if (stream->is_open) group->streaming--;
        if (!is_expected && (stream->is_open || connection->state != STREAMING)) group->dead++;
        stream->is_open = false;
        if (stream->inflater) inflateEnd(stream->inflater);
        free(stream->inflater);
        stream->inflater = NULL;
    }
    connection->state = DEAD;
    close(connection->descriptor);
    if (connection->ssl) SSL_free(connection->ssl);
    if (connection->session) nghttp2_session_del(connection->session);
    connection->ssl = NULL;
    connection->session = NULL;
    free(connection->head);
    connection->head = NULL;
}

static void die(struct connection *connection) { end(connection, false); }

// Begins the next connection of a group. False: all have begun.
bool begin_next(struct group *group) {
    if (group->begun >= group->count) return false;
    if (made == most) return false;
    struct connection *connection = &connections[made];
    int streams = options.streams_per_connection > 0 ? options.streams_per_connection : 1;
    *connection = (struct connection){.group = group, .number = group->begun, .began = now()};
    group->begun += streams;
    connection->streams = calloc((size_t)streams, sizeof *connection->streams);
    for (int place = 0; place < streams; place++) connection->streams[place].group = group;
    connection->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (!connection->streams || connection->descriptor < 0) stop("socket");
    int on = 1;
    setsockopt(connection->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (group->receive_buffer > 0)
        setsockopt(connection->descriptor, SOL_SOCKET, SO_RCVBUF, &group->receive_buffer, sizeof(int));
    if (options.addresses > 1) {
        // One address has only 28,000 ports.
        setsockopt(connection->descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        struct sockaddr_in own = {.sin_family = AF_INET};
        own.sin_addr.s_addr = htonl(0x7F000002u + (uint32_t)(made % options.addresses));
        if (bind(connection->descriptor, (struct sockaddr *)&own, sizeof own) < 0) stop("bind");
    }
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
    inet_pton(AF_INET, options.host, &address.sin_addr);
    if (connect(connection->descriptor, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)
        stop("connect");
    watch(connection, EPOLLOUT | EPOLLIN, EPOLL_CTL_ADD);
    made++;
    under_way++;
    return true;
}

void path_of(char *path, const struct group *group, int number) {
    const char *mark = strstr(group->path, "%C%");
    if (mark)
        snprintf(path, LONGEST_PATH, "%.*s%d%s", (int)(mark - group->path), group->path, number % options.topics, mark + 3);
    else
        snprintf(path, LONGEST_PATH, "%s", group->path);
}

static void send_request(struct connection *connection) {
    if (connection->ssl) add_time(&connection->group->handshake, now() - connection->began);
    if (options.streams_per_connection > 0) {
        start_http2(connection);
    } else {
        char path[LONGEST_PATH], request[LONGEST_PATH + 512], cursor[LONGEST_ID + 32] = "";
        path_of(path, connection->group, connection->number);
        if (connection->group->cursor)
            snprintf(cursor, sizeof cursor, "Last-Event-ID: %s\r\n", connection->group->cursor);
        int length = snprintf(request, sizeof request,
                              "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n%s%s\r\n", path, cursor,
                              options.gzip ? "Accept-Encoding: gzip\r\n" : "");
        ssize_t sent = connection->ssl ? SSL_write(connection->ssl, request, length)
                                       : send(connection->descriptor, request, (size_t)length, MSG_NOSIGNAL);
        if (sent != length) return die(connection);
    }
    connection->state = AWAITING_HEAD;
    watch(connection, EPOLLIN, EPOLL_CTL_MOD);
}

static void connected(struct connection *connection) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(connection->descriptor, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error) {
        complain("connect: %s", strerror(error));
        return die(connection);
    }
    if (!options.tls) return send_request(connection);
    connection->ssl = SSL_new(context);
    SSL_set_fd(connection->ssl, connection->descriptor);
    SSL_set_connect_state(connection->ssl);
    SSL_set_tlsext_host_name(connection->ssl, "localhost");
    connection->state = HANDSHAKING;
}

static void shake_hands(struct connection *connection) {
    int result = SSL_do_handshake(connection->ssl);
    if (result == 1) return send_request(connection);
    switch (SSL_get_error(connection->ssl, result)) {
        case SSL_ERROR_WANT_READ: return watch(connection, EPOLLIN, EPOLL_CTL_MOD);
        case SSL_ERROR_WANT_WRITE: return watch(connection, EPOLLOUT, EPOLL_CTL_MOD);
        default:
            if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL) cannot("speak HTTP/2");
            ERR_print_errors_fp(stderr);
            return die(connection);
    }
}

// The head of a response has come.
void stream_began(struct stream *stream) {
    stream->is_open = true;
    stream->group->streaming++;
}

static void all_began(struct connection *connection) {
    connection->state = STREAMING;
    under_way--;
    add_time(&connection->group->head, now() - connection->began);
    if (connection->group->is_probe) return end(connection, true);
    // The kernel's buffers fill, and that is all that happens.
    if (connection->group->is_slow) watch(connection, EPOLLRDHUP, EPOLL_CTL_MOD);
}

// Reads the head of an HTTP/1.1 response. What follows it is body.
static void read_head(struct connection *connection, const char *bytes, size_t count) {
    if (!connection->head) connection->head = calloc(1, LONGEST_HEAD);
    char *head = connection->head;
    size_t taken = count;
    if (taken > (size_t)(LONGEST_HEAD - 1 - connection->head_length)) taken = (size_t)(LONGEST_HEAD - 1 - connection->head_length);
    memcpy(head + connection->head_length, bytes, taken);
    head[connection->head_length + (int)taken] = 0;
    char *end_of_head = strstr(head, "\r\n\r\n");
    if (!end_of_head) {
        connection->head_length += (int)taken;
        if (connection->head_length == LONGEST_HEAD - 1) die(connection);
        return;
    }
    end_of_head[2] = 0;
    if (strncmp(head + 9, "200", 3) || !strcasestr(head, "text/event-stream")) {
        complain("%.60s", head);
        return die(connection);
    }
    connection->is_chunked = strcasestr(head, "transfer-encoding: chunked");
    if (options.gzip) {
        if (!strcasestr(head, "content-encoding: gzip")) cannot("compress");
        connection->streams->inflater = new_inflater();
    }
    size_t used = (size_t)(end_of_head + 4 - head) - (size_t)connection->head_length;
    free(connection->head);
    connection->head = NULL;
    stream_began(connection->streams);
    all_began(connection);
    if (connection->state == STREAMING) take_http1_body(connection, bytes + used, count - used);
}

static bool are_all_open(const struct connection *connection) {
    for (int place = 0; place < streams_of(connection); place++)
        if (!connection->streams[place].is_open) return false;
    return true;
}

static void take(struct connection *connection, const char *bytes, size_t count) {
    if (!connection->session) {
        if (connection->state == AWAITING_HEAD) return read_head(connection, bytes, count);
        return take_http1_body(connection, bytes, count);
    }
    if (!receive_http2(connection, bytes, count)) return die(connection);
    if (connection->state == AWAITING_HEAD && are_all_open(connection)) all_began(connection);
}

// Reads up to so many bytes. False: no more for now, or never.
static bool read_some(struct connection *connection, size_t room) {
    static char buffer[1 << 17];
    if (room > sizeof buffer) room = sizeof buffer;
    ssize_t count = connection->ssl ? SSL_read(connection->ssl, buffer, (int)room)
                                    : recv(connection->descriptor, buffer, room, MSG_DONTWAIT);
    if (count > 0) {
        take(connection, buffer, (size_t)count);
        return connection->state != DEAD && (connection->ssl || (size_t)count == room);
    }
    bool is_nothing = connection->ssl ? SSL_get_error(connection->ssl, (int)count) == SSL_ERROR_WANT_READ
                                      : count < 0 && errno == EAGAIN;
    if (!is_nothing) die(connection);
    return false;
}

// The slow ones take their share of a second, ten times a second.
void read_a_trickle(void) {
    static uint64_t due;
    if (options.trickle == 0 || now() < due) return;
    due = now() + SECOND / 10;
    for (int index = 0; index < made; index++) {
        struct connection *connection = &connections[index];
        if (connection->group->is_slow && connection->state == STREAMING)
            read_some(connection, (size_t)(options.trickle / 10));
    }
}

static void ready(struct connection *connection, uint32_t events) {
    if (connection->state == DEAD) return;
    if (connection->state == CONNECTING) connected(connection);
    if (connection->state == HANDSHAKING) shake_hands(connection);
    if (connection->state != AWAITING_HEAD && connection->state != STREAMING) return;
    if (connection->group->is_slow && connection->state == STREAMING) {
        if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) die(connection);
        return;
    }
    while (read_some(connection, 1 << 17)) {}
}

void wait_for_events(int milliseconds) {
    struct epoll_event events[1024];
    int count = epoll_wait(selector, events, 1024, milliseconds);
    for (int index = 0; index < count; index++) ready(events[index].data.ptr, events[index].events);
    read_a_trickle();
}
