// What each kind of subscriber does: reads, pauses, goes and comes back.
#include <sys/epoll.h>

#include "subscribers.h"

const char *path = "/events";
uint64_t flow = 20000, reconnects, within_events, cut_off, farthest_behind, ended_cleanly;
bool wants_gzip, is_finishing;
struct check check = {.feeds = "a", .largest = 4096};
uint64_t total = UINT64_MAX;

static uint64_t events_behind(const struct subscriber *one) {
    uint64_t behind = 0;
    for (int feed = 0; check.feeds[feed]; feed++) behind += check.newest[feed] - one->record.have[feed];
    return behind;
}

bool feeds_are_over(void) {
    for (int feed = 0; check.feeds[feed]; feed++)
        if (check.newest[feed] < total) return false;
    return true;
}

// It lets go of its stream. With HTTP/1.1 that is the connection.
static void depart(struct subscriber *one, bool politely, uint64_t milliseconds) {
    one->is_reading = false;
    if (!speaks_http2) return leave(one->link, politely, milliseconds);
    http2_reset_stream(one);
    one->wake = now + milliseconds * MILLISECOND;
}

static void go_away(struct subscriber *one) {
    reconnects++;
    if (one->cut) within_events++;
    // Some at once, most after a while.
    depart(one, one->leaving == POLITELY && !one->cut, next_random(&chance) % 4 ? between(1, 2000) : 0);
}

void lost(struct subscriber *one, enum violation what, const char *why) {
    if (one->kind == SILENT && one->stream.opened) cut_off++;
    else violate(&check, &one->record, what, "%s, after id `%s`", why, one->stream.id);
    depart(one, false, one->kind == SILENT ? between(500, 1500) : 500);
}

void link_lost(struct link *link, const char *why) {
    for EACH_OF(link, one) {
        if (one->is_reading && one->kind == SILENT && one->stream.opened) cut_off++;
        else if (one->is_reading || link->state != READY)
            violate(&check, &one->record, ENDED, "%s, after id `%s`", why, one->stream.id);
    }
    leave(link, false, all[link->number].kind == SILENT ? between(500, 1500) : 500);
}

// MARK: Asking

static void http1_ask(struct subscriber *one) {
    char request[512], cursor[LONGEST_ID + 20] = "";
    if (one->stream.id[0]) snprintf(cursor, sizeof cursor, "Last-Event-ID: %s\r\n", one->stream.id);
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n%s%s\r\n", path,
                          host, wants_gzip ? "Accept-Encoding: gzip\r\n" : "", cursor);
    http1_reset(&one->http1);
    if (SSL_write(one->link->ssl, request, length) != length) lost(one, ENDED, "cannot write the request");
}

void ask(struct subscriber *one) {
    stream_reset(&one->stream);
    one->stream.wants_gzip = wants_gzip;
    one->cut = false;
    one->is_reading = true;
    one->looked = 0;
    one->wake = one->kind == SLOW ? now : 0;
    if (one->kind == RECONNECTING) {
        one->leaving = (enum leaving)(next_random(&chance) % LEAVINGS);
        one->wake = now + between(0, 2000) * MILLISECOND;
    }
    if (speaks_http2) http2_ask(one);
    else http1_ask(one);
    if (one->is_reading && one->kind == RECONNECTING && one->leaving == UNANSWERED) go_away(one);
}

// MARK: Reading

static void on_event(void *owner, const struct received *event) {
    struct subscriber *one = owner;
    check_event(&check, &one->record, event);
    uint64_t behind = one->kind == SLOW ? events_behind(one) : 0;
    if (behind > farthest_behind) farthest_behind = behind;
}

static void ignore_event(void *owner, const struct received *event) { (void)owner, (void)event; }

// What comes behind the cut is lost with the stream, as when a client goes in the middle of an event.
void take(struct subscriber *one, const char *bytes, size_t count) {
    size_t taken = one->cut && count > 0 ? next_random(&chance) % count : count;
    stream_event *handle = one->kind == SILENT ? ignore_event : on_event;
    if (speaks_http2) stream_body(&one->stream, bytes, taken, one, handle);
    else http1_take(&one->http1, &one->stream, bytes, taken, one, handle);
}

// The bytes may have been the last ones, for one reason or the other.
void after_taking(struct subscriber *one) {
    if (!one->is_reading) return;
    if (one->stream.broken) return lost(one, REFUSED, one->stream.broken);
    if (one->stream.opened) one->subscribed = true;
    if (one->cut) return go_away(one);
    if (!one->stream.over) return;
    if (!is_finishing) return lost(one, ENDED, "the gateway ended the stream");
    ended_cleanly++;
    one->identifier = 0;
    depart(one, true, 0);
    one->wake = 0;
}

