// What the server's processes cost, from /proc.
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

static int processes[256], count;

// Calls `each` with every thread of a process.
static void for_threads(int process, void (*each)(int process, const char *thread)) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", process);
    DIR *folder = opendir(path);
    if (!folder) return;
    for (struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.') each(process, entry->d_name);
    closedir(folder);
}

static void add(int process);

static void add_children(int process, const char *thread) {
    char path[400];
    snprintf(path, sizeof path, "/proc/%d/task/%s/children", process, thread);
    FILE *file = fopen(path, "r");
    if (!file) return;
    for (int child; fscanf(file, "%d", &child) == 1;) add(child);
    fclose(file);
}

static void add(int process) {
    if (count == 256) return;
    processes[count++] = process;
    for_threads(process, add_children);
}

// nginx does its work in a child.
void find_server(const char *list) {
    char *copy = strdup(list);
    for (char *process = strtok(copy, ","); process; process = strtok(NULL, ",")) add(atoi(process));
    free(copy);
}

static double seconds;

static void add_seconds(int process, const char *thread) {
    char path[400];
    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", process, thread);
    FILE *file = fopen(path, "r");
    if (!file) return;
    unsigned long long nanoseconds;
    if (fscanf(file, "%llu", &nanoseconds) == 1) seconds += (double)nanoseconds / SECOND;
    fclose(file);
}

double server_seconds(void) {
    seconds = 0;
    for (int index = 0; index < count; index++) for_threads(processes[index], add_seconds);
    return seconds;
}

// Memory that is shared counts in parts (PSS).
long server_kilobytes(void) {
    long sum = 0;
    for (int index = 0; index < count; index++) {
        char path[64], line[256];
        snprintf(path, sizeof path, "/proc/%d/smaps_rollup", processes[index]);
        FILE *file = fopen(path, "r");
        long kilobytes;
        while (file && fgets(line, sizeof line, file))
            if (sscanf(line, "Pss: %ld", &kilobytes) == 1) sum += kilobytes;
        if (file) fclose(file);
    }
    return sum;
}

// Cheap enough to be asked for all the time.
long server_resident_kilobytes(void) {
    long sum = 0;
    for (int index = 0; index < count; index++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/statm", processes[index]);
        FILE *file = fopen(path, "r");
        long pages;
        if (file && fscanf(file, "%*d %ld", &pages) == 1) sum += pages * (sysconf(_SC_PAGESIZE) / 1024);
        if (file) fclose(file);
    }
    return sum;
}
