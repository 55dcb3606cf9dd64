// sseload: N event streams, events published over HTTP, and what that took: deliveries, latency, and the processor time and
// memory of the server. Prints one line of JSON. `connected` and `publishing` are said on the way, for whoever looks at
// the server meanwhile.
// Build: cc -O2 -D_GNU_SOURCE -o sseload *.c -lssl -lcrypto -lnghttp2 -lz
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "load.h"

struct options options = {
    .host = "127.0.0.1", .path = "/sub/a", .publish_path = "/pub/a", .bystander_path = "/sub/b",
    .bystander_publish_path = "/pub/b", .quiet_path = "/sub/quiet", .server = "",
    .subscribers = 1000, .topics = 1, .rate = 10, .seconds = 5, .size = 100, .publishers = 1, .bystander_rate = 50,
    .addresses = 1, .inflight = 256, .settle = 1,
};

static struct group subscribers, bystanders, quiet, slow, storm, probes;

static void read_options(int count, char **values) {
    static const struct { const char *name; int *number; const char **text; bool *flag; } known[] = {
        {"host", .text = &options.host}, {"path", .text = &options.path}, {"pub-path", .text = &options.publish_path},
        {"bystander-path", .text = &options.bystander_path}, {"quiet-path", .text = &options.quiet_path},
        {"bystander-pub-path", .text = &options.bystander_publish_path}, {"pids", .text = &options.server},
        {"port", &options.port}, {"pub-port", &options.publish_port}, {"conns", &options.subscribers},
        {"channels", &options.topics}, {"bystanders", &options.bystanders}, {"quiet", &options.quiet},
        {"slow", &options.slow}, {"storm", &options.storm}, {"rate", &options.rate}, {"secs", &options.seconds},
        {"size", &options.size}, {"publishers", &options.publishers}, {"bystander-rate", &options.bystander_rate},
        {"probes", &options.probes_per_second}, {"replay", &options.replay}, {"trickle", &options.trickle},
        {"h2", &options.streams_per_connection}, {"srcips", &options.addresses}, {"inflight", &options.inflight},
        {"settle", &options.settle}, {"tls", .flag = &options.tls}, {"gzip", .flag = &options.gzip},
    };
    enum { KNOWN = sizeof known / sizeof *known };
    struct option list[KNOWN + 1] = {0};
    for (int index = 0; index < KNOWN; index++) list[index] = (struct option){known[index].name, !known[index].flag, 0, 0};
    for (int index; getopt_long(count, values, "", list, &index) != -1;) {
        if (optopt) exit(2);
        if (known[index].flag) *known[index].flag = true;
        else if (known[index].text) *known[index].text = optarg;
        else *known[index].number = atoi(optarg);
    }
    if (options.streams_per_connection > 0) options.tls = true;
    if (options.publish_port == 0) options.publish_port = options.port;
    if (options.size > 32 * 1024 || options.topics < 1 || options.publishers < 1) exit(2);
}

static void group(struct group *group, const char *path, int count) {
    group->path = path;
    group->count = count;
}

static void connect_all(struct group *group) {
    uint64_t deadline = now() + 120ull * SECOND;
    while (group->streaming + group->dead < group->count) {
        while (handshakes_under_way() < options.inflight && begin_next(group)) {}
        wait_for_events(100);
        if (now() > deadline) {
            complain("not all subscribed: %d stream, %d failed", group->streaming, group->dead);
            return;
        }
    }
}

static void go_on_for(uint64_t nanoseconds) {
    for (uint64_t end = now() + nanoseconds; now() < end;) wait_for_events(20);
}

static void say(const char *what) {
    printf("%s\n", what);
    fflush(stdout);
}

// Puts events into the history, behind one whose id all of the storm will come with.
static void fill_history(void) {
    struct publishing history = {.path = options.publish_path, .total = (uint64_t)options.replay + 1, .count = 1};
    start_publishing(&history);
    while (!has_ended(&history) || subscribers.delivered < history.published) wait_for_events(20);
    if (!subscribers.first_id[0]) stop("no event had an id");
    storm.cursor = subscribers.first_id;
    storm.enough = (uint64_t)options.replay;
}

static struct {
    double seconds, processor;
    uint64_t began, ended, latency[2];  // nanoseconds; microseconds
} stormy;

