#define _GNU_SOURCE 1
#include "clinux.h"
#include "result.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// Errors ---------------------------------------------------------------------------------------------------

const char *sluice_error_text(int error) { return strerrordesc_np(error); }
const char *sluice_error_name(int error) { return strerrorname_np(error); }

// Addresses ------------------------------------------------------------------------------------------------

/// 0 when the address cannot be said (a path too long).
static socklen_t encode(const sluice_address *from, struct sockaddr_storage *to) {
    memset(to, 0, sizeof *to);
    switch (from->kind) {
    case SLUICE_ADDRESS_V4: {
        struct sockaddr_in *v4 = (struct sockaddr_in *)to;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(from->port);
        v4->sin_addr.s_addr = htonl((uint32_t)from->low);
        return sizeof *v4;
    }
    case SLUICE_ADDRESS_V6: {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
        uint64_t words[2] = {htobe64(from->high), htobe64(from->low)};
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(from->port);
        memcpy(&v6->sin6_addr, words, sizeof words);
        return sizeof *v6;
    }
    case SLUICE_ADDRESS_UNIX: {
        struct sockaddr_un *un = (struct sockaddr_un *)to;
        size_t length = strnlen(from->path, sizeof from->path);
        if (length == 0 || length >= sizeof un->sun_path) return 0;
        un->sun_family = AF_UNIX;
        memcpy(un->sun_path, from->path, length);
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    }
    default:
        return 0;
    }
}

static void decode(const struct sockaddr_storage *from, socklen_t length, sluice_address *to) {
    memset(to, 0, sizeof *to);
    if (length < sizeof(sa_family_t)) return;
    switch (from->ss_family) {
    case AF_INET: {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
        to->kind = SLUICE_ADDRESS_V4;
        to->port = ntohs(v4->sin_port);
        to->low = 0xffff00000000u | ntohl(v4->sin_addr.s_addr);
        break;
    }
    case AF_INET6: {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
        uint64_t words[2];
        memcpy(words, &v6->sin6_addr, sizeof words);
        to->kind = SLUICE_ADDRESS_V6;
        to->port = ntohs(v6->sin6_port);
        to->high = be64toh(words[0]);
        to->low = be64toh(words[1]);
        break;
    }
    case AF_UNIX: {
        const struct sockaddr_un *un = (const struct sockaddr_un *)from;
        size_t offset = offsetof(struct sockaddr_un, sun_path);
        size_t count = length > offset ? length - offset : 0;
        to->kind = SLUICE_ADDRESS_UNIX;
        if (count > sizeof to->path - 1) count = sizeof to->path - 1;
        memcpy(to->path, un->sun_path, count);
        break;
    }
    default:
        break;
    }
}

// Sockets --------------------------------------------------------------------------------------------------

