#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "page.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NEW ".new"
#define ALIGNED(bytes) (((bytes) + 4095) & ~(size_t)4095)

static uint64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Field 22 of /proc/self/stat; 0: it cannot be read. */
static uint64_t start_ticks(void) {
    char text[1024];
    unsigned long long ticks = 0;
    int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0) return 0;
    text[length] = '\0';
    const char* at = strrchr(text, ')'); /* the name may have spaces */
    for (int field = 2; at != NULL && field < 22; field++) {
        at = strchr(at, ' ');
        if (at != NULL) at++;
    }
    if (at == NULL || sscanf(at, "%llu", &ticks) != 1) return 0;
    return ticks;
}

/* Not program_invocation_short_name: servers write over their arguments, of which that is a part. */
static void process_name(char* name, size_t room) {
    int file = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    ssize_t length = read(file, name, room - 1);
    close(file);
    name[length > 0 ? length : 0] = '\0';
    name[strcspn(name, "\n")] = '\0';
}

/* Whether the folder above is the user's or the system's: another user could put a link in the place of what is in it.
 */
static int parent_is_trusted(const char* path) {
    char parent[256];
    struct stat found;
    const size_t length = (size_t)(strrchr(path, '/') - path);
    if (length == 0 || length >= sizeof parent) return 0;
    memcpy(parent, path, length);
    parent[length] = '\0';
    return stat(parent, &found) == 0 && (found.st_uid == geteuid() || found.st_uid == 0);
}

/* A descriptor of the folder, made if need be; negative errno where it is not the user's alone. */
static int open_directory(const char* path) {
    struct stat found;
    if (path[0] != '/') return -EINVAL;
    if (!parent_is_trusted(path)) return -EPERM;
    if (mkdir(path, 0700) != 0 && errno != EEXIST) return -errno;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0) return -errno;
    if (fstat(folder, &found) == 0 && found.st_uid == geteuid() && (found.st_mode & 077) == 0) return folder;
    close(folder);
    return -EPERM;
}

/* Whether the agent of a living process has this file: it keeps a lock of it (hold()), which goes with the process.
 * That alone tells where processes have other ids here, in another PID namespace. */
static int is_held(int folder, const char* name) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    int file = openat(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return 0;
    const int is_locked = fcntl(file, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(file);
    return is_locked;
}

/* The lock is the open file's, not the process's: exec and the end of the thread give it back as well. */
static int hold(int file) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    return fcntl(file, F_OFD_SETLK, &lock);
}

/* Removes the files of processes that are gone without having done so: killed, or ended by _exit(). The C library's
 * opendir() would allocate. */
static void sweep(int folder) {
    struct entry { /* struct linux_dirent64 */
        uint64_t inode, next;
        unsigned short bytes;
        unsigned char kind;
        char name[];
    };
    _Alignas(8) char buffer[4096];
    long length;
    while ((length = syscall(SYS_getdents64, folder, buffer, sizeof buffer)) > 0) {
        for (long at = 0; at < length;) {
            const struct entry* entry = (const struct entry*)(buffer + at);
            char* rest;
            const long pid = strtol(entry->name, &rest, 10);
            const int is_ours = strcmp(rest, ".damon") == 0 || strcmp(rest, ".damon.new") == 0;
            if (pid > 0 && pid <= INT32_MAX && is_ours && kill((pid_t)pid, 0) != 0 && errno == ESRCH &&
                !is_held(folder, entry->name))
                unlinkat(folder, entry->name, 0);
            at += entry->bytes;
        }
    }
}

/* A new file of that size, all of it there; negative errno. -EEXIST: a process of another PID namespace, with the same
 * id there, has its file here. */
