// The subscribers of Benchmarks/lossless and Benchmarks/flat: ordinary ones, slow ones, ones that reconnect again and again
// and ones that never read, all over TLS that is verified; and the proof that each got what the feeds sent (check.h).
// It says `ready` when all are subscribed, ends when all have everything (or --seconds are over), and prints its figures as JSON.
// Build: cc -O2 -o subscribers subscribers.c -lssl -lcrypto
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "selftest.h"

enum kind { ORDINARY, SLOW, RECONNECTING, SILENT, KINDS };
static const char *const kind_names[KINDS] = {"ordinary", "slow", "reconnecting", "silent"};
enum state { AWAY, CONNECTING, HANDSHAKING, READING };
// How a reconnecting subscriber goes: politely, at once, in the middle of what it reads next, or before it has an answer.
enum leaving { POLITELY, ABRUPTLY, WITHIN_AN_EVENT, UNANSWERED, LEAVINGS };

struct subscriber {
    enum kind kind;
    enum state state;
    enum leaving leaving;
    bool subscribed, cut;
    int descriptor;
    SSL *ssl;
    SSL_SESSION *session;
    uint64_t wake;    // when it does what comes next: reads, goes, comes
    uint64_t looked;  // when a slow one read last; 0: before its pause
    struct stream stream;
    struct record record;
};

static const uint64_t MILLISECOND = 1000000;
static struct check check = {.feeds = "a", .largest = 4096};
static int counts[KINDS], port, seconds = 60;
static uint64_t total = UINT64_MAX, chance = 1, flow = 20000;  // flow: bytes a second of events, about
static const char *authority, *path = "/events", *host = "localhost";
static struct subscriber *all;
static int number_of_all, selector, connecting, subscribed;
static SSL_CTX *context;
static volatile sig_atomic_t stopping;
static uint64_t now, reconnects, within_events, resumed, cut_off, farthest_behind;

static uint64_t between(uint64_t least, uint64_t most) { return least + next_random(&chance) % (most - least + 1); }

static void stop(const char *what) {
    perror(what);
    ERR_print_errors_fp(stderr);
    exit(2);
}

static void watch(struct subscriber *one, uint32_t events, int operation) {
    struct epoll_event event = {.events = events, .data.ptr = one};
    if (epoll_ctl(selector, operation, one->descriptor, &event) < 0) stop("epoll_ctl");
}

// A ticket for the next connection (TLS 1.3 gives them after the handshake).
static int keep_session(SSL *ssl, SSL_SESSION *session) {
    struct subscriber *one = SSL_get_app_data(ssl);
    if (one->session) SSL_SESSION_free(one->session);
    one->session = session;
    return 1;
}

