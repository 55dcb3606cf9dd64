#define _GNU_SOURCE 1
#include "clinux.h"
#include "result.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// A FIFO or a device at the path must not hold the loop up, or become the terminal.
#define READING (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

int sluice_open_folder(const char *path) { RESULT(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC)); }

int sluice_open_below(int folder, const char *path) {
    // `struct open_how` and the values of <linux/openat2.h>, which older systems do not have.
    const struct {
        uint64_t flags, mode, resolve;
    } how = {.flags = READING, .resolve = 0x02 /* RESOLVE_NO_MAGICLINKS */ | 0x08 /* RESOLVE_BENEATH */};
#ifdef SYS_openat2
    RESULT((int)syscall(SYS_openat2, folder, path, &how, sizeof how));
#else
    RESULT((int)syscall(437, folder, path, &how, sizeof how));
#endif
}

int sluice_open_name(int folder, const char *name, bool last) {
    RESULT(openat(folder, name, O_NOFOLLOW | (last ? READING : O_PATH | O_DIRECTORY | O_CLOEXEC)));
}

int sluice_file_status_of(int fd, sluice_file_status *status) {
    struct stat found;
    if (fstat(fd, &found) < 0) return -errno;
    status->kind = S_ISREG(found.st_mode)   ? SLUICE_FILE_REGULAR
                   : S_ISDIR(found.st_mode) ? SLUICE_FILE_FOLDER
                                            : SLUICE_FILE_OTHER;
    status->size = found.st_size < 0 ? 0 : (uint64_t)found.st_size;
    status->inode = found.st_ino;
    status->modified_seconds = found.st_mtim.tv_sec;
    status->modified_nanoseconds = (uint32_t)found.st_mtim.tv_nsec;
    return 0;
}

ptrdiff_t sluice_read_at(int fd, void *buffer, size_t count, uint64_t place) {
    if (place > INT64_MAX) return -EINVAL;
    ptrdiff_t result = pread(fd, buffer, count, (off_t)place);
    return result < 0 ? -errno : result;
}
