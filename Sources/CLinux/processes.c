#define _GNU_SOURCE 1
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// glibc 2.36 has some of these, older ones none.
#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

extern char **environ;

/// All that the new process needs before it becomes another program; made before, since nothing can be made there.
struct plan {
    const char *program;
    const char *directory;
    char **arguments;
    char **environment;
    int input;
    int output;
    int errors;
    pid_t parent;
    /// The soft limit of open files, as it was before we raised ours; 0: we did not.
    uint64_t open_files;
    /// Written by the child, which shares this memory until it is another program.
    volatile int step;
    volatile int error;
};

static _Noreturn void give_up(struct plan *plan, int step) {
    plan->step = step;
    plan->error = errno;
    _exit(127);
}

/// The child's side. It shares the memory with its parent, whose thread waits: only calls to the kernel, no return.
static _Noreturn void become(struct plan *plan) {
    if (setpgid(0, 0) < 0) give_up(plan, SLUICE_SPAWN_PROCESS);
    // The parent is the thread that starts it: when that ends, or the whole process is killed, so is this one.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) give_up(plan, SLUICE_SPAWN_PROCESS);
    if (getppid() != plan->parent) {
        errno = ESRCH;
        give_up(plan, SLUICE_SPAWN_PROCESS);
    }
    // Handlers first, then the mask: no handler may run in memory that is the parent's.
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int signal = 1; signal < _NSIG; signal++) sigaction(signal, &standard, NULL);
    if (dup2(plan->input, 0) < 0 || dup2(plan->output, 1) < 0 || dup2(plan->errors, 2) < 0) {
        give_up(plan, SLUICE_SPAWN_PROCESS);
    }
    // Ours are all close-on-exec; those of a program that embeds this may not be.
    if (syscall(SYS_close_range, 3u, ~0u, 0u) < 0) give_up(plan, SLUICE_SPAWN_PROCESS);
    // A program that uses select() or closes all descriptors one by one is not made for ours.
    struct rlimit limit;
    if (plan->open_files > 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0 && plan->open_files <= limit.rlim_max) {
        limit.rlim_cur = plan->open_files;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (plan->directory != NULL && chdir(plan->directory) < 0) give_up(plan, SLUICE_SPAWN_DIRECTORY);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(plan->program, plan->arguments, plan->environment);
    give_up(plan, SLUICE_SPAWN_PROGRAM);
}

/// Pointers to the strings of a block, one behind the other, each with its NUL; NULL is the last.
static char **split(const char *block, size_t count) {
    char **strings = calloc(count + 1, sizeof *strings);
    if (strings == NULL) return NULL;
    for (size_t i = 0; i < count; i++) {
        strings[i] = (char *)block;
        block += strlen(block) + 1;
    }
    return strings;
}

static bool names_same(const char *one, const char *other) {
    size_t length = strcspn(one, "=");
    return strncmp(one, other, length) == 0 && other[length] == '=';
}

/// This process's variables, but for those that `more` has, then `more`.
static char **merge(char **more, size_t count) {
    size_t inherited = 0;
    while (environ != NULL && environ[inherited] != NULL) inherited++;
    char **merged = calloc(inherited + count + 1, sizeof *merged);
    if (merged == NULL) return NULL;
    size_t used = 0;
    for (size_t i = 0; i < inherited; i++) {
        bool replaced = false;
        for (size_t k = 0; k < count; k++) replaced = replaced || names_same(environ[i], more[k]);
        if (!replaced) merged[used++] = environ[i];
    }
    for (size_t k = 0; k < count; k++) merged[used++] = more[k];
    return merged;
}

/// A descriptor that none of 0, 1 and 2 can be, for dup2 must not meet its own source.
static int beyond_standard(int fd) {
    if (fd < 0 || fd > 2) return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    int error = errno;
    close(fd);
    errno = error;
    return moved;
}

static int open_pipe(int ends[2]) {
    if (pipe2(ends, O_CLOEXEC) < 0) return -1;
    ends[0] = beyond_standard(ends[0]);
    ends[1] = beyond_standard(ends[1]);
    // Only our end does not block: the program expects an ordinary pipe.
    if (ends[0] < 0 || ends[1] < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) return -1;
    return 0;
}

static void close_open(int fd) {
    int error = errno;
    if (fd >= 0) close(fd);
    errno = error;
}

static pid_t start(struct plan *plan) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    // vfork, since a fork copies the page tables of all our memory; the child runs `become` and never returns.
    pid_t child = vfork();
    if (child == 0) become(plan);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return child;
}

int sluice_spawn(const sluice_command *command, sluice_child *child) {
    struct plan plan = {
        .program = command->program,
        .directory = command->directory,
        .parent = getpid(),
        .open_files = sluice_limit_first(),
    };
    int output[2] = {-1, -1}, errors[2] = {-1, -1}, process = -1;
    pid_t pid = -1;
    child->step = SLUICE_SPAWN_PROCESS;
    plan.input = -1;
    plan.arguments = split(command->arguments, command->argument_count);
    char **more = split(command->variables, command->variable_count);
    plan.environment = more == NULL ? NULL : merge(more, command->variable_count);
    if (plan.arguments == NULL || plan.environment == NULL) {
        errno = ENOMEM;
        goto done;
    }
    plan.input = beyond_standard(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (plan.input < 0 || open_pipe(output) < 0 || open_pipe(errors) < 0) goto done;
    plan.output = output[1];
    plan.errors = errors[1];
    pid = start(&plan);
    if (pid < 0) goto done;
    if (plan.error != 0) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
        child->step = plan.step;
        errno = plan.error;
        pid = -1;
        goto done;
    }
    process = (int)syscall(SYS_pidfd_open, pid, 0);
    if (process < 0) {
        int error = errno;
        kill(-pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
        errno = error;
        pid = -1;
    }
done:;
    int error = errno;
    free(plan.arguments);
    free(plan.environment);
    free(more);
    close_open(plan.input);
    close_open(output[1]);
    close_open(errors[1]);
    if (pid < 0) {
        close_open(output[0]);
        close_open(errors[0]);
        return -error;
    }
    *child = (sluice_child){.pid = pid, .process = process, .output = output[0], .errors = errors[0]};
    return 0;
}

int sluice_child_state(int process, bool reap, int *status) {
    siginfo_t info = {0};
    int options = WEXITED | WNOHANG | (reap ? 0 : WNOWAIT);
    if (waitid(P_PIDFD, (id_t)process, &info, options) < 0) return -errno;
    if (info.si_pid == 0) return SLUICE_CHILD_RUNS;
    *status = info.si_status;
    return info.si_code == CLD_EXITED ? SLUICE_CHILD_EXITED : SLUICE_CHILD_SIGNALLED;
}

int sluice_signal_group(int32_t pid, int signal) {
    // 0 would be our own group, 1 everybody.
    if (pid <= 1) return -EINVAL;
    return kill(-pid, signal) < 0 ? -errno : 0;
}

int sluice_program_file(const char *path) {
    struct stat status;
    if (stat(path, &status) < 0) return -errno;
    if (!S_ISREG(status.st_mode)) return -EACCES;
    return access(path, X_OK) < 0 ? -errno : 0;
}

const char *sluice_variable(const char *name) { return getenv(name); }
