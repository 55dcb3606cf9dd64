// One response read by a client: what its fields say, its content coding, and the events in it (WHATWG HTML 9.2), fed in
// pieces of any size. How HTTP marks it off is no matter of this file (http1.h, http2.c).
#pragma once
#include <zlib.h>

#include "event.h"

enum { LONGEST_ID = 80 };

struct text {
    char *bytes;
    size_t length, room;
};

struct received {
    const char *type, *id;  // id: the last one, also where this event has none of its own
    const char *data;
    size_t length;
};

struct stream {
    const char *broken;  // what is wrong with the response; nothing is read after it
    bool opened;         // the head was a 200 with an event stream
    bool over;           // the gateway ended it, and said so
    bool wants_gzip;
    char id[LONGEST_ID]; // what Last-Event-ID has to say when the client comes back
    // Private:
    struct text line, data;
    bool has_data, after_cr, inflating, inflated;
    char type[64], next_id[LONGEST_ID];
    z_stream inflater;
};

// What the fields of the response's head say.
struct response_head {
    int status;
    char type[64], coding[32], position[LONGEST_ID];
};

typedef void stream_event(void *owner, const struct received *event);

static inline void text_add(struct text *text, const char *bytes, size_t count) {
    if (text->length + count + 1 > text->room) {
        text->room = 2 * (text->length + count) + 256;
        if (!(text->bytes = realloc(text->bytes, text->room))) abort();
    }
    memcpy(text->bytes + text->length, bytes, count);
    text->bytes[text->length += count] = 0;
}

// Ready for another response of the same client: only the id stays.
static inline void stream_reset(struct stream *stream) {
    stream->broken = NULL;
    stream->opened = stream->over = stream->has_data = stream->after_cr = stream->inflated = false;
    stream->line.length = stream->data.length = 0;
    stream->type[0] = 0;
    memcpy(stream->next_id, stream->id, sizeof stream->id);
    if (stream->inflating) inflateEnd(&stream->inflater);
    stream->inflating = false;
}

static inline void stream_free(struct stream *stream) {
    stream_reset(stream);
    free(stream->line.bytes);
    free(stream->data.bytes);
}

static inline void copy_text(char *to, size_t room, const char *from) {
    size_t length = strlen(from);
    if (length >= room) length = room - 1;
    memcpy(to, from, length);
    to[length] = 0;
}

static inline void stream_open(struct stream *stream, const struct response_head *head) {
    if (head->status != 200) stream->broken = "the status is not 200";
    else if (strncasecmp(head->type, "text/event-stream", 17)) stream->broken = "not an event stream";
    else if (stream->wants_gzip && strcasecmp(head->coding, "gzip")) stream->broken = "not compressed";
    else if (!stream->wants_gzip && head->coding[0]) stream->broken = "compressed for one that did not ask";
    if (stream->broken) return;
    stream->opened = true;
    stream->inflating = stream->wants_gzip;
    memset(&stream->inflater, 0, sizeof stream->inflater);
    if (stream->inflating && inflateInit2(&stream->inflater, 15 + 16) != Z_OK) abort();
    // The position: a client that is lost before its first event comes back with it.
    if (!head->position[0]) return;
    copy_text(stream->id, sizeof stream->id, head->position);
    memcpy(stream->next_id, stream->id, sizeof stream->id);
}

static inline void stream_line(struct stream *stream, void *owner, stream_event *handle) {
    char *line = stream->line.length ? stream->line.bytes : "";
    size_t length = stream->line.length;
    stream->line.length = 0;
    if (length == 0) {
        memcpy(stream->id, stream->next_id, sizeof stream->id);
        if (stream->has_data) {
            const char *type = stream->type[0] ? stream->type : "message";
            handle(owner, &(struct received){type, stream->id, stream->data.bytes, stream->data.length - 1});
        }
        stream->has_data = false;
        stream->data.length = 0;
        stream->type[0] = 0;
        return;
    }
    char *colon = memchr(line, ':', length);
    size_t name = colon ? (size_t)(colon - line) : length;
    const char *value = colon ? colon + 1 : line + length;
    if (*value == ' ') value++;
    if (name == 4 && !memcmp(line, "data", 4)) {
        text_add(&stream->data, value, (size_t)(line + length - value));
        text_add(&stream->data, "\n", 1);
        stream->has_data = true;
    } else if (name == 5 && !memcmp(line, "event", 5)) {
        copy_text(stream->type, sizeof stream->type, value);
    } else if (name == 2 && !memcmp(line, "id", 2)) {
        copy_text(stream->next_id, sizeof stream->next_id, value);
    }
}

static inline void stream_text(
    struct stream *stream, const char *bytes, size_t count, void *owner, stream_event *handle) {
    for (size_t at = 0; at < count;) {
        if (stream->after_cr && bytes[at] == '\n') {
            stream->after_cr = false;
            at++;
            continue;
        }
        size_t end = at;
        while (end < count && bytes[end] != '\n' && bytes[end] != '\r') end++;
        if (end > at) text_add(&stream->line, bytes + at, end - at);
        stream->after_cr = end < count && bytes[end] == '\r';
        if (end < count) stream_line(stream, owner, handle);
        at = end + 1;
    }
}

// Bytes of the body. zlib compares the checksum and the length of gzip's trailer with what came before it.
static inline void stream_body(
    struct stream *stream, const char *bytes, size_t count, void *owner, stream_event *handle) {
    static char plain[16384];
    if (!stream->inflating) return stream_text(stream, bytes, count, owner, handle);
    z_stream *inflater = &stream->inflater;
    inflater->next_in = (Bytef *)(uintptr_t)bytes;
    inflater->avail_in = (uInt)count;
    do {
        if (stream->inflated && inflater->avail_in > 0) stream->broken = "bytes behind the end of gzip";
        if (stream->inflated || stream->broken) return;
        inflater->next_out = (Bytef *)plain;
        inflater->avail_out = sizeof plain;
        int result = inflate(inflater, Z_SYNC_FLUSH);
        stream_text(stream, plain, sizeof plain - inflater->avail_out, owner, handle);
        if (result == Z_STREAM_END) stream->inflated = true;
        else if (result != Z_OK && result != Z_BUF_ERROR) stream->broken = "not gzip, or a wrong checksum";
    } while (inflater->avail_in > 0 || inflater->avail_out == 0);
}

// The gateway ended the body, as HTTP has it.
static inline void stream_end(struct stream *stream) {
    stream->over = true;
    if (stream->inflating && !stream->inflated) stream->broken = "ended without the trailer of gzip";
}
