// One response read by a client: its head, its chunks and the events in it (WHATWG HTML 9.2), fed in pieces of any size.
#pragma once
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
    enum { HEAD, SIZE, SIZE_END, BODY, BODY_END, OVER } phase;
    const char *broken;  // what is wrong with the response; nothing is read after it
    bool opened;         // the head was a 200 with an event stream
    char id[LONGEST_ID]; // what Last-Event-ID has to say when the client comes back
    // Private:
    struct text head, line, data;
    size_t chunk;
    bool has_data, after_cr;
    char type[64], next_id[LONGEST_ID];
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
    stream->phase = HEAD;
    stream->broken = NULL;
    stream->opened = stream->has_data = stream->after_cr = false;
    stream->head.length = stream->line.length = stream->data.length = stream->chunk = 0;
    stream->type[0] = 0;
    memcpy(stream->next_id, stream->id, sizeof stream->id);
}

static inline void copy_text(char *to, size_t room, const char *from) {
    size_t length = strlen(from);
    if (length >= room) length = room - 1;
    memcpy(to, from, length);
    to[length] = 0;
}

static inline void stream_read_head(struct stream *stream) {
    const char *head = stream->head.bytes;
    stream->phase = SIZE;
    if (strncmp(head, "HTTP/1.1 200 ", 13)) stream->broken = "the status is not 200";
    else if (!strcasestr(head, "\r\ncontent-type: text/event-stream")) stream->broken = "not an event stream";
    else if (!strcasestr(head, "\r\ntransfer-encoding: chunked\r\n")) stream->broken = "not chunked";
    stream->opened = !stream->broken;
    // The position: a client that is lost before its first event comes back with it.
    const char *position = strcasestr(head, "\r\nlast-event-id:");
    if (stream->opened && position) {
        for (position += 16; *position == ' ';) position++;
        size_t length = strcspn(position, "\r\n");
        if (length < LONGEST_ID) {
            memcpy(stream->id, position, length);
            stream->id[length] = 0;
            memcpy(stream->next_id, stream->id, sizeof stream->id);
        }
    }
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

static inline void stream_body(
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

static inline void stream_take(
    struct stream *stream, const char *bytes, size_t count, void *owner, stream_event *handle) {
    for (size_t at = 0; at < count && !stream->broken;) {
        char byte = bytes[at];
        switch (stream->phase) {
        case HEAD:
            text_add(&stream->head, &byte, 1);
            at++;
            if (stream->head.length > 16384) stream->broken = "an endless head";
            if (byte == '\n' && strstr(stream->head.bytes, "\r\n\r\n")) stream_read_head(stream);
            break;
        case SIZE:
            at++;
            if (byte == '\r') {
                stream->phase = SIZE_END;
                break;
            }
            const char *digit = byte ? strchr("0123456789abcdef", byte | 0x20) : NULL;
            if (!digit || stream->chunk > 1 << 26) {
                stream->broken = "a chunk's size is none";
                break;
            }
            stream->chunk = stream->chunk * 16 + (size_t)(digit - "0123456789abcdef");
            break;
        case SIZE_END:
            at++;
            stream->phase = stream->chunk ? BODY : OVER;
            if (byte != '\n') stream->broken = "a chunk's size has no end";
            break;
        case BODY: {
            size_t piece = count - at < stream->chunk ? count - at : stream->chunk;
            stream_body(stream, bytes + at, piece, owner, handle);
            at += piece;
            if (!(stream->chunk -= piece)) stream->phase = BODY_END;
            break;
        }
        case BODY_END:
            at++;
            if (byte == '\n') stream->phase = SIZE;
            else if (byte != '\r') stream->broken = "a chunk is longer than it says";
            break;
        case OVER: return;
        }
    }
}
