#define _GNU_SOURCE 1
#include "clinux.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct start {
    void (*body)(void *);
    void *context;
    char name[16];
};

static void *run(void *argument) {
    struct start start = *(struct start *)argument;
    free(argument);
    pthread_setname_np(pthread_self(), start.name);
    start.body(start.context);
    return NULL;
}

int sluice_thread_start(uintptr_t *thread, const char *name, void (*body)(void *), void *context) {
    struct start *start = calloc(1, sizeof *start);
    if (start == NULL) return -ENOMEM;
    start->body = body;
    start->context = context;
    strncpy(start->name, name, sizeof start->name - 1);
    pthread_t made;
    int error = pthread_create(&made, NULL, run, start);
    if (error != 0) {
        free(start);
        return -error;
    }
    *thread = (uintptr_t)made;
    return 0;
}

void sluice_thread_join(uintptr_t thread) { pthread_join((pthread_t)thread, NULL); }
void sluice_thread_detach(uintptr_t thread) { pthread_detach((pthread_t)thread); }

struct sluice_monitor {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
};

sluice_monitor *sluice_monitor_make(void) {
    sluice_monitor *monitor = malloc(sizeof *monitor);
    if (monitor == NULL) abort();
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&monitor->mutex, NULL);
    pthread_cond_init(&monitor->condition, &attributes);
    pthread_condattr_destroy(&attributes);
    return monitor;
}

void sluice_monitor_free(sluice_monitor *monitor) {
    pthread_cond_destroy(&monitor->condition);
    pthread_mutex_destroy(&monitor->mutex);
    free(monitor);
}

void sluice_monitor_lock(sluice_monitor *monitor) { pthread_mutex_lock(&monitor->mutex); }
void sluice_monitor_unlock(sluice_monitor *monitor) { pthread_mutex_unlock(&monitor->mutex); }
void sluice_monitor_broadcast(sluice_monitor *monitor) { pthread_cond_broadcast(&monitor->condition); }

void sluice_monitor_wait(sluice_monitor *monitor, uint64_t until_milliseconds) {
    if (until_milliseconds == UINT64_MAX) {
        pthread_cond_wait(&monitor->condition, &monitor->mutex);
        return;
    }
    struct timespec until = {
        .tv_sec = (time_t)(until_milliseconds / 1000),
        .tv_nsec = (long)(until_milliseconds % 1000) * 1000000,
    };
    pthread_cond_timedwait(&monitor->condition, &monitor->mutex, &until);
}