int sluice_socket(uint8_t kind) {
    int family = kind == SLUICE_ADDRESS_UNIX ? AF_UNIX : kind == SLUICE_ADDRESS_V6 ? AF_INET6 : AF_INET;
    RESULT(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

int sluice_connect(int fd, const sluice_address *address) {
    struct sockaddr_storage storage;
    socklen_t length = encode(address, &storage);
    if (length == 0) return -ENAMETOOLONG;
    RESULT(connect(fd, (struct sockaddr *)&storage, length));
}

int sluice_bind(int fd, const sluice_address *address) {
    struct sockaddr_storage storage;
    socklen_t length = encode(address, &storage);
    if (length == 0) return -ENAMETOOLONG;
    RESULT(bind(fd, (struct sockaddr *)&storage, length));
}

int sluice_listen(int fd, int backlog) { RESULT(listen(fd, backlog)); }

int sluice_accept(int fd, sluice_address *peer) {
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;
    int accepted = accept4(fd, (struct sockaddr *)&storage, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0) return -errno;
    decode(&storage, length, peer);
    return accepted;
}

int sluice_name(int fd, bool peer, sluice_address *address) {
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;
    int result = peer ? getpeername(fd, (struct sockaddr *)&storage, &length)
                      : getsockname(fd, (struct sockaddr *)&storage, &length);
    if (result < 0) return -errno;
    decode(&storage, length, address);
    return 0;
}

static bool place(enum sluice_option option, int *level, int *name) {
    switch (option) {
    case SLUICE_OPTION_REUSE_ADDRESS: *level = SOL_SOCKET; *name = SO_REUSEADDR; return true;
    case SLUICE_OPTION_REUSE_PORT: *level = SOL_SOCKET; *name = SO_REUSEPORT; return true;
    case SLUICE_OPTION_V6_ONLY: *level = IPPROTO_IPV6; *name = IPV6_V6ONLY; return true;
    case SLUICE_OPTION_NO_DELAY: *level = IPPROTO_TCP; *name = TCP_NODELAY; return true;
    case SLUICE_OPTION_USER_TIMEOUT: *level = IPPROTO_TCP; *name = TCP_USER_TIMEOUT; return true;
    case SLUICE_OPTION_NOT_SENT_LOW_WATER: *level = IPPROTO_TCP; *name = TCP_NOTSENT_LOWAT; return true;
    case SLUICE_OPTION_RECEIVE_BUFFER: *level = SOL_SOCKET; *name = SO_RCVBUF; return true;
    case SLUICE_OPTION_SEND_BUFFER: *level = SOL_SOCKET; *name = SO_SNDBUF; return true;
    case SLUICE_OPTION_LINGER_SECONDS: *level = SOL_SOCKET; *name = SO_LINGER; return true;
    case SLUICE_OPTION_PENDING_ERROR: *level = SOL_SOCKET; *name = SO_ERROR; return true;
    case SLUICE_OPTION_KEEP_ALIVE: *level = SOL_SOCKET; *name = SO_KEEPALIVE; return true;
    case SLUICE_OPTION_KEEP_ALIVE_IDLE_SECONDS: *level = IPPROTO_TCP; *name = TCP_KEEPIDLE; return true;
    case SLUICE_OPTION_KEEP_ALIVE_INTERVAL_SECONDS: *level = IPPROTO_TCP; *name = TCP_KEEPINTVL; return true;
    case SLUICE_OPTION_KEEP_ALIVE_COUNT: *level = IPPROTO_TCP; *name = TCP_KEEPCNT; return true;
    }
    return false;
}

int sluice_set_option(int fd, enum sluice_option option, int value) {
    int level, name;
    if (!place(option, &level, &name)) return -ENOPROTOOPT;
    if (option == SLUICE_OPTION_LINGER_SECONDS) {
        struct linger linger = {.l_onoff = 1, .l_linger = value};
        RESULT(setsockopt(fd, level, name, &linger, sizeof linger));
    }
    RESULT(setsockopt(fd, level, name, &value, sizeof value));
}

int sluice_get_option(int fd, enum sluice_option option, int *value) {
    int level, name;
    if (!place(option, &level, &name)) return -ENOPROTOOPT;
    if (option == SLUICE_OPTION_LINGER_SECONDS) {
        struct linger linger = {0};
        socklen_t size = sizeof linger;
        if (getsockopt(fd, level, name, &linger, &size) < 0) return -errno;
        *value = linger.l_onoff ? linger.l_linger : -1;
        return 0;
    }
    socklen_t size = sizeof *value;
    RESULT(getsockopt(fd, level, name, value, &size));
}

int sluice_output_queue(int fd) {
    int bytes = 0;
    if (ioctl(fd, SIOCOUTQ, &bytes) < 0) return -errno;
    return bytes < 0 ? 0 : bytes;
}

ptrdiff_t sluice_receive(int fd, void *buffer, size_t count) {
    ptrdiff_t n = recv(fd, buffer, count, 0);
    return n < 0 ? -errno : n;
}

ptrdiff_t sluice_peek(int fd, void *buffer, size_t count) {
    ptrdiff_t n = recv(fd, buffer, count, MSG_PEEK);
    return n < 0 ? -errno : n;
}

bool sluice_has_input(int fd) {
    char byte;
    ptrdiff_t n;
    do n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

ptrdiff_t sluice_send(int fd, const void *buffer, size_t count) {
    ptrdiff_t n = send(fd, buffer, count, MSG_NOSIGNAL);
    return n < 0 ? -errno : n;
}

int sluice_shutdown_write(int fd) { RESULT(shutdown(fd, SHUT_WR)); }

// Descriptors and files ------------------------------------------------------------------------------------

int sluice_close(int fd) { RESULT(close(fd)); }
int sluice_duplicate(int fd) { RESULT(fcntl(fd, F_DUPFD_CLOEXEC, 0)); }
int sluice_open_null(void) { RESULT(open("/dev/null", O_RDONLY | O_CLOEXEC)); }
int sluice_unlink(const char *path) { RESULT(unlink(path)); }

int sluice_socket_file(const char *path, uint64_t *device, uint64_t *inode) {
    struct stat status;
    if (lstat(path, &status) < 0) return -errno;
    *device = status.st_dev;
    *inode = status.st_ino;
    return S_ISSOCK(status.st_mode) ? 1 : 0;
}

int sluice_limit_get(uint64_t *soft, uint64_t *hard) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    *soft = limit.rlim_cur;
    *hard = limit.rlim_max;
    return 0;
}

static _Atomic uint64_t first_soft_limit;

uint64_t sluice_limit_first(void) { return first_soft_limit; }

int sluice_limit_set(uint64_t soft) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    uint64_t none = 0;
    atomic_compare_exchange_strong(&first_soft_limit, &none, limit.rlim_cur);
    limit.rlim_cur = soft;
    RESULT(setrlimit(RLIMIT_NOFILE, &limit));
}

// epoll, eventfd, signalfd, clock --------------------------------------------------------------------------

_Static_assert(SLUICE_EPOLL_IN == EPOLLIN && SLUICE_EPOLL_OUT == EPOLLOUT, "epoll bits");
_Static_assert(SLUICE_EPOLL_ERR == EPOLLERR && SLUICE_EPOLL_HUP == EPOLLHUP, "epoll bits");
_Static_assert(SLUICE_EPOLL_RDHUP == EPOLLRDHUP && SLUICE_EPOLL_EXCLUSIVE == EPOLLEXCLUSIVE, "epoll bits");
_Static_assert(sizeof(sluice_event) == sizeof(struct epoll_event), "epoll_event's size");
_Static_assert(offsetof(sluice_event, token) == offsetof(struct epoll_event, data), "epoll_event's layout");

int sluice_epoll_open(void) { RESULT(epoll_create1(EPOLL_CLOEXEC)); }

int sluice_epoll_add(int epoll, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    RESULT(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

int sluice_epoll_modify(int epoll, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    RESULT(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event));
}

int sluice_epoll_remove(int epoll, int fd) { RESULT(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL)); }

int sluice_epoll_wait(int epoll, sluice_event *events, int capacity, int timeout) {
    RESULT(epoll_wait(epoll, (struct epoll_event *)events, capacity, timeout));
}

int sluice_eventfd(void) { RESULT(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }

int sluice_eventfd_add(int fd) {
    uint64_t one = 1;
    RESULT((int)write(fd, &one, sizeof one));
}

int sluice_eventfd_reset(int fd) {
    uint64_t value;
    RESULT((int)read(fd, &value, sizeof value));
}

int sluice_signalfd(const int *signals, size_t count) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < count; i++) {
        if (sigaddset(&set, signals[i]) < 0) return -errno;
    }
    int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (error != 0) return -error;
    RESULT(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

int sluice_signalfd_read(int fd) {
    struct signalfd_siginfo info;
    ssize_t n = read(fd, &info, sizeof info);
    if (n < 0) return -errno;
    return n == (ssize_t)sizeof info ? (int)info.ssi_signo : -EAGAIN;
}

int sluice_ignore_broken_pipe(void) { return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -errno : 0; }

int sluice_wait_readable(int fd, int timeout) {
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    int n = poll(&entry, 1, timeout);
    if (n < 0) return -errno;
    return n > 0 && (entry.revents & POLLNVAL) ? -EBADF : n;
}

uint64_t sluice_monotonic_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// The machine ----------------------------------------------------------------------------------------------

int64_t sluice_unix_milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int sluice_processors(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0) return -errno;
    return CPU_COUNT(&set);
}

int64_t sluice_memory(void) {
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages < 0 || size < 0 ? 0 : (int64_t)pages * size;
}

int sluice_open_file(const char *path) { RESULT(open(path, O_RDONLY | O_CLOEXEC)); }

ptrdiff_t sluice_read_file(int fd, void *buffer, size_t count) {
    ptrdiff_t result = read(fd, buffer, count);
    return result < 0 ? -errno : result;
}

// Names ----------------------------------------------------------------------------------------------------

int sluice_resolve(
    const char *host, void (*each)(void *context, const sluice_address *address), void *context, const char **reason) {
    // No AI_ADDRCONFIG: it hides loopback names on machines that have no other address. RFC 6724 sorts what cannot
    // be reached to the end anyway.
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int error = getaddrinfo(host, NULL, &hints, &list);
    if (error != 0) {
        *reason = gai_strerror(error);
        if (error == EAI_NONAME || error == EAI_NODATA) return SLUICE_RESOLVE_NOT_FOUND;
        return error == EAI_AGAIN ? SLUICE_RESOLVE_TRY_AGAIN : SLUICE_RESOLVE_FAILED;
    }
    *reason = "";
    for (struct addrinfo *info = list; info != NULL; info = info->ai_next) {
        struct sockaddr_storage storage;
        if (info->ai_addr == NULL || info->ai_addrlen > sizeof storage) continue;
        memcpy(&storage, info->ai_addr, info->ai_addrlen);
        sluice_address address;
        decode(&storage, info->ai_addrlen, &address);
        each(context, &address);
    }
    freeaddrinfo(list);
    return SLUICE_RESOLVED;
}
