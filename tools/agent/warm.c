#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "warm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAGIC "DAMONWRM"
#define MOST_BYTES ((size_t)64 << 20)
#define PATIENCE_MS 600000u /* for the program's memory to be there again */
#define LOOK_MS 500u
#define MIB(bytes) ((unsigned long long)((bytes) >> 20))

/* What stands before the bytes of damon_ctx_save(), which have a checksum of their own. */
struct warm_head {
    char magic[8];
    uint32_t version, head_bytes;
    uint64_t rss_bytes;
    uint64_t learned_bytes;
};

static uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void warm_name(struct warm* warm, const char* text) {
    char* rest = NULL;
    const long pid = text != NULL ? strtol(text, &rest, 10) : 0;
    if (pid == 0 || (pid != (long)getpid() && -pid != (long)getppid())) return;
    if (rest == NULL || *rest != ':' || strlen(rest + 1) >= sizeof warm->path) return;
    strcpy(warm->path, rest + 1);
}

void warm_forget(struct warm* warm) {
    if (warm->bytes != NULL) munmap(warm->bytes, warm->mapped);
    warm->bytes = NULL;
}

static void refuse(const struct warm* warm, const char* why, char* text, size_t room) {
    snprintf(text, room, "no warm start: %.100s %s", warm->path, why);
}

/* All of it; 0 or a negative errno. */
static int read_all(int file, unsigned char* to, size_t bytes) {
    for (size_t at = 0; at < bytes;) {
        const ssize_t got = read(file, to + at, bytes - at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -errno;
        if (got == 0) return -EIO;
        at += (size_t)got;
    }
    return 0;
}

static int write_all(int file, const void* from, size_t bytes) {
    for (size_t at = 0; at < bytes;) {
        const ssize_t put = write(file, (const char*)from + at, bytes - at);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return -errno;
        at += (size_t)put;
    }
    return 0;
}

/* Why the file is not to be believed; NULL: it is the user's own, and has such a size. */
static const char* distrust(const struct stat* found) {
    if (!S_ISREG(found->st_mode)) return "is no regular file";
    if (found->st_uid != geteuid()) return "belongs to another user";
    if ((size_t)found->st_size > MOST_BYTES) return "is larger than 64 MiB";
    return (size_t)found->st_size < sizeof(struct warm_head) ? "is cut short" : NULL;
}

void warm_load(struct warm* warm, char* text, size_t room) {
    struct stat found;
    struct warm_head head;
    warm->began_ms = warm->saved_at_ms = now_ms();
    if (warm->path[0] == '\0') return;
    const int file = open(warm->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) {
        if (errno != ENOENT) refuse(warm, damon_strerror(-errno), text, room);
        return;
    }
    const char* why = fstat(file, &found) != 0 ? "cannot be looked at" : distrust(&found);
    void* mapped = MAP_FAILED;
    if (why == NULL) {
        warm->mapped = (size_t)found.st_size;
        mapped = mmap(NULL, warm->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (mapped == MAP_FAILED || read_all(file, mapped, warm->mapped) != 0) why = "cannot be read";
    }
    close(file);
    if (why == NULL) {
        memcpy(&head, mapped, sizeof head);
        if (memcmp(head.magic, MAGIC, sizeof head.magic) != 0 || head.version != 1 || head.head_bytes != sizeof head ||
            head.learned_bytes != warm->mapped - sizeof head)
            why = "is none of this release's warm starts, or is damaged";
    }
    warm->bytes = mapped == MAP_FAILED ? NULL : mapped;
    if (why != NULL) {
        refuse(warm, why, text, room);
        warm_forget(warm);
        return;
    }
    warm->wanted_rss = head.rss_bytes;
    snprintf(text, room, "warm start: waits until the %llu MiB that were resident are again", MIB(warm->wanted_rss));
}

/* Nine tenths of what was resident. */
static int has_back(const struct warm* warm, uint64_t rss_bytes) {
    return rss_bytes >= warm->wanted_rss - warm->wanted_rss / 10;
}

/* Whether the program has its memory back, and hardly grows any more. */
static int is_back(struct warm* warm, uint64_t rss_bytes) {
    const uint64_t before = warm->seen_rss;
    warm->seen_rss = rss_bytes;
    return has_back(warm, rss_bytes) && before != 0 && rss_bytes <= before + warm->wanted_rss / 100;
}

static void take_over(struct warm* warm, damon_ctx* ctx, uint64_t rss_bytes, char* text, size_t room) {
    char why[160] = "";
    const uint64_t now = now_ms();
    if (now - warm->looked_at_ms < LOOK_MS) return;
    warm->looked_at_ms = now;
    const int is_late = now - warm->began_ms >= PATIENCE_MS;
    if (!is_back(warm, rss_bytes)) {
        /* The first window after the restore needs mappings that an update before has seen. */
        if (has_back(warm, rss_bytes)) (void)damon_ctx_refresh(ctx);
        if (!is_late) return;
        snprintf(text, room, "no warm start: %llu MiB are resident, and %llu MiB were", MIB(rss_bytes),
                 MIB(warm->wanted_rss));
        warm_forget(warm);
        return;
    }
    const struct warm_head* head = (const struct warm_head*)warm->bytes;
    const int error = damon_ctx_restore(ctx, warm->bytes + sizeof *head, warm->mapped - sizeof *head);
    if (error == -ENOENT && !is_late) return; /* mappings may still come */
    if (error != 0 && damon_ctx_errmsg(ctx, why, sizeof why) <= 0)
        snprintf(why, sizeof why, "%s", damon_strerror(error));
    if (error != 0)
        snprintf(text, room, "no warm start: %s", why);
    else
        snprintf(text, room, "warm start: took over what was learned, %llu ms after the start",
                 (unsigned long long)(now - warm->began_ms));
    warm->saved_at_ms = now;
    warm_forget(warm);
}

void warm_go_on(struct warm* warm, damon_ctx* ctx, uint64_t rss_bytes, char* text, size_t room) {
    if (warm->path[0] == '\0' || ctx == NULL) return;
    if (warm->bytes != NULL) {
        take_over(warm, ctx, rss_bytes, text, room);
        return;
    }
    if (warm->every_ms == 0 || now_ms() - warm->saved_at_ms < warm->every_ms) return;
    char why[160];
    if (warm_save(warm, ctx, rss_bytes, why, sizeof why) != 0) snprintf(text, room, "%s", why);
}

/* A new file in the place of the old one. */
static int write_file(const struct warm* warm, const struct warm_head* head, const void* learned) {
    char name[sizeof warm->path + 24];
    struct rlimit limit;
    const size_t bytes = sizeof *head + (size_t)head->learned_bytes;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < bytes) return -EFBIG; /* would be a signal */
    snprintf(name, sizeof name, "%s.%d.new", warm->path, (int)getpid());
    unlink(name);
    const int file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) return -errno;
    int error = write_all(file, head, sizeof *head);
    if (error == 0) error = write_all(file, learned, (size_t)head->learned_bytes);
    close(file);
    if (error == 0 && rename(name, warm->path) != 0) error = -errno;
    if (error != 0) unlink(name);
    return error;
}

