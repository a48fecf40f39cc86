/* An allocator may embed the library: here malloc and its relatives end the program when they are called on the worker,
 * or inside a damon_ function other than damon_start (which makes a thread). */
#define _GNU_SOURCE

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "damon_c.h"

static __thread int inside; /* of a damon_ function that may not allocate */
static __thread int ending; /* of one that ends a thread: the C library gives back what it took for it in damon_start */
static volatile int worker_tid;
static volatile unsigned long nr_allocations;
static char arena[64 << 20];
static size_t arena_used;
static pthread_mutex_t arena_lock = PTHREAD_MUTEX_INITIALIZER;

static void die(const char* what, int line) {
    char text[160];
    const int length = snprintf(text, sizeof text, "no_malloc.c:%d: %s\n", line, what);
    if (write(2, text, (size_t)length) < 0) _exit(2);
    _exit(1);
}

static void* take(const char* name, size_t bytes, size_t alignment) {
    char* block;
    if (inside) die(name, __LINE__);
    if (worker_tid != 0 && syscall(SYS_gettid) == worker_tid) die(name, __LINE__);
    pthread_mutex_lock(&arena_lock);
    nr_allocations++;
    arena_used = (arena_used + alignment - 1) & ~(alignment - 1);
    block = arena + arena_used;
    arena_used += bytes;
    if (arena_used > sizeof arena) die("arena used up", __LINE__);
    pthread_mutex_unlock(&arena_lock);
    return block;
}

void* malloc(size_t bytes) { return take("malloc", bytes, 16); }
void* calloc(size_t nr, size_t bytes) {
    return take("calloc", nr * bytes, 16);
} /* the arena is zero and never reused */
void* memalign(size_t alignment, size_t bytes) { return take("memalign", bytes, alignment); }
void* aligned_alloc(size_t alignment, size_t bytes) { return take("aligned_alloc", bytes, alignment); }
int posix_memalign(void** block, size_t alignment, size_t bytes) {
    *block = take("posix_memalign", bytes, alignment);
    return 0;
}
void* realloc(void* old, size_t bytes) {
    char* block = take("realloc", bytes, 16);
    /* How large the old block was is not kept: what lies behind it in the arena comes along. */
    if (old != NULL) memmove(block, old, bytes);
    return block;
}
void free(void* block) {
    if (block == NULL) return;
    if (inside && !ending) die("free", __LINE__);
    if (worker_tid != 0 && syscall(SYS_gettid) == worker_tid) die("free", __LINE__);
}

