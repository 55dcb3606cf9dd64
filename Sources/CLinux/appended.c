#define _GNU_SOURCE 1
#include "clinux.h"
#include "result.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

int sluice_open_append(const char *path) {
    // Non-blocking for the sake of a named pipe, which would hold up who opens it until somebody reads.
    RESULT(open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640));
}

ptrdiff_t sluice_write_file(int fd, const void *buffer, size_t count) {
    ptrdiff_t result = write(fd, buffer, count);
    return result < 0 ? -errno : result;
}

static int identity(int result, const struct stat *status, uint64_t *device, uint64_t *inode) {
    if (result < 0) return -errno;
    *device = status->st_dev;
    *inode = status->st_ino;
    if (S_ISREG(status->st_mode)) return SLUICE_FILE_REGULAR;
    return S_ISDIR(status->st_mode) ? SLUICE_FILE_FOLDER : SLUICE_FILE_OTHER;
}

int sluice_path_kind(const char *path, uint64_t *device, uint64_t *inode) {
    struct stat status;
    return identity(stat(path, &status), &status, device, inode);
}

int sluice_descriptor_kind(int fd, uint64_t *device, uint64_t *inode) {
    struct stat status;
    return identity(fstat(fd, &status), &status, device, inode);
}

int sluice_wait_writable(int fd, int timeout) {
    struct pollfd entry = {.fd = fd, .events = POLLOUT};
    int n = poll(&entry, 1, timeout);
    if (n < 0) return -errno;
    return n > 0 && (entry.revents & POLLNVAL) ? -EBADF : n;
}

int sluice_block_broken_pipe(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    return -pthread_sigmask(SIG_BLOCK, &set, NULL);
}
