// Subscribers and the links that they come over: one each with HTTP/1.1, many on one with HTTP/2.
#pragma once
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <stdint.h>

#include "check.h"
#include "http1.h"

enum kind { ORDINARY, SLOW, RECONNECTING, SILENT, KINDS };
// How a reconnecting subscriber goes: politely, at once, in the middle of what it reads next, or before it has an answer.
enum leaving { POLITELY, ABRUPTLY, WITHIN_AN_EVENT, UNANSWERED, LEAVINGS };

// What a stream of HTTP/2 may hold that its reader has not taken.
enum { WINDOW = 16 * 1024 };

struct subscriber {
    enum kind kind;
    enum leaving leaving;
    struct link *link;
    bool is_reading;     // it has asked, and was not told off
    bool subscribed, cut;
    int32_t identifier;  // of its HTTP/2 stream
    size_t untaken;      // bytes of it that came, and whose room was not given back
    uint64_t wake;       // when it does what comes next: reads, goes, comes; 0: it waits for others
    uint64_t looked;     // when a slow one read last; 0: before its pause
    struct stream stream;
    struct http1 http1;
    struct record record;
};

struct link {
    int number;
    enum { AWAY, CONNECTING, HANDSHAKING, READY } state;
    int descriptor;
    SSL *ssl;
    SSL_SESSION *session;
    nghttp2_session *http2;
    uint32_t watched;
    bool is_lost;        // to be closed once nobody works with it
    bool departs;        // it goes as a whole, now and then
    uint64_t wake;       // when it comes, or goes with all that it carries
};

extern struct subscriber *all;
extern struct link *links;
extern int number_of_all, number_of_links;
extern uint64_t now, chance;

// A link's subscribers are spread over all kinds.
#define EACH_OF(link, one) \
    (struct subscriber *one = &all[(link)->number]; one < all + number_of_all; one += number_of_links)

static const uint64_t MILLISECOND = 1000000;

static inline uint64_t between(uint64_t least, uint64_t most) {
    return least + next_random(&chance) % (most - least + 1);
}

// link.c
extern int port, links_under_way;
extern const char *host, *authority;
extern bool speaks_http2;
extern uint64_t resumed;
void prepare_links(void);
void come(struct link *link);
void leave(struct link *link, bool politely, uint64_t milliseconds);
void watch(struct link *link, uint32_t events);
void wait_for_links(void);
void stop(const char *what) __attribute__((noreturn));

// http2.c
extern uint64_t windows_closed;
void http2_begin(struct link *link);
void http2_ask(struct subscriber *one);
void http2_receive(struct link *link, const char *bytes, size_t count);
void http2_reset_stream(struct subscriber *one);
void http2_take_all(struct subscriber *one);
void http2_flush(struct link *link);

// behaviour.c
extern const char *path;
extern uint64_t flow, reconnects, within_events, cut_off, farthest_behind, ended_cleanly;
extern bool wants_gzip, is_finishing;
extern struct check check;
extern uint64_t total;
void ask(struct subscriber *one);
void take(struct subscriber *one, const char *bytes, size_t count);
void after_taking(struct subscriber *one);
void lost(struct subscriber *one, enum violation what, const char *why);
void link_lost(struct link *link, const char *why);
void readable(struct link *link, uint32_t events);
bool feeds_are_over(void);
void end_pauses(void);
void act(struct subscriber *one);
void act_link(struct link *link);