static int make_file(const char* path, const char* name, size_t bytes) {
    struct rlimit limit;
    char shown[32] = "";
    int folder = open_directory(path);
    if (folder < 0) return folder;
    memcpy(shown, name, strlen(name) - strlen(NEW));
    if (is_held(folder, shown) || is_held(folder, name)) {
        close(folder);
        return -EEXIST;
    }
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < bytes) { /* would be a signal */
        close(folder);
        return -EFBIG;
    }
    sweep(folder);
    unlinkat(folder, name, 0); /* of an agent that was ended before its file was complete */
    int file = openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int error = file < 0 ? errno : 0;
    if (file >= 0) {
        (void)hold(file); /* first: until then another's sweep() would take it for one that was left */
        error = fchmod(file, 0600) != 0 ? errno : posix_fallocate(file, 0, (off_t)bytes);
        if (error != 0) {
            unlinkat(folder, name, 0);
            close(file);
        }
    }
    close(folder);
    return error != 0 ? -error : file;
}

/* Under the name of a file that is not complete yet: show() gives it its own. */
static int map_file(struct page* page, const char* directory, size_t bytes, int keeps_file) {
    char name[32];
    snprintf(name, sizeof name, "%d.damon" NEW, (int)getpid());
    if (snprintf(page->path, sizeof page->path, "%s/%s", directory, name) >= (int)sizeof page->path)
        return -ENAMETOOLONG;
    int file = make_file(directory, name, bytes);
    if (file < 0) return file;
    void* mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    int error = errno;
    if (mapped == MAP_FAILED || !keeps_file) {
        close(file);
        file = -1;
    }
    if (mapped == MAP_FAILED) {
        unlink(page->path);
        return -error;
    }
    page->file = file;
    madvise(mapped, bytes, MADV_DONTFORK); /* a child must not write to it */
    madvise(mapped, bytes, MADV_DONTDUMP);
    page->header = mapped;
    page->bytes = bytes;
    return 0;
}

static int open_somewhere(struct page* page, const struct page_folders* folders, size_t bytes, int keeps_file) {
    const unsigned uid = (unsigned)geteuid();
    char paths[4][256] = {"", "", "", ""};
    int error = -ENOENT;
    snprintf(paths[0], sizeof paths[0], "%s", folders->first);
    if (folders->runtime[0] != '\0') snprintf(paths[1], sizeof paths[1], "%s/damon", folders->runtime);
    snprintf(paths[2], sizeof paths[2], "/dev/shm/damon-%u", uid);
    snprintf(paths[3], sizeof paths[3], "/tmp/damon-%u", uid);
    for (int i = 0; i < 4; i++) {
        if (paths[i][0] == '\0') continue;
        int failed = map_file(page, paths[i], bytes, keeps_file);
        if (failed == 0) return 0;
        error = failed;
    }
    return error;
}

static void write_header(struct page* page, size_t mailbox, size_t snapshot, size_t ring) {
    struct damon_agent_header* header = page->header;
    const struct damon_agent_sizes sizes = {sizeof(struct damon_region_info), sizeof(struct damon_snapshot_info),
                                            sizeof(struct damon_attrs),       sizeof(struct damon_state_info),
                                            sizeof(struct damon_ctx_stats),   sizeof(struct damos_params),
                                            sizeof(struct damos_stat),        sizeof(struct damon_action_stats),
                                            sizeof(struct damos_filter),      sizeof(struct damos_quota_goal)};
    header->version = DAMON_AGENT_VERSION;
    header->header_bytes = sizeof *header;
    header->file_bytes = page->bytes;
    header->pid = (int32_t)getpid();
    header->uid = (uint32_t)geteuid();
    header->start_ticks = start_ticks();
    header->made_ns = clock_ns(CLOCK_MONOTONIC);
    header->made_wall_ns = clock_ns(CLOCK_REALTIME);
    header->mailbox_offset = mailbox;
    header->snapshot_offset = snapshot;
    header->region_cap = page->region_cap;
    header->ring_offset = ring;
    header->ring_bytes = page->ring_bytes;
    header->sizes = sizes;
    process_name(header->program, sizeof header->program);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    memcpy(header->magic, DAMON_AGENT_MAGIC, sizeof header->magic); /* last: until then it is no such file */
}

/* Under its own name, in place of the file of the program that this process was before exec. Whoever finds it there
 * finds all of it: not one without a header, which a reader would have to refuse. */
