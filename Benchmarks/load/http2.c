// Many streams on one connection (RFC 9113), with windows so large that the server never waits for them.
#include <stdlib.h>
#include <string.h>

#include "load.h"

static ssize_t send_bytes(nghttp2_session *session, const uint8_t *bytes, size_t count, int flags, void *user) {
    (void)session, (void)flags;
    struct connection *connection = user;
    int taken = SSL_write(connection->ssl, bytes, (int)count);
    return taken > 0 ? taken : NGHTTP2_ERR_WOULDBLOCK;
}

// Requests are made in order, so that streams have the numbers 1, 3, 5 ...
static struct stream *stream_of(struct connection *connection, int32_t identifier) {
    int place = (identifier - 1) / 2;
    if (identifier < 1 || place >= options.streams_per_connection) stop("a stream that nobody asked for");
    return &connection->streams[place];
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t identifier, const uint8_t *bytes, size_t count,
                   void *user) {
    (void)session, (void)flags;
    take_body(stream_of(user, identifier), (const char *)bytes, count);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
                     const uint8_t *value, size_t value_length, uint8_t flags, void *user) {
    (void)session, (void)flags;
    struct stream *stream = stream_of(user, frame->hd.stream_id);
    if (name_length == 7 && !memcmp(name, ":status", 7) && (value_length != 3 || memcmp(value, "200", 3)))
        complain("status %.*s", (int)value_length, value);
    if (name_length == 16 && !memcmp(name, "content-encoding", 16) && !stream->inflater) stream->inflater = new_inflater();
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
    (void)session;
    if (frame->hd.type == NGHTTP2_GOAWAY) complain("GOAWAY, error %u", frame->goaway.error_code);
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_RESPONSE) return 0;
    struct stream *stream = stream_of(user, frame->hd.stream_id);
    if (options.gzip && !stream->inflater) cannot("compress");
    stream_began(stream);
    return 0;
}

static int on_close(nghttp2_session *session, int32_t identifier, uint32_t error, void *user) {
    (void)session, (void)error;
    struct stream *stream = stream_of(user, identifier);
    if (stream->is_open) stream->group->streaming--;
    stream->is_open = false;
    stream->group->dead++;
    return 0;
}

static nghttp2_nv field(const char *name, const char *value) {
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value), 0};
}

static void request(struct connection *connection, int place) {
    char path[LONGEST_PATH];
    path_of(path, connection->group, connection->number + place);
    nghttp2_nv fields[7] = {
        field(":method", "GET"), field(":scheme", "https"), field(":authority", "localhost"), field(":path", path),
        field("accept", "text/event-stream"),
    };
    size_t count = 5;
    if (options.gzip) fields[count++] = field("accept-encoding", "gzip");
    if (connection->group->cursor) fields[count++] = field("last-event-id", connection->group->cursor);
    nghttp2_submit_request(connection->session, NULL, fields, count, NULL, NULL);
}

void start_http2(struct connection *connection) {
    const unsigned char *protocol;
    unsigned length;
    SSL_get0_alpn_selected(connection->ssl, &protocol, &length);
    if (length != 2) cannot("speak HTTP/2");
    nghttp2_session_callbacks *callbacks;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_send_callback(callbacks, send_bytes);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_client_new(&connection->session, callbacks, connection);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20}, {NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
    nghttp2_submit_settings(connection->session, 0, settings, 2);
    nghttp2_session_set_local_window_size(connection->session, 0, 0, 1 << 28);
    for (int place = 0; place < options.streams_per_connection; place++) request(connection, place);
    nghttp2_session_send(connection->session);
}

// False: the connection is of no use any more.
bool receive_http2(struct connection *connection, const char *bytes, size_t count) {
    if (nghttp2_session_mem_recv(connection->session, (const uint8_t *)bytes, count) < 0) return false;
    return nghttp2_session_send(connection->session) == 0;
}
