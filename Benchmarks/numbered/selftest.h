// The checker checked: streams as the gateway sends them, whole and spoilt in every way that it must see; in chunks and in
// frames, compressed and not.
#pragma once
#include "check.h"
#include "http1.h"

enum spoilt { WHOLE, DROPPED, TWICE, SWAPPED, CHANGED, TYPE_CHANGED, CUT_SHORT, TOLD, FOREIGN, OLD_ID, AGAIN_AFTER_RECONNECT,
              LOST_AFTER_RECONNECT, ENDED_EARLY, BAD_CHUNK, BAD_CHECKSUM, NO_TRAILER, BIT_FLIPPED, NOT_COMPRESSED, SPOILTS };

// How streams come.
struct form {
    bool is_http1, is_gzip;
    const char *name;
};

// What the gateway wrote on one connection.
struct written {
    const struct form *form;
    struct text bytes;
    z_stream deflater;
    bool ended;
};

struct trial {
    struct check check;
    struct record record;
};

static inline void trial_event(void *owner, const struct received *event) {
    struct trial *trial = owner;
    check_event(&trial->check, &trial->record, event);
}

// Bytes of the body, in a chunk of their own where there are chunks.
static inline void frame(struct written *written, const char *bytes, size_t count) {
    char line[32];
    if (count == 0) return;
    sprintf(line, "%zx\r\n", count);
    if (written->form->is_http1) text_add(&written->bytes, line, strlen(line));
    text_add(&written->bytes, bytes, count);
    if (written->form->is_http1) text_add(&written->bytes, "\r\n", 2);
}

static inline void compress_and_frame(struct written *written, const char *bytes, size_t count, int flush) {
    static char out[1 << 17];
    if (!written->form->is_gzip) return frame(written, bytes, count);
    z_stream *deflater = &written->deflater;
    deflater->next_in = (Bytef *)(uintptr_t)bytes;
    deflater->avail_in = (uInt)count;
    deflater->next_out = (Bytef *)out;
    deflater->avail_out = sizeof out;
    deflate(deflater, flush);
    frame(written, out, sizeof out - deflater->avail_out);
}

static inline void add_event(struct written *written, const struct numbered *event, uint64_t sequence, const char *type) {
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
    compress_and_frame(written, body.bytes, body.length, Z_SYNC_FLUSH);
    free(body.bytes);
}

static inline void end_body(struct written *written, enum spoilt spoilt) {
    if (spoilt != NO_TRAILER) compress_and_frame(written, "", 0, Z_FINISH);
    // The checksum and the length are the last eight bytes, before the end of the chunk.
    size_t end = written->bytes.length - (written->form->is_http1 ? 2 : 0);
    if (spoilt == BAD_CHECKSUM) written->bytes.bytes[end - 7] ^= 1;
    if (written->form->is_http1) text_add(&written->bytes, "0\r\n\r\n", 5);
    written->ended = true;
}

