// What the two programs share: sockets on loopback, and the course of time.
#pragma once
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../load/load.h"

static inline void fail(const char *what) {
    perror(what);
    exit(1);
}

static inline struct sockaddr_in loopback(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static inline int connect_to(int port) {
    struct sockaddr_in address = loopback(port);
    int descriptor = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return descriptor;
}

static inline void watch(int selector, int descriptor, void *what) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};
    if (epoll_ctl(selector, EPOLL_CTL_ADD, descriptor, &event) < 0) fail("epoll_ctl");
}

static inline void send_all(int descriptor, const char *bytes, size_t count) {
    if (send(descriptor, bytes, count, MSG_NOSIGNAL) != (ssize_t)count) fail("send");
}

// Waits until something is ready or it is `due`, to the microsecond.
static inline int wait_until(int selector, struct epoll_event *events, int most, uint64_t due) {
    uint64_t time = now();
    uint64_t left = due > time ? due - time : 0;
    struct timespec pause = {(time_t)(left / SECOND), (long)(left % SECOND)};
    return epoll_pwait2(selector, events, most, &pause, NULL);
}
