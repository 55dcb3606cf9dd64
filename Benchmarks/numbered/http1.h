// An HTTP/1.1 response: its head and its chunks (RFC 9112, section 7.1), fed in pieces of any size.
#pragma once
#include "stream.h"

struct http1 {
    enum { HEAD, SIZE, SIZE_END, BODY, BODY_END } phase;
    struct text head;
    size_t chunk;
};

static inline void http1_reset(struct http1 *http1) {
    http1->phase = HEAD;
    http1->head.length = http1->chunk = 0;
}

// The value of a field; empty without it. The name comes with the line end before it and the colon behind it.
static inline void http1_field(const char *head, const char *name, char *value, size_t room) {
    const char *found = strcasestr(head, name);
    value[0] = 0;
    if (!found) return;
    for (found += strlen(name); *found == ' ';) found++;
    size_t length = strcspn(found, "\r\n");
    if (length >= room) return;
    memcpy(value, found, length);
    value[length] = 0;
}

static inline void http1_read_head(struct http1 *http1, struct stream *stream) {
    const char *head = http1->head.bytes;
    struct response_head found = {.status = strncmp(head, "HTTP/1.1 ", 9) ? 0 : atoi(head + 9)};
    char transfer[32];
    http1_field(head, "\r\ncontent-type:", found.type, sizeof found.type);
    http1_field(head, "\r\ncontent-encoding:", found.coding, sizeof found.coding);
    http1_field(head, "\r\nlast-event-id:", found.position, sizeof found.position);
    http1_field(head, "\r\ntransfer-encoding:", transfer, sizeof transfer);
    http1->phase = SIZE;
    stream_open(stream, &found);
    if (stream->opened && strcmp(transfer, "chunked")) stream->broken = "not chunked";
}

static inline void http1_take_size(struct http1 *http1, struct stream *stream, char byte) {
    if (byte == '\r') {
        http1->phase = SIZE_END;
        return;
    }
    const char *digit = byte ? strchr("0123456789abcdef", byte | 0x20) : NULL;
    if (!digit || http1->chunk > 1 << 26) stream->broken = "a chunk's size is none";
    else http1->chunk = http1->chunk * 16 + (size_t)(digit - "0123456789abcdef");
}

static inline void http1_take(
    struct http1 *http1, struct stream *stream, const char *bytes, size_t count, void *owner, stream_event *handle) {
    for (size_t at = 0; at < count && !stream->broken && !stream->over;) {
        if (http1->phase == BODY) {
            size_t piece = count - at < http1->chunk ? count - at : http1->chunk;
            stream_body(stream, bytes + at, piece, owner, handle);
            at += piece;
            if (!(http1->chunk -= piece)) http1->phase = BODY_END;
            continue;
        }
        char byte = bytes[at++];
        switch (http1->phase) {
        case HEAD:
            text_add(&http1->head, &byte, 1);
            if (http1->head.length > 16384) stream->broken = "an endless head";
            if (byte == '\n' && strstr(http1->head.bytes, "\r\n\r\n")) http1_read_head(http1, stream);
            break;
        case SIZE: http1_take_size(http1, stream, byte); break;
        case SIZE_END:
            http1->phase = BODY;
            if (byte != '\n') stream->broken = "a chunk's size has no end";
            else if (!http1->chunk) stream_end(stream);
            break;
        case BODY_END:
            if (byte == '\n') http1->phase = SIZE;
            else if (byte != '\r') stream->broken = "a chunk is longer than it says";
            break;
        case BODY: break;
        }
    }
}