static int show(struct page* page) {
    char path[sizeof page->path];
    const size_t length = strlen(page->path) - strlen(NEW);
    memcpy(path, page->path, length);
    path[length] = '\0';
    if (rename(page->path, path) != 0) {
        const int error = -errno;
        unlink(page->path);
        page_unmap(page);
        return error;
    }
    memcpy(page->path, path, length + 1);
    return 0;
}

int page_open(struct page* page, const struct page_folders* folders, size_t region_cap, uint64_t ring_bytes,
              int keeps_file) {
    const size_t mailbox = ALIGNED(sizeof(struct damon_agent_header));
    const size_t snapshot = mailbox + ALIGNED(sizeof(struct damon_agent_mailbox));
    const size_t ring =
        snapshot + ALIGNED(sizeof(struct damon_agent_snapshot) + region_cap * sizeof(struct damon_region_info));
    memset(page, 0, sizeof *page);
    int error = open_somewhere(page, folders, ring + ring_bytes, keeps_file);
    if (error != 0) return error;
    unsigned char* base = (unsigned char*)page->header;
    page->mailbox = (void*)(base + mailbox);
    page->snapshot = (void*)(base + snapshot);
    page->regions = (void*)(page->snapshot + 1);
    page->ring = base + ring;
    page->region_cap = region_cap;
    page->ring_bytes = ring_bytes;
    write_header(page, mailbox, snapshot, ring);
    return show(page);
}

void page_begin(struct page* page) {
    __atomic_store_n(&page->snapshot->lock, ++page->lock, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE); /* odd before what follows */
}

void page_end(struct page* page) { __atomic_store_n(&page->snapshot->lock, ++page->lock, __ATOMIC_RELEASE); }

/* Makes room for so many bytes, which do not wrap. Their place in the ring. */
static unsigned char* ring_room(struct page* page, uint64_t bytes) {
    uint64_t at = page->ring_head % page->ring_bytes, rest = page->ring_bytes - at;
    uint64_t padding = rest < bytes ? rest : 0;
    while (page->ring_tail + page->ring_bytes < page->ring_head + padding + bytes) {
        uint32_t oldest;
        memcpy(&oldest, page->ring + page->ring_tail % page->ring_bytes, sizeof oldest);
        /* Another process wrote into the ring: begin anew. */
        if (oldest < 8 || oldest % 8 != 0 || oldest > page->ring_head - page->ring_tail)
            page->ring_tail = page->ring_head;
        else
            page->ring_tail += oldest;
    }
    __atomic_store_n(&page->header->ring_tail, page->ring_tail, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* readers learn that it is overwritten before it is */
    if (padding != 0) {
        const uint32_t head[2] = {(uint32_t)padding, DAMON_AGENT_PADDING};
        memcpy(page->ring + at, head, sizeof head);
        page->ring_head += padding;
        at = 0;
    }
    return page->ring + at;
}

void page_append(struct page* page, struct damon_agent_record* record, const struct damon_region_info* regions) {
    const size_t region_bytes = record->nr_regions * sizeof *regions;
    const size_t bytes = (sizeof *record + region_bytes + 7) & ~(size_t)7;
    record->bytes = (uint32_t)bytes;
    record->kind = DAMON_AGENT_WINDOW;
    record->number = ++page->nr_records;
    if (bytes > page->ring_bytes / 2) return; /* does not fit: a gap in the numbers */
    unsigned char* place = ring_room(page, bytes);
    memcpy(place, record, sizeof *record);
    memcpy(place + sizeof *record, regions, region_bytes);
    page->ring_head += bytes;
    __atomic_store_n(&page->header->nr_records, page->nr_records, __ATOMIC_RELAXED);
    __atomic_store_n(&page->header->ring_head, page->ring_head, __ATOMIC_RELEASE);
}

void page_retire(struct page* page, int remove) {
    __atomic_store_n(&page->header->ended, 1, __ATOMIC_RELEASE);
    if (remove) unlink(page->path);
}

void page_unmap(struct page* page) {
    munmap(page->header, page->bytes);
    page->header = NULL;
    if (page->file >= 0) close(page->file);
    page->file = -1;
}
