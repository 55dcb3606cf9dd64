// Many subscribers on one connection (RFC 9113). The room that a slow one's bytes took is given back late: its window
// closes, while the streams beside it go on.
#include <sys/epoll.h>

#include "subscribers.h"

uint64_t windows_closed;

static ssize_t send_bytes(nghttp2_session *session, const uint8_t *bytes, size_t count, int flags, void *user) {
    (void)session, (void)flags;
    struct link *link = user;
    int taken = SSL_write(link->ssl, bytes, (int)count);
    return taken > 0 ? taken : NGHTTP2_ERR_WOULDBLOCK;
}

// The subscriber whose stream this is; none where it has let go of it.
static struct subscriber *reader_of(nghttp2_session *session, int32_t identifier) {
    struct subscriber *one = nghttp2_session_get_stream_user_data(session, identifier);
    return one && one->identifier == identifier ? one : NULL;
}

static struct response_head arriving;  // fields of a head come in a row

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
    (void)session, (void)frame, (void)user;
    memset(&arriving, 0, sizeof arriving);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
                     const uint8_t *value, size_t value_length, uint8_t flags, void *user) {
    (void)session, (void)frame, (void)flags, (void)user, (void)name_length, (void)value_length;
    // nghttp2 ends both with a NUL.
    if (!strcmp((const char *)name, ":status")) arriving.status = atoi((const char *)value);
    else if (!strcmp((const char *)name, "content-type")) copy_text(arriving.type, sizeof arriving.type, (const char *)value);
    else if (!strcmp((const char *)name, "content-encoding")) copy_text(arriving.coding, sizeof arriving.coding, (const char *)value);
    else if (!strcmp((const char *)name, "last-event-id")) copy_text(arriving.position, sizeof arriving.position, (const char *)value);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
    (void)user;
    struct subscriber *one = frame->hd.stream_id ? reader_of(session, frame->hd.stream_id) : NULL;
    if (!one) return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_RESPONSE) stream_open(&one->stream, &arriving);
    bool ends = (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) && frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    if (ends && !one->stream.broken) stream_end(&one->stream);
    after_taking(one);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t identifier, const uint8_t *bytes, size_t count, void *user) {
    (void)flags, (void)user;
    nghttp2_session_consume_connection(session, count);
    struct subscriber *one = reader_of(session, identifier);
    if (!one) return 0;
    if (one->kind == SLOW || one->kind == SILENT) one->untaken += count;
    else nghttp2_session_consume_stream(session, identifier, count);
    take(one, (const char *)bytes, count);
    after_taking(one);
    return 0;
}

static int on_close(nghttp2_session *session, int32_t identifier, uint32_t error, void *user) {
    (void)user;
    struct subscriber *one = reader_of(session, identifier);
    if (!one) return 0;
    one->identifier = 0;
    char why[64];
    snprintf(why, sizeof why, "the gateway reset the stream, error %u", error);
    lost(one, ENDED, why);
    return 0;
}

void http2_begin(struct link *link) {
    nghttp2_session_callbacks *callbacks;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_send_callback(callbacks, send_bytes);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_option *option;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_session_client_new2(&link->http2, callbacks, link, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW}, {NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
    nghttp2_submit_settings(link->http2, 0, settings, 2);
    // The connection's window never closes: what is slow are streams.
    nghttp2_session_set_local_window_size(link->http2, 0, 0, 1 << 24);
}

static nghttp2_nv field(const char *name, const char *value) {
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value), 0};
}

void http2_ask(struct subscriber *one) {
    nghttp2_nv fields[7] = {
        field(":method", "GET"), field(":scheme", "https"), field(":authority", host), field(":path", path),
        field("accept", "text/event-stream"),
    };
    size_t count = 5;
    if (wants_gzip) fields[count++] = field("accept-encoding", "gzip");
    if (one->stream.id[0]) fields[count++] = field("last-event-id", one->stream.id);
    one->untaken = 0;
    one->identifier = nghttp2_submit_request(one->link->http2, NULL, fields, count, NULL, one);
    if (one->identifier < 0) stop("nghttp2_submit_request");
}

void http2_reset_stream(struct subscriber *one) {
    if (one->identifier > 0)
        nghttp2_submit_rst_stream(one->link->http2, NGHTTP2_FLAG_NONE, one->identifier, NGHTTP2_CANCEL);
    one->identifier = 0;
}

// A slow one takes what has come.
void http2_take_all(struct subscriber *one) {
    if (one->untaken >= WINDOW) windows_closed++;
    if (one->identifier > 0) nghttp2_session_consume_stream(one->link->http2, one->identifier, one->untaken);
    one->untaken = 0;
}

void http2_flush(struct link *link) {
    if (nghttp2_session_send(link->http2) != 0) {
        link->is_lost = true;
        return;
    }
    watch(link, EPOLLIN | EPOLLRDHUP | (nghttp2_session_want_write(link->http2) ? EPOLLOUT : 0));
}

void http2_receive(struct link *link, const char *bytes, size_t count) {
    if (nghttp2_session_mem_recv(link->http2, (const uint8_t *)bytes, count) < 0) link->is_lost = true;
}
