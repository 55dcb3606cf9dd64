// The checker checked: streams as the gateway sends them, whole and spoilt in every way that it must see.
#pragma once
#include "check.h"

enum spoilt { WHOLE, DROPPED, TWICE, SWAPPED, CHANGED, TYPE_CHANGED, CUT_SHORT, TOLD, FOREIGN, OLD_ID, AGAIN_AFTER_RECONNECT,
              LOST_AFTER_RECONNECT, ENDED_EARLY, BAD_CHUNK, SPOILTS };

struct trial {
    struct check check;
    struct record record;
};

static inline void trial_event(void *owner, const struct received *event) {
    struct trial *trial = owner;
    check_event(&trial->check, &trial->record, event);
}

static inline void add_event(struct text *out, const struct numbered *event, uint64_t sequence, const char *type) {
    struct text body = {0};
    char line[128];
    sprintf(line, ":\nid: abcdef-%012llx\n", (unsigned long long)sequence);
    text_add(&body, line, strlen(line));
    if (strcmp(type, "message")) {
        sprintf(line, "event: %s\n", type);
        text_add(&body, line, strlen(line));
    }
    text_add(&body, "data: ", 6);
    for (size_t at = 0; at < event->length; at++) {
        text_add(&body, event->data + at, 1);
        if (event->data[at] == '\n') text_add(&body, "data: ", 6);
    }
    text_add(&body, "\n\n", 2);
    sprintf(line, "%zx\r\n", body.length);
    text_add(out, line, strlen(line));
    text_add(out, body.bytes, body.length);
    text_add(out, "\r\n", 2);
    free(body.bytes);
}

static inline void spoil(struct text *out, enum spoilt spoilt, uint64_t from, uint64_t through) {
    static struct numbered event;
    const char *head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    text_add(out, head, strlen(head));
    for (uint64_t place = from; place <= through; place++) {
        uint64_t number = place, sequence = place;
        bool here = place == 60;
        if (spoilt == DROPPED && here) continue;
        if (spoilt == SWAPPED && (here || place == 61)) number = here ? 61 : 60;
        if (spoilt == OLD_ID && here) sequence = 3;
        make_numbered(&event, 'a', number, 4096);
        if (spoilt == CHANGED && here) event.data[event.length - 1] ^= 1;
        add_event(out, &event, sequence, spoilt == TYPE_CHANGED && here ? "other" : event.type);
        if (spoilt == TWICE && here) add_event(out, &event, sequence + 1, event.type);
        event.length = (size_t)sprintf(event.data, "{\"requested\":\"x\"}");
        if ((spoilt == TOLD || spoilt == FOREIGN) && here) add_event(out, &event, 60, spoilt == TOLD ? "gap" : "message");
        if (spoilt == BAD_CHUNK && here) text_add(out, "xyz", 3);
    }
    if (spoilt == ENDED_EARLY) text_add(out, "0\r\n\r\n", 5);
}

static inline void receive(struct trial *trial, struct stream *stream, const struct text *bytes, uint64_t *random) {
    for (size_t at = 0; at < bytes->length;) {
        size_t piece = 1 + next_random(random) % 700;
        if (piece > bytes->length - at) piece = bytes->length - at;
        stream_take(stream, bytes->bytes + at, piece, trial, trial_event);
        at += piece;
    }
    if (stream->broken) violate(&trial->check, &trial->record, REFUSED, "%s", stream->broken);
    if (stream->phase == OVER) violate(&trial->check, &trial->record, ENDED, "ended");
}

static inline bool try_one(enum spoilt spoilt, uint64_t seed) {
    static const int finds[SPOILTS] = {
        [WHOLE] = -1, [DROPPED] = GAP, [TWICE] = REPEAT, [SWAPPED] = GAP, [CHANGED] = DAMAGE, [TYPE_CHANGED] = DAMAGE,
        [CUT_SHORT] = MISSING, [TOLD] = TOLD_OF_A_GAP, [FOREIGN] = DAMAGE, [OLD_ID] = ORDER,
        [AGAIN_AFTER_RECONNECT] = REPEAT, [LOST_AFTER_RECONNECT] = GAP, [ENDED_EARLY] = ENDED, [BAD_CHUNK] = REFUSED,
    };
    struct trial trial = {.check = {.feeds = "a", .largest = 4096, .quiet = true}, .record = {.kind = "trial"}};
    struct stream stream = {0};
    struct text first = {0}, second = {0};
    // Two connections: the first one ends in the middle of event 41, the second one goes on after 40.
    spoil(&first, spoilt == ENDED_EARLY ? WHOLE : spoilt, 1, 41);
    first.length -= 20;
    uint64_t from = spoilt == AGAIN_AFTER_RECONNECT ? 40 : spoilt == LOST_AFTER_RECONNECT ? 42 : 41;
    spoil(&second, spoilt, from, spoilt == CUT_SHORT ? 99 : 100);
    receive(&trial, &stream, &first, &seed);
    stream_reset(&stream);
    receive(&trial, &stream, &second, &seed);
    check_end(&trial.check, &trial.record, 100);
    free(first.bytes);
    free(second.bytes);
    free(stream.head.bytes);
    free(stream.line.bytes);
    free(stream.data.bytes);
    if (finds[spoilt] < 0) return violations(&trial.check) == 0;
    return trial.check.found[finds[spoilt]] > 0;
}

static inline int self_test(void) {
    static const char *const names[SPOILTS] = {
        "a whole stream", "a dropped event", "an event twice", "two events swapped", "a changed byte", "another type",
        "the last event missing", "a gap event", "an event of nobody", "an id that goes back", "one again after a reconnect",
        "one lost after a reconnect", "a stream that ends", "a chunk that is none",
    };
    int failures = 0;
    for (int spoilt = 0; spoilt < SPOILTS; spoilt++) {
        bool right = true;
        for (uint64_t seed = 1; seed <= 50; seed++) right = right && try_one((enum spoilt)spoilt, seed);
        printf("%s: %s\n", names[spoilt], !right ? "WRONG" : spoilt == WHOLE ? "passes" : "found");
        failures += !right;
    }
    return failures ? 1 : 0;
}