static bool all_of_the_storm_are_live(void) {
    int alive = storm.count - storm.dead;
    return storm.streaming + storm.dead >= storm.count && (options.replay == 0 || storm.reached >= (uint64_t)alive);
}

// Half a second into the run, many come at once. What happens to the others counts from there on.
static void step_storm(uint64_t began) {
    if (storm.count == 0 || stormy.ended || now() < began + SECOND / 2) return;
    if (!stormy.began) {
        stormy.began = now();
        stormy.processor = server_seconds();
        memset(&bystanders.latency, 0, sizeof bystanders.latency);
    }
    while (handshakes_under_way() < options.inflight && begin_next(&storm)) {}
    if (!all_of_the_storm_are_live()) return;
    stormy.ended = now();
    stormy.processor = server_seconds() - stormy.processor;
    stormy.seconds = (double)(stormy.ended - stormy.began) / SECOND;
    stormy.latency[0] = percentile(&bystanders.latency, 0.5);
    stormy.latency[1] = percentile(&bystanders.latency, 0.99);
}

static void step_probes(uint64_t began) {
    if (options.probes_per_second == 0) return;
    uint64_t due = (now() - began) * (uint64_t)options.probes_per_second / SECOND;
    while ((uint64_t)probes.begun < due && begin_next(&probes)) {}
}

static uint64_t expected_of(const struct publishing *publishing, const struct group *group) {
    if (options.topics > 1 && group == &subscribers) return publishing->published * (uint64_t)(group->count / options.topics);
    return publishing->published * (uint64_t)group->streaming;
}

struct run {
    struct publishing events, bystanding;
    double seconds, processor, own;
    uint64_t expected;
    long most_kilobytes;
};

static double own_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

// Runs until all that was published has arrived, or nothing arrives any more.
static void measure(struct run *run) {
    double seconds = options.seconds;
    run->events = (struct publishing){.path = options.publish_path, .rate = options.rate, .count = options.publishers,
                                      .total = (uint64_t)(options.rate * seconds)};
    run->bystanding = (struct publishing){.path = options.bystander_publish_path, .rate = options.bystander_rate, .count = 1,
                                          .total = options.bystanders ? (uint64_t)(options.bystander_rate * seconds) : 0};
    struct publishing *all[] = {&run->events, &run->bystanding};
    memset(&subscribers.latency, 0, sizeof subscribers.latency);
    subscribers.delivered = subscribers.bytes = bystanders.delivered = 0;
    run->processor = server_seconds();
    run->own = own_seconds();
    uint64_t began = now(), moved = began, before = 0;
    for (int index = 0; index < 2; index++) start_publishing(all[index]);
    uint64_t limit = began + (uint64_t)(options.seconds + 60) * SECOND;
    for (uint64_t time = began, look = began; time < limit; time = now()) {
        wait_for_events(20);
        step_storm(began);
        step_probes(began);
        // The rest takes calls that a figure of this process should not hold thousands of times.
        if (time < look) continue;
        look = time + SECOND / 100;
        long kilobytes = server_resident_kilobytes();
        if (kilobytes > run->most_kilobytes) run->most_kilobytes = kilobytes;
        if (storm.count > 0 && stormy.ended) for (int index = 0; index < 2; index++) end_publishing(all[index]);
        uint64_t arrived = subscribers.delivered + bystanders.delivered + storm.delivered;
        if (arrived != before) moved = time;
        before = arrived;
        bool ended = has_ended(all[0]) & has_ended(all[1]);
        if (!ended || (storm.count > 0 && !stormy.ended && time - moved < 20ull * SECOND)) continue;
        run->expected = expected_of(all[0], &subscribers) + expected_of(all[1], &bystanders);
        if (subscribers.delivered + bystanders.delivered >= run->expected || time - moved > 3ull * SECOND) break;
    }
    run->seconds = (double)(now() - began) / SECOND;
    run->processor = server_seconds() - run->processor;
    run->own = own_seconds() - run->own;
}

static void figure(const char *name, double value) { printf(",\"%s\":%.3f", name, value); }

