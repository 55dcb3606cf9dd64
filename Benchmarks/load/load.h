// The load generator: subscribers in groups, publishers in processes of their own, and what all of it cost the server.
#pragma once
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <zlib.h>

enum { SECOND = 1000000000, LONGEST_ID = 128, LONGEST_PATH = 512 };

// Times in microseconds: exact up to 1024, within a 512th above.
struct histogram {
    uint32_t counts[32768];
    uint64_t samples;
};

// Subscribers that do the same.
struct group {
    const char *path;       // "%C%" in it stands for the number of a topic
    int count;              // streams
    int receive_buffer;     // bytes; 0: the system's
    bool is_slow;           // reads no more than `trickle` once it streams
    bool is_probe;          // leaves when its stream has begun
    bool wants_gaps;        // the times between two arrivals are of interest
    const char *cursor;     // Last-Event-ID

    int begun, streaming, dead;
    uint64_t delivered, bytes, reached;  // reached: streams that have `enough` events
    uint64_t enough;
    char first_id[LONGEST_ID];           // of the first event with one
    struct histogram latency, gaps, handshake, head;
};

// One subscription.
struct stream {
    struct group *group;
    uint64_t events;
    uint64_t stamp;  // of the event that is being read
    bool in_stamp;
    bool is_open;
    uint64_t arrived;
    z_stream *inflater;
};

enum state { CONNECTING, HANDSHAKING, AWAITING_HEAD, STREAMING, DEAD };

struct connection {
    int descriptor;
    enum state state;
    SSL *ssl;
    struct group *group;
    struct stream *streams;  // one, or those of an HTTP/2 connection
    int number;              // of its first stream in its group
    uint64_t began;
    char *head;              // of an HTTP/1.1 response, while it is read
    int head_length;
    bool is_chunked;
    int chunk_state;
    long chunk_left;
    nghttp2_session *session;
};

struct options {
    const char *host, *path, *publish_path, *bystander_path, *bystander_publish_path, *quiet_path, *server;
    int port, publish_port;
    int subscribers, topics, bystanders, quiet, slow, storm;
    int rate, seconds, size, publishers, bystander_rate, probes_per_second, replay;
    int trickle, streams_per_connection, addresses, inflight, settle;
    bool tls, gzip;
};

extern struct options options;

// body.c
void take_body(struct stream *stream, const char *bytes, size_t count);
void take_http1_body(struct connection *connection, const char *bytes, size_t count);
z_stream *new_inflater(void);

// http2.c
void start_http2(struct connection *connection);
bool receive_http2(struct connection *connection, const char *bytes, size_t count);

// subscribers.c
void prepare_subscribers(int connections);
bool begin_next(struct group *group);
int handshakes_under_way(void);
void read_a_trickle(void);
void wait_for_events(int milliseconds);
void stream_began(struct stream *stream);
void path_of(char *path, const struct group *group, int number);
void stop(const char *what) __attribute__((noreturn));
void cannot(const char *what) __attribute__((noreturn));
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

// publishers.c
struct publishing {
    const char *path;
    double rate;     // of all together; 0: as fast as the server answers
    uint64_t total;  // of all together
    int count;
    // What they report.
    int pipe, ended;
    uint64_t published;
    pid_t *processes;
};
void start_publishing(struct publishing *publishing);
bool has_ended(struct publishing *publishing);
void end_publishing(struct publishing *publishing);

// server.c
void find_server(const char *processes);
double server_seconds(void);
long server_kilobytes(void);
long server_resident_kilobytes(void);

// histogram.c
uint64_t now(void);
void add_time(struct histogram *histogram, uint64_t nanoseconds);
uint64_t percentile(const struct histogram *histogram, double part);
