// The subscribers of Benchmarks/lossless and Benchmarks/flat: ordinary ones, slow ones, ones that reconnect again and again
// and ones that never read, all over TLS that is verified; and the proof that each got what the feeds sent (check.h).
// It says `ready` when all are subscribed and `finished` when all have everything (or --seconds are over). The gateway is to
// end all streams then, each as a whole. It ends when they have, and prints its figures as JSON.
// Build: cc -O2 -D_GNU_SOURCE -o subscribers subscribers.c behaviour.c link.c http2.c -lssl -lcrypto -lnghttp2 -lz
#include <getopt.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "selftest.h"
#include "subscribers.h"

static const char *const kind_names[KINDS] = {"ordinary", "slow", "reconnecting", "silent"};
struct subscriber *all;
struct link *links;
int number_of_all, number_of_links;
uint64_t now, chance = 1;
static int counts[KINDS], seconds = 60, streams = 1;
static bool expects_ends;
static uint64_t open_at_end;
static volatile sig_atomic_t stopping;

static void figures(uint64_t began) {
    printf("{\"violations\": %llu, \"deliveries\": %llu, \"seconds\": %.2f, \"reconnects\": %llu, \"within_events\": %llu, "
           "\"resumed_sessions\": %llu, \"cut_off\": %llu, \"farthest_behind\": %llu, \"windows_closed\": %llu, "
           "\"open_at_end\": %llu, \"ended_cleanly\": %llu",
           (unsigned long long)violations(&check), (unsigned long long)check.deliveries,
           (double)(now_nanoseconds() - began) / 1e9, (unsigned long long)reconnects, (unsigned long long)within_events,
           (unsigned long long)resumed, (unsigned long long)cut_off, (unsigned long long)farthest_behind,
           (unsigned long long)windows_closed, (unsigned long long)open_at_end, (unsigned long long)ended_cleanly);
    for (int what = 0; what < VIOLATIONS; what++)
        printf(", \"%s\": %llu", violation_names[what], (unsigned long long)check.found[what]);
    printf("}\n");
}

static void stop_soon(int signal) {
    (void)signal;
    stopping = 1;
}

static void read_options(int count, char **values) {
    static const struct option options[] = {
        {"port", 1, 0, 'p'}, {"authority", 1, 0, 'a'}, {"feeds", 1, 0, 'f'}, {"total", 1, 0, 't'}, {"path", 1, 0, 'P'},
        {"largest", 1, 0, 'l'}, {"ordinary", 1, 0, ORDINARY}, {"slow", 1, 0, SLOW}, {"seconds", 1, 0, 's'},
        {"reconnecting", 1, 0, RECONNECTING}, {"silent", 1, 0, SILENT}, {"flow", 1, 0, 'F'}, {"chance", 1, 0, 'c'},
        {"self-test", 0, 0, 'S'}, {"gzip", 0, 0, 'g'}, {"http2", 1, 0, '2'}, {"ends", 0, 0, 'e'},
        {0, 0, 0, 0},
    };
    for (int option; (option = getopt_long(count, values, "", options, NULL)) != -1;) switch (option) {
        case 'p': port = atoi(optarg); break;
        case 'a': authority = optarg; break;
        case 'f': check.feeds = optarg; break;
        case 't': total = strtoull(optarg, NULL, 10); break;
        case 'P': path = optarg; break;
        case 'l': check.largest = strtoull(optarg, NULL, 10); break;
        case 's': seconds = atoi(optarg); break;
        case 'F': flow = strtoull(optarg, NULL, 10) + 1; break;
        case 'c': chance = strtoull(optarg, NULL, 10); break;
        case 'g': wants_gzip = true; break;
        case '2': streams = atoi(optarg); speaks_http2 = true; break;
        case 'e': expects_ends = true; break;
        case 'S': exit(self_test());
        case ORDINARY: case SLOW: case RECONNECTING: case SILENT: counts[option] = atoi(optarg); break;
        default: exit(2);
        }
    if (strlen(check.feeds) > FEEDS || !authority || streams < 1) exit(2);
}

static void prepare(void) {
    for (int kind = 0; kind < KINDS; kind++) number_of_all += counts[kind];
    number_of_links = (number_of_all + streams - 1) / streams;
    all = calloc((size_t)number_of_all + 1, sizeof *all);
    links = calloc((size_t)number_of_links + 1, sizeof *links);
    if (!all || !links) stop("calloc");
    int at = 0;
    for (int kind = 0; kind < KINDS; kind++)
        for (int left = counts[kind]; left > 0; left--, at++) {
            all[at].kind = (enum kind)kind;
            all[at].link = &links[at % number_of_links];
            all[at].record = (struct record){.subscriber = at, .kind = kind_names[kind]};
        }
    for (at = 0; at < number_of_links; at++)
        // Where some reconnect, some connections with many streams go as a whole.
        links[at] = (struct link){.number = at, .wake = 1, .departs = speaks_http2 && counts[RECONNECTING] && at % 4 == 0};
    prepare_links();
}

static void turn(void) {
    wait_for_links();
    for (int at = 0; at < number_of_all; at++)
        if (all[at].wake && all[at].wake <= now) act(&all[at]);
    for (int at = 0; at < number_of_links; at++)
        if (links[at].wake && links[at].wake <= now) act_link(&links[at]);
}

static int how_many(bool subscribed) {
    int count = 0;
    for (int at = 0; at < number_of_all; at++) count += subscribed ? all[at].subscribed : all[at].is_reading;
    return count;
}

static void say(const char *what) {
    printf("%s\n", what);
    fflush(stdout);
}

// Nobody comes or goes any more. The gateway is stopped, which ends every stream as a whole.
static void see_the_end(void) {
    is_finishing = true;
    for (int at = 0; at < number_of_all; at++) all[at].cut = false;
    for (uint64_t settled = now + 1000 * MILLISECOND; now < settled;) turn();
    open_at_end = (uint64_t)how_many(false);
    say("finished");
    for (uint64_t patience = now + 15000 * MILLISECOND; now < patience && how_many(false) > 0;) turn();
    for (int at = 0; at < number_of_all; at++)
        if (all[at].is_reading && all[at].kind != SILENT) violate(&check, &all[at].record, ENDED, "its stream was not ended");
}

static bool all_have_everything(void) {
    for (int at = 0; at < number_of_all; at++)
        if (all[at].kind != SILENT && !has_all(&check, &all[at].record, total)) return false;
    return true;
}

int main(int count, char **values) {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, stop_soon);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    read_options(count, values);
    prepare();
    uint64_t began = now = now_nanoseconds(), looked = now, end = 0;
    bool ready = false;
    while (!stopping && (!end || now < end) && now - began < (uint64_t)seconds * 1000 * MILLISECOND) {
        turn();
        if (!ready && how_many(true) == number_of_all) {
            ready = true;
            began = now;
            say("ready");
        }
        if (now - looked < 200 * MILLISECOND) continue;
        looked = now;
        if (feeds_are_over()) end_pauses();
        // A moment more, for what comes twice.
        if (!end && all_have_everything()) end = now + 1500 * MILLISECOND;
    }
    if (!ready) fprintf(stderr, "only %d of %d were subscribed\n", how_many(true), number_of_all);
    for (int at = 0; at < number_of_all; at++)
        if (all[at].kind != SILENT && total != UINT64_MAX) check_end(&check, &all[at].record, total);
    if (ready && expects_ends) see_the_end();
    figures(began);
    return !ready || violations(&check) ? 1 : 0;
}