static void come(struct subscriber *one) {
    one->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (one->descriptor < 0) stop("socket");
    int yes = 1, small = one->kind == SLOW || one->kind == SILENT ? 8192 : 0, segment = 1400;
    setsockopt(one->descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    // As over a network: loopback's segments of 64 KiB let the kernel hold megabytes for one that does not read.
    setsockopt(one->descriptor, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
    if (small) setsockopt(one->descriptor, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(one->descriptor, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) stop("connect");
    stream_reset(&one->stream);
    one->cut = false;
    one->state = CONNECTING;
    one->wake = 0;
    connecting++;
    watch(one, EPOLLOUT, EPOLL_CTL_ADD);
}

// Closes; it comes back after so long.
static void leave(struct subscriber *one, bool politely, uint64_t milliseconds) {
    if (one->state == CONNECTING || one->state == HANDSHAKING) connecting--;
    if (one->ssl) {
        // Without the first, an SSL that is freed early takes its session out of use.
        SSL_set_shutdown(one->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        if (politely) {
            SSL_set_shutdown(one->ssl, 0);
            SSL_shutdown(one->ssl);
        }
        SSL_free(one->ssl);
        one->ssl = NULL;
        ERR_clear_error();
    }
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    if (!politely) setsockopt(one->descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(one->descriptor);
    one->descriptor = -1;
    one->state = AWAY;
    one->wake = now + milliseconds * MILLISECOND;
}

static void plan_to_leave(struct subscriber *one) {
    one->leaving = (enum leaving)(next_random(&chance) % LEAVINGS);
    one->wake = now + between(0, 2000) * MILLISECOND;
}

static void go_away(struct subscriber *one) {
    reconnects++;
    if (one->cut) within_events++;
    // Some at once, most after a while.
    leave(one, one->leaving == POLITELY && !one->cut, next_random(&chance) % 4 ? between(1, 2000) : 0);
}

static void lost(struct subscriber *one, enum violation what, const char *why) {
    if (one->kind == SILENT && one->stream.opened) cut_off++;
    else violate(&check, &one->record, what, "%s, after id `%s`", why, one->stream.id);
    leave(one, false, one->kind == SILENT ? between(500, 1500) : 500);
}

static uint64_t events_behind(const struct subscriber *one) {
    uint64_t behind = 0;
    for (int feed = 0; check.feeds[feed]; feed++) behind += check.newest[feed] - one->record.have[feed];
    return behind;
}

static void on_event(void *owner, const struct received *event) {
    struct subscriber *one = owner;
    check_event(&check, &one->record, event);
    uint64_t behind = one->kind == SLOW ? events_behind(one) : 0;
    if (behind > farthest_behind) farthest_behind = behind;
}

static void ignore_event(void *owner, const struct received *event) { (void)owner, (void)event; }

static void ask(struct subscriber *one) {
    char request[512];
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n", path, host);
    if (one->stream.id[0]) length += snprintf(request + length, sizeof request - (size_t)length, "Last-Event-ID: %s\r\n", one->stream.id);
    length += snprintf(request + length, sizeof request - (size_t)length, "\r\n");
    connecting--;
    one->state = READING;
    if (SSL_write(one->ssl, request, length) != length) return lost(one, ENDED, "cannot write the request");
    if (SSL_session_reused(one->ssl)) resumed++;
    if (one->kind == RECONNECTING) plan_to_leave(one);
    if (one->kind == RECONNECTING && one->leaving == UNANSWERED) return go_away(one);
    watch(one, EPOLLIN | EPOLLRDHUP, EPOLL_CTL_MOD);
}

static void shake_hands(struct subscriber *one) {
    int result = SSL_do_handshake(one->ssl);
    if (result == 1) return ask(one);
    switch (SSL_get_error(one->ssl, result)) {
    case SSL_ERROR_WANT_READ: return watch(one, EPOLLIN, EPOLL_CTL_MOD);
    case SSL_ERROR_WANT_WRITE: return watch(one, EPOLLOUT, EPOLL_CTL_MOD);
    default:
        ERR_print_errors_fp(stderr);
        lost(one, ENDED, "the handshake failed");
    }
}

static void connected(struct subscriber *one) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(one->descriptor, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error) return lost(one, ENDED, strerror(error));
    one->ssl = SSL_new(context);
    SSL_set_app_data(one->ssl, one);
    SSL_set_fd(one->ssl, one->descriptor);
    SSL_set_connect_state(one->ssl);
    SSL_set_tlsext_host_name(one->ssl, host);
    SSL_set1_host(one->ssl, host);
    if (one->session) SSL_set_session(one->ssl, one->session);
    one->state = HANDSHAKING;
    shake_hands(one);
}

// One read of at most so much.
// Returns the bytes read, 0 where there is no more or the connection is gone.
static int read_some(struct subscriber *one, int most) {
    static char bytes[65536];
    int count = SSL_read(one->ssl, bytes, most);
    if (count <= 0) {
        int error = SSL_get_error(one->ssl, count);
        if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return 0;
        lost(one, ENDED, error == SSL_ERROR_ZERO_RETURN ? "the gateway closed the connection" : "the connection broke");
        return 0;
    }
    // What comes behind the cut is lost with the connection, as when a client goes in the middle of an event.
    size_t taken = one->cut ? next_random(&chance) % (size_t)count : (size_t)count;
    bool reads = one->kind != SILENT;
    stream_take(&one->stream, bytes, taken, one, reads ? on_event : ignore_event);
    if (one->stream.broken) return lost(one, REFUSED, one->stream.broken), 0;
    if (one->stream.opened && !one->subscribed) {
        one->subscribed = true;
        subscribed++;
    }
    if (one->cut) return go_away(one), 0;
    if (one->stream.phase == OVER) return lost(one, ENDED, "the gateway ended the stream"), 0;
    return count;
}

static bool feeds_are_over(void) {
    for (int feed = 0; check.feeds[feed]; feed++)
        if (check.newest[feed] < total) return false;
    return true;
}

static void read_slowly(struct subscriber *one) {
    // Some KB at a time, eight times as fast as events come, also where this process gets its turn late.
    uint64_t passed = one->looked && now > one->looked ? now - one->looked : 0;
    int64_t left = 500 + (int64_t)(passed < 1000 * MILLISECOND ? passed / 1000 * flow / 125000 : 8 * flow);
    for (int count; left > 0 && (count = read_some(one, left < 4000 ? (int)left : 4000)) > 0;) left -= count;
    if (one->state != READING) return;
    // Once it has all that is there it pauses, for so long that the gateway's socket is full (128 KiB that wait to be sent,
    // and its own buffer); not any more when the feeds are at their end. That nothing can be read tells nothing: half a
    // record may wait for its other half.
    uint64_t pause = (uint64_t)160 * 1024 * 1000 / flow;
    bool rests = events_behind(one) < 20 && !feeds_are_over();
    one->wake = now + (rests ? between(pause, 2 * pause) : between(2, 30)) * MILLISECOND;
    one->looked = rests ? 0 : now;
    watch(one, 0, EPOLL_CTL_MOD);
}

static void readable(struct subscriber *one, uint32_t events) {
    if (one->kind == SLOW) return read_slowly(one);
    if (one->kind == SILENT && one->stream.opened) {
        if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) lost(one, ENDED, "");
        return;
    }
    // Some records, then the others have their turn: where this process is slow, a handshake must not wait for all of them.
    for (int left = 8; left > 0 && read_some(one, 16384) && !(one->kind == SILENT && one->stream.opened); left--) {}
    if (one->state == READING && one->kind == SILENT && one->stream.opened) watch(one, EPOLLRDHUP, EPOLL_CTL_MOD);
}

static void act(struct subscriber *one) {
    switch (one->state) {
    case AWAY:
        // Not all at once: a gateway's backlog has an end.
        if (connecting < 128) come(one);
        break;
    case READING:
        if (one->kind == SLOW) read_slowly(one);
        if (one->kind != RECONNECTING) break;
        if (one->leaving == WITHIN_AN_EVENT) one->cut = true;
        else go_away(one);
        if (one->cut) one->wake = 0;
        break;
    default: break;
    }
}

static void turn(void) {
    struct epoll_event events[512];
    int count = epoll_wait(selector, events, 512, 2);
    now = now_nanoseconds();
    for (int at = 0; at < count; at++) {
        struct subscriber *one = events[at].data.ptr;
        if (one->state == CONNECTING) connected(one);
        else if (one->state == HANDSHAKING) shake_hands(one);
        else if (one->state == READING) readable(one, events[at].events);
    }
    for (int at = 0; at < number_of_all; at++)
        if (all[at].wake && all[at].wake <= now) act(&all[at]);
}

static void figures(uint64_t began) {
    printf("{\"violations\": %llu, \"deliveries\": %llu, \"seconds\": %.2f, \"reconnects\": %llu, \"within_events\": %llu, "
           "\"resumed_sessions\": %llu, \"cut_off\": %llu, \"farthest_behind\": %llu",
           (unsigned long long)violations(&check), (unsigned long long)check.deliveries,
           (double)(now_nanoseconds() - began) / 1e9, (unsigned long long)reconnects, (unsigned long long)within_events,
           (unsigned long long)resumed, (unsigned long long)cut_off, (unsigned long long)farthest_behind);
    for (int what = 0; what < VIOLATIONS; what++)
        printf(", \"%s\": %llu", violation_names[what], (unsigned long long)check.found[what]);
    printf("}\n");
}

static void stop_soon(int signal) {
    (void)signal;
    stopping = 1;
}

static void read_options(int count, char **values) {
    static const struct option options[] = {
        {"port", 1, 0, 'p'}, {"authority", 1, 0, 'a'}, {"feeds", 1, 0, 'f'}, {"total", 1, 0, 't'}, {"path", 1, 0, 'P'},
        {"largest", 1, 0, 'l'}, {"ordinary", 1, 0, ORDINARY}, {"slow", 1, 0, SLOW}, {"seconds", 1, 0, 's'},
        {"reconnecting", 1, 0, RECONNECTING}, {"silent", 1, 0, SILENT}, {"flow", 1, 0, 'F'}, {"chance", 1, 0, 'c'}, {"self-test", 0, 0, 'S'},
        {0, 0, 0, 0},
    };
    for (int option; (option = getopt_long(count, values, "", options, NULL)) != -1;) switch (option) {
        case 'p': port = atoi(optarg); break;
        case 'a': authority = optarg; break;
        case 'f': check.feeds = optarg; break;
        case 't': total = strtoull(optarg, NULL, 10); break;
        case 'P': path = optarg; break;
        case 'l': check.largest = strtoull(optarg, NULL, 10); break;
        case 's': seconds = atoi(optarg); break;
        case 'F': flow = strtoull(optarg, NULL, 10) + 1; break;
        case 'c': chance = strtoull(optarg, NULL, 10); break;
        case 'S': exit(self_test());
        case ORDINARY: case SLOW: case RECONNECTING: case SILENT: counts[option] = atoi(optarg); break;
        default: exit(2);
        }
    if (strlen(check.feeds) > FEEDS || !authority) exit(2);
}

static void prepare(void) {
    for (int kind = 0; kind < KINDS; kind++) number_of_all += counts[kind];
    all = calloc((size_t)number_of_all + 1, sizeof *all);
    selector = epoll_create1(EPOLL_CLOEXEC);
    if (!all || selector < 0) stop("start");
    int at = 0;
    for (int kind = 0; kind < KINDS; kind++)
        for (int left = counts[kind]; left > 0; left--, at++) {
            all[at].kind = (enum kind)kind;
            all[at].record = (struct record){.subscriber = at, .kind = kind_names[kind]};
            all[at].wake = 1;
        }
    context = SSL_CTX_new(TLS_client_method());
    if (SSL_CTX_load_verify_locations(context, authority, NULL) != 1) stop(authority);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
}

static bool all_have_everything(void) {
    for (int at = 0; at < number_of_all; at++)
        if (all[at].kind != SILENT && !has_all(&check, &all[at].record, total)) return false;
    return true;
}

int main(int count, char **values) {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, stop_soon);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    read_options(count, values);
    prepare();
    uint64_t began = now = now_nanoseconds(), looked = now, end = 0;
    bool ready = false;
    while (!stopping && (!end || now < end) && now - began < (uint64_t)seconds * 1000 * MILLISECOND) {
        turn();
        if (!ready && subscribed == number_of_all) {
            ready = true;
            began = now;
            printf("ready\n");
            fflush(stdout);
        }
        if (now - looked < 200 * MILLISECOND) continue;
        looked = now;
        // A moment more, for what comes twice.
        if (!end && all_have_everything()) end = now + 1500 * MILLISECOND;
    }
    if (!ready) fprintf(stderr, "only %d of %d were subscribed\n", subscribed, number_of_all);
    for (int at = 0; at < number_of_all; at++)
        if (all[at].kind != SILENT && total != UINT64_MAX) check_end(&check, &all[at].record, total);
    figures(began);
    return !ready || violations(&check) ? 1 : 0;
}
