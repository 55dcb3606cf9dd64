// What event N of a feed holds. The feed that sends it and the subscriber that checks it both make it from the feed's name
// and the number alone: whatever arrives can be compared byte by byte, and a feed that was killed needs no memory.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FEEDS = 16, LARGEST = 16 * 1024 };

struct numbered {
    uint64_t number;   // from 1; 0: nothing made yet
    const char *type;  // "message" where the feed sends none
    size_t length;
    char data[LARGEST + 64];  // lines joined by LF
};

static inline uint64_t now_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// splitmix64: each call gives the next of a sequence that its seed alone decides.
static inline uint64_t next_random(uint64_t *state) {
    uint64_t x = *state += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

static inline uint64_t seed_of(char feed, uint64_t number) { return number * 31 + (uint64_t)(unsigned char)feed; }

// Most events are small, one in sixteen has up to `largest` bytes. What they hold looks like fields, comments and the end
// of an event, none of which it is once it stands in data; and some of it cannot be compressed.
static inline void make_numbered(struct numbered *event, char feed, uint64_t number, size_t largest) {
    static const char *pieces[] = {
        "quote of the day, ", "42.125;", "\xC3\xA9\xE2\x86\x92\xF0\x9F\x98\x80 ", "{\"bid\":1,\"ask\":2} ",
        "\n", "\n two lines ", "\n\n", "\nid: 3", "\ndata: x", "\n: no comment", "event: no", "0123456789abcdef",
    };
    static const char *types[] = {"message", "message", "tick", "a.trade"};
    uint64_t random = seed_of(feed, number);
    if (largest > LARGEST) largest = LARGEST;
    size_t most = next_random(&random) % 16 ? largest / 16 + 1 : largest;
    size_t size = next_random(&random) % (most + 1);
    event->number = number;
    event->type = types[next_random(&random) % 4];
    size_t length = (size_t)sprintf(event->data, "%c %llu ", feed, (unsigned long long)number);
    while (length < size) {
        size_t choice = next_random(&random) % (sizeof pieces / sizeof *pieces + 1);
        if (choice == sizeof pieces / sizeof *pieces) {
            for (int left = 48; left > 0; left--) event->data[length++] = (char)(' ' + next_random(&random) % 64);
            continue;
        }
        size_t count = strlen(pieces[choice]);
        memcpy(event->data + length, pieces[choice], count);
        length += count;
    }
    event->length = length;
}
