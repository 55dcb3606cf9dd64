// From the bytes of a body to the times that its events took. An event holds @NANOSECONDS@, the time it was due.
#include <stdlib.h>
#include <string.h>

#include "load.h"

static void count_event(struct stream *stream) {
    struct group *group = stream->group;
    uint64_t time = now();
    add_time(&group->latency, time > stream->stamp ? time - stream->stamp : 0);
    group->delivered++;
    if (++stream->events == group->enough) group->reached++;
}

// The id of the first event that has one: where the ones of --replay begin. The line is taken whole or not at all.
static void look_for_id(struct group *group, const char *bytes, size_t count) {
    const char *found = memmem(bytes, count, "id: ", 4);
    if (!found) return;
    const char *end = memchr(found, '\n', (size_t)(bytes + count - found));
    size_t length = end ? (size_t)(end - found - 4) : 0;
    if (length > 0 && length < LONGEST_ID) memcpy(group->first_id, found + 4, length);
}

static void scan(struct stream *stream, const char *bytes, size_t count) {
    const char *at = bytes, *end = bytes + count;
    while (at < end) {
        if (!stream->in_stamp) {
            at = memchr(at, '@', (size_t)(end - at));
            if (!at) return;
            at++;
            stream->in_stamp = true;
            stream->stamp = 0;
        }
        while (at < end && *at >= '0' && *at <= '9') stream->stamp = stream->stamp * 10 + (uint64_t)(*at++ - '0');
        if (at == end) return;
        if (*at++ == '@') count_event(stream);
        stream->in_stamp = false;
    }
}

static void text(struct stream *stream, const char *bytes, size_t count) {
    if (options.replay && !stream->group->first_id[0]) look_for_id(stream->group, bytes, count);
    scan(stream, bytes, count);
}

z_stream *new_inflater(void) {
    z_stream *inflater = calloc(1, sizeof *inflater);
    if (!inflater || inflateInit2(inflater, 15 + 16) != Z_OK) stop("inflateInit2");
    return inflater;
}

// Bytes of a body as they were sent, but for HTTP's framing.
void take_body(struct stream *stream, const char *bytes, size_t count) {
    static char plain[1 << 17];
    struct group *group = stream->group;
    group->bytes += count;
    if (group->wants_gaps) {
        uint64_t time = now();
        if (stream->arrived) add_time(&group->gaps, time - stream->arrived);
        stream->arrived = time;
    }
    if (!stream->inflater) return text(stream, bytes, count);
    z_stream *inflater = stream->inflater;
    inflater->next_in = (Bytef *)(uintptr_t)bytes;
    inflater->avail_in = (uInt)count;
    while (inflater->avail_in > 0) {
        inflater->next_out = (Bytef *)plain;
        inflater->avail_out = sizeof plain;
        int result = inflate(inflater, Z_SYNC_FLUSH);
        text(stream, plain, sizeof plain - inflater->avail_out);
        if (result != Z_OK && result != Z_BUF_ERROR) return complain("inflate: %d", result);
    }
}

static int digit(char letter) { return letter <= '9' ? letter - '0' : (letter | 0x20) - 'a' + 10; }

// Takes the chunks apart (RFC 9112, section 7.1). A server that is measured is trusted to send good ones.
void take_http1_body(struct connection *connection, const char *bytes, size_t count) {
    enum { SIZE, DATA, END };
    if (!connection->is_chunked) return take_body(connection->streams, bytes, count);
    size_t at = 0;
    while (at < count) {
        if (connection->chunk_state == DATA) {
            size_t piece = count - at;
            if (piece > (size_t)connection->chunk_left) piece = (size_t)connection->chunk_left;
            take_body(connection->streams, bytes + at, piece);
            at += piece;
            connection->chunk_left -= (long)piece;
            if (connection->chunk_left == 0) connection->chunk_state = END;
            continue;
        }
        char letter = bytes[at++];
        if (connection->chunk_state == SIZE) {
            if (letter == '\n') {
                if (connection->chunk_left == 0) return;  // the last one: the server ends the stream
                connection->chunk_state = DATA;
            } else if (letter != '\r') {
                connection->chunk_left = connection->chunk_left * 16 + digit(letter);
            }
        } else if (letter == '\n') {
            connection->chunk_state = SIZE;
            connection->chunk_left = 0;
        }
    }
}
