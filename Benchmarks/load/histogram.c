#include <time.h>

#include "load.h"

uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

enum { EXACT = 1024, STEPS = 512, BUCKETS = sizeof(((struct histogram *)0)->counts) / sizeof(uint32_t) };

static int bucket_of(uint64_t microseconds) {
    if (microseconds < EXACT) return (int)microseconds;
    int exponent = 63 - __builtin_clzll(microseconds);
    int bucket = EXACT + (exponent - 10) * STEPS + (int)((microseconds >> (exponent - 9)) & (STEPS - 1));
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static uint64_t least_of(int bucket) {
    if (bucket < EXACT) return (uint64_t)bucket;
    int exponent = (bucket - EXACT) / STEPS + 10;
    return (1ull << exponent) + ((uint64_t)((bucket - EXACT) % STEPS) << (exponent - 9));
}

void add_time(struct histogram *histogram, uint64_t nanoseconds) {
    histogram->counts[bucket_of(nanoseconds / 1000)]++;
    histogram->samples++;
}

// In microseconds; part 0.5 is the median, 1 the largest.
uint64_t percentile(const struct histogram *histogram, double part) {
    uint64_t sum = 0;
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
        sum += histogram->counts[bucket];
        if (sum > 0 && (double)sum >= part * (double)histogram->samples) return least_of(bucket);
    }
    return 0;
}
