// The door to what Swift cannot import, or only awkwardly: unions, packed structures, macros, variadic functions.
// Every function answers a value >= 0, or -errno; it neither retries nor decides. SluiceIO/System.swift does.
#ifndef CLINUX_H
#define CLINUX_H

// No system header that the Glibc module owns: two modules that see one structure under different macros disagree.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Errors ---------------------------------------------------------------------------------------------------

/// The sentence and the constant's name for an error number; NULL for a number nobody knows.
const char *sluice_error_text(int error);
const char *sluice_error_name(int error);

// Addresses ------------------------------------------------------------------------------------------------

enum { SLUICE_ADDRESS_NONE = 0, SLUICE_ADDRESS_V4 = 4, SLUICE_ADDRESS_V6 = 6, SLUICE_ADDRESS_UNIX = 1 };

/// `high` and `low` are the 128 bits of an IPv6 address in host order; an IPv4 address stands in them as v4-mapped.
typedef struct sluice_address {
    uint8_t kind;
    uint16_t port;
    uint64_t high;
    uint64_t low;
    char path[108];
} sluice_address;

// Sockets --------------------------------------------------------------------------------------------------

enum sluice_option {
    SLUICE_OPTION_REUSE_ADDRESS,
    SLUICE_OPTION_REUSE_PORT,
    SLUICE_OPTION_V6_ONLY,
    SLUICE_OPTION_NO_DELAY,
    SLUICE_OPTION_USER_TIMEOUT,
    SLUICE_OPTION_NOT_SENT_LOW_WATER,
    SLUICE_OPTION_RECEIVE_BUFFER,
    SLUICE_OPTION_SEND_BUFFER,
    SLUICE_OPTION_LINGER_SECONDS,
    SLUICE_OPTION_PENDING_ERROR,
    SLUICE_OPTION_KEEP_ALIVE,
    SLUICE_OPTION_KEEP_ALIVE_IDLE_SECONDS,
    SLUICE_OPTION_KEEP_ALIVE_INTERVAL_SECONDS,
    SLUICE_OPTION_KEEP_ALIVE_COUNT,
};

/// A stream socket, non-blocking and close-on-exec.
int sluice_socket(uint8_t kind);
int sluice_connect(int fd, const sluice_address *address);
int sluice_bind(int fd, const sluice_address *address);
int sluice_listen(int fd, int backlog);
int sluice_accept(int fd, sluice_address *peer);
int sluice_name(int fd, bool peer, sluice_address *address);
int sluice_set_option(int fd, enum sluice_option option, int value);
int sluice_get_option(int fd, enum sluice_option option, int *value);
int sluice_shutdown_write(int fd);
/// Bytes that were written and that the peer has not acknowledged (SIOCOUTQ).
int sluice_output_queue(int fd);

ptrdiff_t sluice_receive(int fd, void *buffer, size_t count);
/// The same bytes again come with the next call.
ptrdiff_t sluice_peek(int fd, void *buffer, size_t count);
/// Whether a read would find something: bytes, the end or an error. Nothing is taken.
bool sluice_has_input(int fd);
/// Never raises SIGPIPE.
ptrdiff_t sluice_send(int fd, const void *buffer, size_t count);

// Descriptors and files ------------------------------------------------------------------------------------

int sluice_close(int fd);
int sluice_duplicate(int fd);
int sluice_open_null(void);
int sluice_unlink(const char *path);
/// What stands at a path, links not followed: 1 a socket, 0 anything else; its device and inode.
int sluice_socket_file(const char *path, uint64_t *device, uint64_t *inode);
int sluice_limit_get(uint64_t *soft, uint64_t *hard);
int sluice_limit_set(uint64_t soft);
/// The soft limit before the first `sluice_limit_set`; 0: there was none.
uint64_t sluice_limit_first(void);

// epoll, eventfd, signalfd, clock --------------------------------------------------------------------------

int sluice_epoll_open(void);
int sluice_epoll_add(int epoll, int fd, uint32_t events, uint64_t token);
int sluice_epoll_modify(int epoll, int fd, uint32_t events, uint64_t token);
int sluice_epoll_remove(int epoll, int fd);

/// The bits of EPOLLIN and so on; clinux.c asserts them.
enum {
    SLUICE_EPOLL_IN = 0x1,
    SLUICE_EPOLL_OUT = 0x4,
    SLUICE_EPOLL_ERR = 0x8,
    SLUICE_EPOLL_HUP = 0x10,
    SLUICE_EPOLL_RDHUP = 0x2000,
    SLUICE_EPOLL_EXCLUSIVE = 0x10000000,
};

/// `struct epoll_event`, which is packed on one architecture and padded on the others; clinux.c asserts it.
typedef struct sluice_event {
    uint32_t flags;
    uint64_t token;
}
#if defined(__x86_64__)
__attribute__((packed))
#endif
sluice_event;

int sluice_epoll_wait(int epoll, sluice_event *events, int capacity, int timeout);

int sluice_eventfd(void);
int sluice_eventfd_add(int fd);
int sluice_eventfd_reset(int fd);

/// Blocks the signals in this thread, and in those it starts, and opens a descriptor that reports them.
int sluice_signalfd(const int *signals, size_t count);
/// The next signal's number, -EAGAIN when none waits.
int sluice_signalfd_read(int fd);
int sluice_ignore_broken_pipe(void);
/// Waits until a descriptor can be read: 1 yes, 0 the timeout (-1: for ever).
int sluice_wait_readable(int fd, int timeout);

