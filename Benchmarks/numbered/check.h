// The proof: what one subscriber got of each feed, across all its connections, is 1, 2, 3 ... with nothing changed.
#pragma once
#include <stdarg.h>

#include "stream.h"

enum violation {
    GAP, REPEAT, DAMAGE, ORDER, TOLD_OF_A_GAP, ENDED, REFUSED, MISSING, VIOLATIONS
};

static const char *const violation_names[VIOLATIONS] = {
    "gap", "repeat", "damage", "order_of_ids", "told_of_a_gap", "ended_by_the_gateway", "bad_answer", "missing",
};

struct check {
    const char *feeds;  // a letter each
    size_t largest;
    uint64_t found[VIOLATIONS], deliveries, newest[FEEDS];
    bool quiet;
    int said;
};

// What a subscriber has.
struct record {
    int subscriber;
    const char *kind;
    uint64_t have[FEEDS];
    char last_id[LONGEST_ID];
};

__attribute__((format(printf, 4, 5))) static inline void violate(
    struct check *check, const struct record *record, enum violation what, const char *format, ...) {
    check->found[what]++;
    if (check->quiet || ++check->said > 50) return;
    fprintf(stderr, "VIOLATION %s: subscriber %d (%s): ", violation_names[what], record->subscriber, record->kind);
    va_list values;
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fprintf(stderr, "\n");
}

static inline uint64_t violations(const struct check *check) {
    uint64_t sum = 0;
    for (int what = 0; what < VIOLATIONS; what++) sum += check->found[what];
    return sum;
}

// A thousand subscribers get the same event in the same moment: it is made once.
static inline const struct numbered *expected(const struct check *check, int feed, uint64_t number) {
    enum { SLOTS = 1024 };
    static struct numbered *made[FEEDS][SLOTS];
    struct numbered **slot = &made[feed][number % SLOTS];
    if (!*slot && !(*slot = calloc(1, sizeof **slot))) abort();
    if ((*slot)->number != number) make_numbered(*slot, check->feeds[feed], number, check->largest);
    return *slot;
}

static inline void check_event(struct check *check, struct record *record, const struct received *event) {
    unsigned long long number = 0;
    char name = 0;
    const char *place = NULL;
    // The checker does not trust what it reads: an event of nobody is a violation like any other.
    if (event->length >= 4 && event->data[0] && event->data[1] == ' ') {
        name = event->data[0];
        number = strtoull(event->data + 2, NULL, 10);
        place = strchr(check->feeds, name);
    }
    if (!place || number == 0) {
        bool told = !strcmp(event->type, "gap");
        violate(check, record, told ? TOLD_OF_A_GAP : DAMAGE, "%s event `%.*s`", event->type,
                (int)(event->length > 100 ? 100 : event->length), event->data);
        return;
    }
    int feed = (int)(place - check->feeds);
    uint64_t have = record->have[feed];
    check->deliveries++;
    if (number > check->newest[feed]) check->newest[feed] = number;
    const struct numbered *right = expected(check, feed, number);
    if (right->length != event->length || memcmp(right->data, event->data, event->length)
        || strcmp(right->type, event->type))
        violate(check, record, DAMAGE, "feed %c: %llu (id %s) is not what was sent: type %s, %zu bytes for %zu",
                name, number, event->id, event->type, event->length, right->length);
    // Ids have a fixed width and grow; another epoch would be another gateway.
    size_t epoch = strcspn(record->last_id, "-");
    if (record->last_id[0] && (strcmp(event->id, record->last_id) <= 0 || strncmp(event->id, record->last_id, epoch)))
        violate(check, record, ORDER, "feed %c: %llu has id `%s`, after `%s`", name, number, event->id, record->last_id);
    memcpy(record->last_id, event->id, strnlen(event->id, LONGEST_ID - 1) + 1);
    if (number == have + 1) {
        record->have[feed] = number;
    } else if (number <= have) {
        violate(check, record, REPEAT, "feed %c: %llu came again after %llu (id %s)", name, number,
                (unsigned long long)have, event->id);
    } else {
        violate(check, record, GAP, "feed %c: after %llu came %llu (id %s)", name, (unsigned long long)have, number,
                event->id);
        record->have[feed] = number;
    }
}

static inline bool has_all(const struct check *check, const struct record *record, uint64_t total) {
    for (int feed = 0; check->feeds[feed]; feed++)
        if (record->have[feed] < total) return false;
    return true;
}

static inline void check_end(struct check *check, const struct record *record, uint64_t total) {
    for (int feed = 0; check->feeds[feed]; feed++)
        if (record->have[feed] < total)
            violate(check, record, MISSING, "feed %c: it has 1 to %llu of %llu", check->feeds[feed],
                    (unsigned long long)record->have[feed], (unsigned long long)total);
}