/* Every call of the library but damon_start. */
#define QUIETLY(call, wanted)                                                                 \
    do {                                                                                      \
        int result;                                                                           \
        inside = 1;                                                                           \
        result = (int)(call);                                                                 \
        inside = 0;                                                                           \
        if (result != (int)(wanted)) {                                                        \
            char text[256] = "";                                                              \
            if (ctx != NULL) damon_ctx_errmsg(ctx, text, sizeof text);                        \
            fprintf(stderr, "no_malloc.c:%d: %s is %d: %s\n", __LINE__, #call, result, text); \
            exit(1);                                                                          \
        }                                                                                     \
    } while (0)

static damon_ctx *ctx, *source;

static int remember_worker(void* data) {
    (void)data;
    worker_tid = (int)syscall(SYS_gettid);
    return 0;
}

static int commit_on_worker(void* data) {
    (void)data;
    return damon_commit_ctx(ctx, source);
}

static int again(void* data) { return ++*(int*)data < 5 ? 0 : 1; }

static void walked(void* data, damon_ctx* of, const struct damon_region_info* r, size_t scheme_idx, uint64_t passed) {
    (void)data, (void)of, (void)r, (void)scheme_idx, (void)passed;
}

static void fill(damon_ctx* of, char* memory, size_t len, int nr_schemes) {
    struct damon_addr_range range = {(uint64_t)(uintptr_t)memory, (uint64_t)(uintptr_t)memory + len};
    struct damos_params params;
    struct damon_attrs attrs;
    damon_target* target = damon_target_new();
    int i;
    damon_attrs_init(&attrs);
    attrs.sample_us = 1000;
    attrs.aggr_us = 5000;
    attrs.ops_update_us = 20000;
    QUIETLY(damon_ctx_set_attrs(of, &attrs), 0);
    QUIETLY(damon_target_set_regions(target, &range, 1), 0);
    QUIETLY(damon_ctx_add_target(of, target), 0);
    damos_params_init(&params);
    params.quota.sz = 1 << 20;
    for (i = 0; i < nr_schemes; i++) QUIETLY(damon_ctx_add_scheme(of, damos_new(&params)), 0);
}

static void windows(int nr) {
    static struct damon_region_info regions[4096];
    struct damon_snapshot_info info;
    damon_snapshot_info_init(&info);
    inside = 1;
    damon_snapshot_read(ctx, regions, 4096, &info);
    inside = 0;
    QUIETLY(damon_snapshot_wait(ctx, info.seq + (uint64_t)nr - 1, -1), 0);
    QUIETLY(damon_snapshot_read(ctx, regions, 4096, &info) > 0, 1);
}

static void run(char* memory, size_t len, int32_t ops) {
    struct damon_call_control call, repeat;
    struct damos_walk_control walk;
    struct damon_attrs wrong;
    int runs = 0;
    inside = 1;
    ctx = damon_ctx_new();
    source = damon_ctx_new();
    inside = 0;
    fill(ctx, memory, len, 1);
    fill(source, memory, len, 3);
    QUIETLY(damon_ctx_set_ops(ctx, ops), 0);
    if (damon_start(&ctx, 1, 0) != 0) {
        char text[256] = "";
        damon_ctx_errmsg(ctx, text, sizeof text);
        fprintf(stderr, "damon_start: %s\n", text);
        exit(1);
    }
    damon_call_control_init(&call);
    call.fn = remember_worker;
    QUIETLY(damon_call(ctx, &call), 0);
    windows(6);
    damon_call_control_init(&repeat);
    repeat.flags = DAMON_CALL_REPEAT;
    repeat.fn = again;
    repeat.data = &runs;
    QUIETLY(damon_call(ctx, &repeat), 0);
    QUIETLY(damon_commit_ctx(ctx, source), 0);
    call.fn = commit_on_worker;
    QUIETLY(damon_call(ctx, &call), 0);
    QUIETLY(call.return_code, 0);
    damos_walk_control_init(&walk);
    walk.walk_fn = walked;
    QUIETLY(damos_walk(ctx, &walk), 0);
    damon_attrs_init(&wrong);
    wrong.min_nr_regions = 1;
    QUIETLY(damon_ctx_set_attrs(source, &wrong), -EINVAL);
    QUIETLY(damon_ctx_set_attrs(ctx, &wrong), -EBUSY);
    QUIETLY(damon_commit_ctx(ctx, ctx), -EINVAL);
    QUIETLY(damon_ctx_remove_target(ctx, 9), -EBUSY);
    QUIETLY(damon_set_pause(ctx, 1), 0);
    QUIETLY(damon_call(ctx, &call), 0);
    QUIETLY(damon_set_pause(ctx, 0), 0);
    windows(10);
    ending = 1;
    QUIETLY(damon_stop(&ctx, 1), 0);
    worker_tid = 0;
    inside = 1;
    damon_ctx_free(ctx);
    damon_ctx_free(source);
    ending = 0;
    inside = 0;
    ctx = source = NULL;
}

int main(void) {
    const size_t len = 16 << 20;
    char *memory, *shared;
    if (malloc(1) == NULL || nr_allocations == 0) die("the library's allocations would not be seen", __LINE__);
    memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    inside = 1;
    shared = damon_shared_map(len);
    inside = 0;
    if (memory == MAP_FAILED || shared == NULL) die("no memory", __LINE__);
    memset(memory, 1, len);
    memset(shared, 1, len);
    run(shared, len, DAMON_OPS_FVADDR);
    run(memory, len, DAMON_OPS_FVADDR);
    run(memory, len, DAMON_OPS_VADDR);
    QUIETLY(damon_shared_unmap(shared, len), 0);
    return 0;
}