static void figures_of(const char *name, const struct histogram *histogram) {
    if (histogram->samples == 0) return;
    char label[64];
    snprintf(label, sizeof label, "%s_p50_us", name);
    figure(label, (double)percentile(histogram, 0.5));
    snprintf(label, sizeof label, "%s_p99_us", name);
    figure(label, (double)percentile(histogram, 0.99));
    snprintf(label, sizeof label, "%s_most_us", name);
    figure(label, (double)percentile(histogram, 1));
}

// The server before anybody came, with all connected, and once the history was filled.
struct memory {
    long empty, connected, resident;
};

static void report(const struct run *run, const struct memory *memory, double connecting, double handshakes) {
    int streams = subscribers.count + slow.count + bystanders.count + quiet.count;
    uint64_t delivered = subscribers.delivered + bystanders.delivered;
    double deliveries = delivered > 0 ? (double)delivered : 1;
    printf("{\"events\":%llu", (unsigned long long)(run->events.published + run->bystanding.published));
    figure("delivered", (double)delivered);
    figure("lost", (double)run->expected - (double)delivered);
    figure("dead", subscribers.dead + bystanders.dead + quiet.dead + storm.dead);
    figure("seconds", run->seconds);
    figure("deliveries_per_s", (double)delivered / run->seconds);
    figure("server_us_per_delivery", run->processor * 1e6 / deliveries);
    figure("client_us_per_delivery", run->own * 1e6 / deliveries);
    figure("wire_bytes_per_delivery", (double)subscribers.bytes / (subscribers.delivered > 0 ? (double)subscribers.delivered : 1));
    figure("kb_per_conn", (double)(memory->connected - memory->empty) / (streams > 0 ? streams : 1));
    figure("growth_mb", (double)(run->most_kilobytes - memory->resident) / 1024);
    figure("connect_s", connecting);
    figure("handshake_us_per_conn", handshakes * 1e6 / (subscribers.count > 0 ? subscribers.count : 1));
    if (subscribers.latency.samples) {
        figure("p50_us", (double)percentile(&subscribers.latency, 0.5));
        figure("p99_us", (double)percentile(&subscribers.latency, 0.99));
    }
    if (options.storm) {
        figure("storm_s", stormy.seconds);
        figure("storm_us_per_conn", stormy.processor * 1e6 / storm.count);
        figure("connects_per_cpu_s", storm.count / stormy.processor);
        figure("bystander_p50_us", (double)stormy.latency[0]);
        figure("bystander_p99_us", (double)stormy.latency[1]);
        if (options.replay) figure("us_per_replayed", stormy.processor * 1e6 / ((double)storm.delivered > 0 ? (double)storm.delivered : 1));
    } else {
        figures_of("bystander", &bystanders.latency);
    }
    figures_of("probe_handshake", &probes.handshake);
    figures_of("probe_head", &probes.head);
    figures_of("heartbeat_gap", &quiet.gaps);
    printf("}\n");
}

int main(int count, char **values) {
    read_options(count, values);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    find_server(options.server);
    group(&subscribers, options.path, options.subscribers - options.slow);
    group(&slow, options.path, options.slow);
    group(&bystanders, options.bystander_path, options.bystanders);
    group(&quiet, options.quiet_path, options.quiet);
    group(&storm, options.path, options.storm);
    group(&probes, options.bystander_path, options.probes_per_second * (options.seconds + 60));
    slow.is_slow = true;
    slow.receive_buffer = 4096;
    quiet.wants_gaps = true;
    probes.is_probe = true;
    prepare_subscribers(options.subscribers + options.bystanders + options.quiet + options.storm + probes.count);

    struct memory memory = {.empty = server_kilobytes()};
    double handshakes = server_seconds();
    uint64_t began = now();
    connect_all(&subscribers);
    double connecting = (double)(now() - began) / SECOND;
    handshakes = server_seconds() - handshakes;
    struct group *others[] = {&slow, &bystanders, &quiet};
    for (int index = 0; index < 3; index++) connect_all(others[index]);
    say("connected");
    go_on_for((uint64_t)options.settle * SECOND);
    memory.connected = server_kilobytes();
    if (options.replay > 0) fill_history();
    memory.resident = server_resident_kilobytes();
    say("publishing");
    // Whoever wants to look has the time to begin.
    go_on_for(SECOND / 4);
    struct run run = {0};
    measure(&run);
    if (storm.count > 0 && !stormy.ended) cannot("get through the storm");
    report(&run, &memory, connecting, handshakes);
    return 0;
}