// One read of at most so much.
// Returns the bytes read, 0 where there is no more or the link is gone.
static int read_some(struct link *link, int most) {
    static char bytes[65536];
    int count = SSL_read(link->ssl, bytes, most);
    if (count <= 0) {
        int error = SSL_get_error(link->ssl, count);
        if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return 0;
        link_lost(link, error == SSL_ERROR_ZERO_RETURN ? "the gateway closed the connection" : "the connection broke");
        return 0;
    }
    if (speaks_http2) {
        http2_receive(link, bytes, (size_t)count);
    } else {
        take(&all[link->number], bytes, (size_t)count);
        after_taking(&all[link->number]);
    }
    return link->state == READY && !link->is_lost ? count : 0;
}

static void read_slowly(struct subscriber *one) {
    if (speaks_http2) {
        http2_take_all(one);
        http2_flush(one->link);
    } else {
        // Some KB at a time, eight times as fast as events come, also where this process gets its turn late.
        uint64_t passed = one->looked && now > one->looked ? now - one->looked : 0;
        int64_t left = 500 + (int64_t)(passed < 1000 * MILLISECOND ? passed / 1000 * flow / 125000 : 8 * flow);
        for (int count; left > 0 && (count = read_some(one->link, left < 4000 ? (int)left : 4000)) > 0;) left -= count;
    }
    if (!one->is_reading) return;
    // Once it has all that is there it pauses, for so long that its window is closed or the gateway's socket full (128 KiB
    // that wait to be sent, and its own buffer); not any more when the feeds are at their end. That nothing can be read
    // tells nothing: half a record may wait for its other half.
    uint64_t pause = (uint64_t)(speaks_http2 ? 2 * WINDOW : 160 * 1024) * 1000 / flow;
    bool rests = events_behind(one) < 20 && !feeds_are_over();
    one->wake = now + (rests ? between(pause, 2 * pause) : between(2, 30)) * MILLISECOND;
    one->looked = rests ? 0 : now;
    if (!speaks_http2) watch(one->link, 0);
}

static void read_http1(struct link *link, uint32_t events) {
    struct subscriber *one = &all[link->number];
    if (one->kind == SLOW) return read_slowly(one);
    bool is_silent = one->kind == SILENT;
    if (is_silent && one->stream.opened) {
        if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) lost(one, ENDED, "");
        return;
    }
    // Some records, then the others have their turn: where this process is slow, a handshake must not wait for all of them.
    for (int left = 8; left > 0 && read_some(link, 16384) && !(is_silent && one->stream.opened); left--) {}
    if (one->is_reading && is_silent && one->stream.opened) watch(link, EPOLLRDHUP);
}

void readable(struct link *link, uint32_t events) {
    if (!speaks_http2) return read_http1(link, events);
    for (int left = 8; left > 0 && read_some(link, 16384); left--) {}
    if (link->state == READY && !link->is_lost) http2_flush(link);
    if (link->state == READY && link->is_lost) link_lost(link, "HTTP/2 failed");
}

// MARK: What time brings

// There is nothing more to wait for: who pauses reads on.
void end_pauses(void) {
    for (struct subscriber *one = all; one < all + number_of_all; one++)
        if (one->kind == SLOW && one->wake > now) one->wake = now + between(2, 30) * MILLISECOND;
}

void act(struct subscriber *one) {
    if (one->link->state != READY) return;
    if (!one->is_reading) {
        one->wake = 0;
        if (!is_finishing) ask(one);
    } else if (one->kind == SLOW) {
        read_slowly(one);
    } else if (one->kind == RECONNECTING) {
        one->wake = 0;
        if (is_finishing) return;
        if (one->leaving == WITHIN_AN_EVENT) one->cut = true;
        else go_away(one);
    }
    if (one->link->http2) http2_flush(one->link);
}

void act_link(struct link *link) {
    switch (link->state) {
    case AWAY:
        // Not all at once: a gateway's backlog has an end.
        if (links_under_way < 128 && !is_finishing) come(link);
        break;
    case READY:
        // The whole connection goes, with all that it carries.
        link->wake = 0;
        if (is_finishing) break;
        for EACH_OF(link, one)
            if (one->is_reading) reconnects++;
        leave(link, next_random(&chance) % 2, between(0, 1000));
        break;
    default: break;
    }
}
