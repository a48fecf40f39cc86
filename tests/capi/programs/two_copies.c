/* A program with the static library in it that loads the shared one as well. argv[1]: the shared library. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "damon_c.h"

enum { BYTES = 16 << 20, ROUNDS = 100 };

/* What is used of a copy. */
struct copy {
    damon_ctx* (*ctx_new)(void);
    void (*ctx_free)(damon_ctx*);
    int (*add_range)(damon_ctx*, const void*, size_t, uint32_t);
    int (*start)(damon_ctx**, int, int);
    int (*stop)(damon_ctx**, int);
    int (*nr_running)(void);
    int (*errmsg)(const damon_ctx*, char*, size_t);
};

static struct copy here, loaded;
static unsigned char* memory;
static int failures;

#define CHECK(condition)                                                      \
    do {                                                                      \
        if (!(condition)) {                                                   \
            fprintf(stderr, "line %d: %s is not so\n", __LINE__, #condition); \
            ++failures;                                                       \
        }                                                                     \
    } while (0)

/* A pointer to a function is not a pointer to an object in ISO C. */
#define LOAD(library, member, name)                                  \
    do {                                                             \
        void* found = dlsym(library, name);                          \
        if (found == NULL) return fprintf(stderr, "%s?\n", name), 1; \
        memcpy(&loaded.member, &found, sizeof loaded.member);        \
    } while (0)

static int load(const char* path) {
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) return fprintf(stderr, "%s\n", dlerror()), 1;
    LOAD(library, ctx_new, "damon_ctx_new");
    LOAD(library, ctx_free, "damon_ctx_free");
    LOAD(library, add_range, "damon_ctx_add_range");
    LOAD(library, start, "damon_start");
    LOAD(library, stop, "damon_stop");
    LOAD(library, nr_running, "damon_nr_running_ctxs");
    LOAD(library, errmsg, "damon_ctx_errmsg");
    here = (struct copy){damon_ctx_new, damon_ctx_free,        damon_ctx_add_range, damon_start,
                         damon_stop,    damon_nr_running_ctxs, damon_ctx_errmsg};
    return loaded.start == here.start ? fprintf(stderr, "one copy only\n") : 0;
}

static damon_ctx* context_of(const struct copy* copy) {
    damon_ctx* ctx = copy->ctx_new();
    CHECK(copy->add_range(ctx, memory, BYTES, 0) == 0);
    return ctx;
}

static void sleep_ms(long ms) { nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL); }

/* Lines of the maps that name the page that the copies share. */
static int shared_pages(void) {
    char line[4096];
    int nr = 0;
    FILE* maps = fopen("/proc/self/maps", "r");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) nr += strstr(line, "damon-contexts") != NULL;
    if (maps != NULL) fclose(maps);
    return nr;
}

static void exclusive_is_for_all_copies(damon_ctx* one, damon_ctx* other) {
    CHECK(here.start(&one, 1, 1) == 0);
    CHECK(loaded.start(&other, 1, 1) == -EBUSY);
    CHECK(loaded.start(&other, 1, 0) == -EBUSY);
    CHECK(here.stop(&one, 1) == 0);
    CHECK(loaded.start(&other, 1, 0) == 0);
    CHECK(here.start(&one, 1, 1) == -EBUSY);
    CHECK(loaded.stop(&other, 1) == 0);
}

static void the_second_is_told(damon_ctx* one, damon_ctx* other) {
    char why[256] = "";
    CHECK(here.start(&one, 1, 0) == 0);
    CHECK(loaded.start(&other, 1, 0) == 0);
    CHECK(here.nr_running() == 1 && loaded.nr_running() == 1);
    for (int tries = 0; tries < 1000 && strstr(why, "another copy") == NULL; ++tries) {
        sleep_ms(10);
        loaded.errmsg(other, why, sizeof why);
    }
    CHECK(strstr(why, "another copy") != NULL);
    const pid_t child = fork();
    if (child == 0) { /* begins with no copy at work */
        damon_ctx* ctx = here.ctx_new();
        const int error = here.add_range(ctx, memory, BYTES, 0) != 0 ? 1 : here.start(&ctx, 1, 1);
        here.ctx_free(ctx);
        _exit(error != 0);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(here.stop(&one, 1) == 0);
    CHECK(loaded.stop(&other, 1) == 0);
}

struct racer {
    const struct copy* copy;
    damon_ctx* ctx;
    pthread_barrier_t* begin;
    int error;
};

static void* race(void* data) {
    struct racer* racer = data;
    pthread_barrier_wait(racer->begin);
    racer->error = racer->copy->start(&racer->ctx, 1, 1);
    return NULL;
}

/* Both make a page, and settle on one. */
static void two_that_begin_at_once(damon_ctx* one, damon_ctx* other) {
    pthread_barrier_t begin;
    int nr_started = 0;
    CHECK(pthread_barrier_init(&begin, NULL, 2) == 0);
    for (int round = 0; round < ROUNDS; ++round) {
        struct racer racers[2] = {{&here, one, &begin, 0}, {&loaded, other, &begin, 0}};
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, race, &racers[0]) == 0);
        race(&racers[1]);
        CHECK(pthread_join(thread, NULL) == 0);
        CHECK(racers[0].error != 0 || racers[1].error != 0);
        nr_started += racers[0].error == 0 || racers[1].error == 0;
        CHECK(here.stop(&one, 1) == 0 && loaded.stop(&other, 1) == 0);
    }
    CHECK(nr_started > ROUNDS / 2);
    pthread_barrier_destroy(&begin);
}

/* It looked for no other copy, as none was loaded. */
static int one_that_runs_before_the_other_is_loaded(const char* path) {
    damon_ctx* one = damon_ctx_new();
    CHECK(damon_ctx_add_range(one, memory, BYTES, 0) == 0);
    CHECK(damon_start(&one, 1, 1) == 0);
    if (load(path) != 0) return 1;
    damon_ctx* other = context_of(&loaded);
    CHECK(loaded.start(&other, 1, 0) == -EBUSY);
    here.ctx_free(one);
    CHECK(loaded.start(&other, 1, 0) == 0);
    loaded.ctx_free(other);
    return 0;
}

int main(int argc, char** argv) {
    if (argc < 2) return 1;
    memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(memory, 1, BYTES);
    if (one_that_runs_before_the_other_is_loaded(argv[1]) != 0) return 1;
    damon_ctx* one = context_of(&here);
    damon_ctx* other = context_of(&loaded);
    exclusive_is_for_all_copies(one, other);
    the_second_is_told(one, other);
    two_that_begin_at_once(one, other);
    here.ctx_free(one);
    loaded.ctx_free(other);
    CHECK(shared_pages() == 0);
    return failures != 0;
}
