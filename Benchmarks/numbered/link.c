// Sockets and TLS, which is verified.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "subscribers.h"

int port, links_under_way;
const char *host = "localhost", *authority;
bool speaks_http2;
uint64_t resumed;
static int selector;
static SSL_CTX *context;

void stop(const char *what) {
    perror(what);
    ERR_print_errors_fp(stderr);
    exit(2);
}

// A ticket for the next connection (TLS 1.3 gives them after the handshake).
static int keep_session(SSL *ssl, SSL_SESSION *session) {
    struct link *link = SSL_get_app_data(ssl);
    if (link->session) SSL_SESSION_free(link->session);
    link->session = session;
    return 1;
}

void prepare_links(void) {
    selector = epoll_create1(EPOLL_CLOEXEC);
    if (selector < 0) stop("epoll_create1");
    context = SSL_CTX_new(TLS_client_method());
    if (SSL_CTX_load_verify_locations(context, authority, NULL) != 1) stop(authority);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    const char *protocol = speaks_http2 ? "\x02h2" : "\x08http/1.1";
    SSL_CTX_set_alpn_protos(context, (const unsigned char *)protocol, (unsigned)strlen(protocol));
}

void watch(struct link *link, uint32_t events) {
    if (link->watched == events) return;
    struct epoll_event event = {.events = events, .data.ptr = link};
    if (epoll_ctl(selector, EPOLL_CTL_MOD, link->descriptor, &event) < 0) stop("epoll_ctl");
    link->watched = events;
}

void come(struct link *link) {
    link->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (link->descriptor < 0) stop("socket");
    enum kind kind = all[link->number].kind;
    int yes = 1, small = 8192, segment = 1400;
    setsockopt(link->descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    // As over a network: loopback's segments of 64 KiB let the kernel hold megabytes for one that does not read.
    setsockopt(link->descriptor, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
    if (!speaks_http2 && (kind == SLOW || kind == SILENT))
        setsockopt(link->descriptor, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(link->descriptor, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) stop("connect");
    struct epoll_event event = {.events = link->watched = EPOLLOUT, .data.ptr = link};
    if (epoll_ctl(selector, EPOLL_CTL_ADD, link->descriptor, &event) < 0) stop("epoll_ctl");
    link->state = CONNECTING;
    link->is_lost = false;
    link->wake = 0;
    links_under_way++;
}

// Closes; it comes back after so long, and its subscribers with it.
void leave(struct link *link, bool politely, uint64_t milliseconds) {
    if (link->state == CONNECTING || link->state == HANDSHAKING) links_under_way--;
    if (link->http2) {
        if (politely) {
            nghttp2_session_terminate_session(link->http2, NGHTTP2_NO_ERROR);
            nghttp2_session_send(link->http2);
        }
        nghttp2_session_del(link->http2);
        link->http2 = NULL;
    }
    if (link->ssl) {
        // Without the first, an SSL that is freed early takes its session out of use.
        SSL_set_shutdown(link->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        if (politely) {
            SSL_set_shutdown(link->ssl, 0);
            SSL_shutdown(link->ssl);
        }
        SSL_free(link->ssl);
        link->ssl = NULL;
        ERR_clear_error();
    }
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    if (!politely) setsockopt(link->descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(link->descriptor);
    link->descriptor = -1;
    link->state = AWAY;
    link->wake = now + milliseconds * MILLISECOND;
    for EACH_OF(link, one) {
        one->is_reading = false;
        one->identifier = 0;
        one->wake = 0;
    }
}

static void begin(struct link *link) {
    links_under_way--;
    link->state = READY;
    if (SSL_session_reused(link->ssl)) resumed++;
    const unsigned char *protocol;
    unsigned length;
    SSL_get0_alpn_selected(link->ssl, &protocol, &length);
    if (speaks_http2 && (length != 2 || memcmp(protocol, "h2", 2))) return link_lost(link, "the gateway does not speak HTTP/2");
    watch(link, EPOLLIN | EPOLLRDHUP);
    if (link->departs) link->wake = now + between(500, 4000) * MILLISECOND;
    if (speaks_http2) http2_begin(link);
    for EACH_OF(link, one)
        if (link->state == READY) ask(one);
    if (link->http2) http2_flush(link);
}

static void shake_hands(struct link *link) {
    int result = SSL_do_handshake(link->ssl);
    if (result == 1) return begin(link);
    switch (SSL_get_error(link->ssl, result)) {
    case SSL_ERROR_WANT_READ: return watch(link, EPOLLIN);
    case SSL_ERROR_WANT_WRITE: return watch(link, EPOLLOUT);
    default:
        ERR_print_errors_fp(stderr);
        link_lost(link, "the handshake failed");
    }
}

static void connected(struct link *link) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(link->descriptor, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error) return link_lost(link, strerror(error));
    link->ssl = SSL_new(context);
    SSL_set_app_data(link->ssl, link);
    SSL_set_fd(link->ssl, link->descriptor);
    SSL_set_connect_state(link->ssl);
    SSL_set_tlsext_host_name(link->ssl, host);
    SSL_set1_host(link->ssl, host);
    if (link->session) SSL_set_session(link->ssl, link->session);
    link->state = HANDSHAKING;
    shake_hands(link);
}

void wait_for_links(void) {
    struct epoll_event events[512];
    int count = epoll_wait(selector, events, 512, 2);
    now = now_nanoseconds();
    for (int at = 0; at < count; at++) {
        struct link *link = events[at].data.ptr;
        if (link->state == CONNECTING) connected(link);
        else if (link->state == HANDSHAKING) shake_hands(link);
        else if (link->state == READY) readable(link, events[at].events);
    }
}