uint64_t sluice_monotonic_nanoseconds(void);

// The machine ----------------------------------------------------------------------------------------------

/// Milliseconds since 1970, UTC.
int64_t sluice_unix_milliseconds(void);
/// Processors that this process may run on.
int sluice_processors(void);
/// Bytes of physical memory; 0 where the system does not say.
int64_t sluice_memory(void);
/// Opens a file for reading.
int sluice_open_file(const char *path);
ptrdiff_t sluice_read_file(int fd, void *buffer, size_t count);
/// Opens a file to append to, made with mode 0640 where it is missing.
int sluice_open_append(const char *path);
ptrdiff_t sluice_write_file(int fd, const void *buffer, size_t count);
enum { SLUICE_FILE_OTHER = 0, SLUICE_FILE_REGULAR = 1, SLUICE_FILE_FOLDER = 2 };

/// What stands at a path, links followed, and which file it is.
int sluice_path_kind(const char *path, uint64_t *device, uint64_t *inode);
int sluice_descriptor_kind(int fd, uint64_t *device, uint64_t *inode);
/// Waits until a descriptor takes bytes, or says why it does not: 1 yes, 0 the timeout.
int sluice_wait_writable(int fd, int timeout);
/// Lets writes of this thread to a pipe that nobody reads fail, whatever the program does with SIGPIPE.
int sluice_block_broken_pipe(void);

// Files below a folder -------------------------------------------------------------------------------------

typedef struct sluice_file_status {
    uint8_t kind;
    uint64_t size;
    uint64_t inode;
    int64_t modified_seconds;
    uint32_t modified_nanoseconds;
} sluice_file_status;

/// Opens a folder only to open what is in it.
int sluice_open_folder(const char *path);
/// Opens what stands at a path below a folder, for reading and without waiting. Nothing on the way, links included,
/// may lead out of the folder (openat2: -ENOSYS, or -EPERM from a filter that does not know it).
int sluice_open_below(int folder, const char *path);
/// The same for one name, which may not be a link. Without `last` it is a folder on the way.
int sluice_open_name(int folder, const char *name, bool last);
int sluice_file_status_of(int fd, sluice_file_status *status);
/// Reads from a place of a file. A place that no file can have is -EINVAL.
ptrdiff_t sluice_read_at(int fd, void *buffer, size_t count, uint64_t place);

// Processes ------------------------------------------------------------------------------------------------

/// What a new process becomes. Blocks are strings one behind the other, each with its NUL.
typedef struct sluice_command {
    /// The program's file; a relative one starts at `directory`.
    const char *program;
    /// NULL: this process's.
    const char *directory;
    const char *arguments;
    size_t argument_count;
    /// NAME=value, in place of this process's variable of that name, or beside them.
    const char *variables;
    size_t variable_count;
} sluice_command;

/// What could not be done.
enum { SLUICE_SPAWN_PROCESS = 0, SLUICE_SPAWN_DIRECTORY = 1, SLUICE_SPAWN_PROGRAM = 2 };

typedef struct sluice_child {
    int32_t pid;
    /// A pidfd: readable when the process ended.
    int process;
    /// The reading ends of its standard output and standard error, non-blocking.
    int output;
    int errors;
    /// When it could not be started.
    int step;
} sluice_child;

/// Starts a program in a group of its own, with nothing open but 0 (/dev/null), 1 and 2 (pipes), no signal blocked or
/// ignored. It is killed when the thread that started it ends.
int sluice_spawn(const sluice_command *command, sluice_child *child);

enum { SLUICE_CHILD_RUNS = 0, SLUICE_CHILD_EXITED = 1, SLUICE_CHILD_SIGNALLED = 2 };

/// Whether a process ended, and how: its exit status, or the signal that ended it. Without `reap` its number stays
/// taken; -ECHILD when somebody else has reaped it.
int sluice_child_state(int process, bool reap, int *status);
/// Sends a signal to all of the group that a process leads.
int sluice_signal_group(int32_t pid, int signal);
/// 0 when a path is a file that may be run.
int sluice_program_file(const char *path);
/// An environment variable, or NULL.
const char *sluice_variable(const char *name);

// Threads --------------------------------------------------------------------------------------------------

int sluice_thread_start(uintptr_t *thread, const char *name, void (*body)(void *), void *context);
void sluice_thread_join(uintptr_t thread);
void sluice_thread_detach(uintptr_t thread);

/// A mutex with a condition that knows the monotonic clock.
typedef struct sluice_monitor sluice_monitor;
sluice_monitor *sluice_monitor_make(void);
void sluice_monitor_free(sluice_monitor *monitor);
void sluice_monitor_lock(sluice_monitor *monitor);
void sluice_monitor_unlock(sluice_monitor *monitor);
/// Waits for a broadcast, or until a monotonic time; UINT64_MAX: for ever. May come back for no reason.
void sluice_monitor_wait(sluice_monitor *monitor, uint64_t until_milliseconds);
void sluice_monitor_broadcast(sluice_monitor *monitor);

// Names ----------------------------------------------------------------------------------------------------

enum {
    SLUICE_RESOLVED = 0,
    SLUICE_RESOLVE_NOT_FOUND = 1,
    SLUICE_RESOLVE_TRY_AGAIN = 2,
    SLUICE_RESOLVE_FAILED = 3,
};

/// getaddrinfo: calls `each` for every address, in the order RFC 6724 gives them. `reason` is a static string.
int sluice_resolve(
    const char *host, void (*each)(void *context, const sluice_address *address), void *context, const char **reason);

#endif