static inline void spoil(struct written *written, enum spoilt spoilt, uint64_t from, uint64_t through) {
    static struct numbered event;
    deflateInit2(&written->deflater, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    char head[160];
    sprintf(head, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n%stransfer-encoding: chunked\r\n\r\n",
            written->form->is_gzip && spoilt != NOT_COMPRESSED ? "content-encoding: gzip\r\n" : "");
    if (written->form->is_http1) text_add(&written->bytes, head, strlen(head));
    for (uint64_t place = from; place <= through; place++) {
        uint64_t number = place, sequence = place;
        bool here = place == 60;
        if (spoilt == DROPPED && here) continue;
        if (spoilt == SWAPPED && (here || place == 61)) number = here ? 61 : 60;
        if (spoilt == OLD_ID && here) sequence = 3;
        make_numbered(&event, 'a', number, 4096);
        if (spoilt == CHANGED && here) event.data[event.length - 1] ^= 1;
        size_t before = written->bytes.length;
        add_event(written, &event, sequence, spoilt == TYPE_CHANGED && here ? "other" : event.type);
        if (spoilt == BIT_FLIPPED && here) written->bytes.bytes[(before + written->bytes.length) / 2] ^= 8;
        if (spoilt == TWICE && here) add_event(written, &event, sequence + 1, event.type);
        event.length = (size_t)sprintf(event.data, "{\"requested\":\"x\"}");
        if ((spoilt == TOLD || spoilt == FOREIGN) && here) add_event(written, &event, 60, spoilt == TOLD ? "gap" : "message");
        if (spoilt == BAD_CHUNK && here) text_add(&written->bytes, "xyz", 3);
    }
    if (spoilt == ENDED_EARLY || spoilt == BAD_CHECKSUM || spoilt == NO_TRAILER || spoilt == BIT_FLIPPED) end_body(written, spoilt);
    deflateEnd(&written->deflater);
}

static inline void receive(
    struct trial *trial, struct stream *stream, const struct written *written, enum spoilt spoilt, uint64_t *random) {
    const struct text *bytes = &written->bytes;
    struct http1 http1 = {0};
    struct response_head head = {.status = 200, .type = "text/event-stream"};
    if (written->form->is_gzip && spoilt != NOT_COMPRESSED) copy_text(head.coding, sizeof head.coding, "gzip");
    stream_reset(stream);
    stream->wants_gzip = written->form->is_gzip;
    if (!written->form->is_http1) stream_open(stream, &head);
    for (size_t at = 0; at < bytes->length && !stream->broken;) {
        size_t piece = 1 + next_random(random) % 700;
        if (piece > bytes->length - at) piece = bytes->length - at;
        if (written->form->is_http1) http1_take(&http1, stream, bytes->bytes + at, piece, trial, trial_event);
        else stream_body(stream, bytes->bytes + at, piece, trial, trial_event);
        at += piece;
    }
    if (!written->form->is_http1 && written->ended && !stream->broken) stream_end(stream);
    free(http1.head.bytes);
    if (stream->broken) violate(&trial->check, &trial->record, REFUSED, "%s", stream->broken);
    else if (stream->over) violate(&trial->check, &trial->record, ENDED, "ended");
}

static inline bool try_one(enum spoilt spoilt, const struct form *form, uint64_t seed) {
    static const int finds[SPOILTS] = {
        [WHOLE] = -1, [DROPPED] = GAP, [TWICE] = REPEAT, [SWAPPED] = GAP, [CHANGED] = DAMAGE, [TYPE_CHANGED] = DAMAGE,
        [CUT_SHORT] = MISSING, [TOLD] = TOLD_OF_A_GAP, [FOREIGN] = DAMAGE, [OLD_ID] = ORDER,
        [AGAIN_AFTER_RECONNECT] = REPEAT, [LOST_AFTER_RECONNECT] = GAP, [ENDED_EARLY] = ENDED, [BAD_CHUNK] = REFUSED,
        [BAD_CHECKSUM] = REFUSED, [NO_TRAILER] = REFUSED, [BIT_FLIPPED] = REFUSED, [NOT_COMPRESSED] = REFUSED,
    };
    struct trial trial = {.check = {.feeds = "a", .largest = 4096, .quiet = true}, .record = {.kind = "trial"}};
    struct stream stream = {0};
    struct written first = {.form = form}, second = {.form = form};
    // Two connections: the first one ends in the middle of event 41, the second one goes on after 40.
    spoil(&first, spoilt == NOT_COMPRESSED ? spoilt : WHOLE, 1, 41);
    first.bytes.length -= 20;
    uint64_t from = spoilt == AGAIN_AFTER_RECONNECT ? 40 : spoilt == LOST_AFTER_RECONNECT ? 42 : 41;
    spoil(&second, spoilt, from, spoilt == CUT_SHORT ? 99 : 100);
    receive(&trial, &stream, &first, spoilt, &seed);
    receive(&trial, &stream, &second, spoilt, &seed);
    check_end(&trial.check, &trial.record, 100);
    free(first.bytes.bytes);
    free(second.bytes.bytes);
    stream_free(&stream);
    if (finds[spoilt] < 0) return violations(&trial.check) == 0;
    return trial.check.found[finds[spoilt]] > 0;
}

static inline bool applies(enum spoilt spoilt, const struct form *form) {
    return spoilt < BAD_CHUNK || (spoilt == BAD_CHUNK ? form->is_http1 : form->is_gzip);
}

static inline int self_test(void) {
    static const struct form forms[] = {
        {true, false, "chunks"}, {true, true, "chunks of gzip"}, {false, false, "frames"}, {false, true, "frames of gzip"}};
    static const char *const names[SPOILTS] = {
        "a whole stream", "a dropped event", "an event twice", "two events swapped", "a changed byte", "another type",
        "the last event missing", "a gap event", "an event of nobody", "an id that goes back", "one again after a reconnect",
        "one lost after a reconnect", "a stream that ends", "a chunk that is none", "a wrong checksum", "no trailer",
        "a bit of gzip flipped", "gzip that is none",
    };
    int failures = 0;
    for (size_t at = 0; at < sizeof forms / sizeof *forms; at++)
        for (int spoilt = 0; spoilt < SPOILTS; spoilt++) {
            bool right = true;
            if (!applies((enum spoilt)spoilt, &forms[at])) continue;
            for (uint64_t seed = 1; seed <= 50; seed++) right = right && try_one((enum spoilt)spoilt, &forms[at], seed);
            printf("%s, %s: %s\n", forms[at].name, names[spoilt], !right ? "WRONG" : spoilt == WHOLE ? "passes" : "found");
            failures += !right;
        }
    return failures ? 1 : 0;
}