int warm_save(struct warm* warm, const damon_ctx* ctx, uint64_t rss_bytes, char* text, size_t room) {
    struct warm_head head = {MAGIC, 1, sizeof head, rss_bytes, 0};
    void* learned = MAP_FAILED;
    size_t size = 0;
    if (warm->bytes != NULL) {
        snprintf(text, room, "nothing is saved before %.100s is taken over", warm->path);
        return -EAGAIN;
    }
    warm->saved_at_ms = now_ms();
    int64_t result = damon_ctx_save(ctx, NULL, 0);
    if (result > 0) {
        size = (size_t)result + (size_t)result / 4 + 4096; /* regions come and go */
        learned = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        result = learned == MAP_FAILED ? -ENOMEM : damon_ctx_save(ctx, learned, size);
    }
    char why[160] = "";
    if (result < 0 && learned != MAP_FAILED) damon_ctx_errmsg(ctx, why, sizeof why);
    if (result > 0) {
        head.learned_bytes = (uint64_t)result;
        result = write_file(warm, &head, learned);
    }
    if (learned != MAP_FAILED) munmap(learned, size);
    if (result < 0)
        snprintf(text, room, "%.100s is not saved: %s", warm->path, why[0] ? why : damon_strerror((int)result));
    else
        snprintf(text, room, "saved %llu bytes in %.100s", (unsigned long long)(head.learned_bytes + sizeof head),
                 warm->path);
    return (int)result;
}
