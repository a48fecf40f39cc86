/* A program that unloads the library while a context of it runs, and goes on. argv[1]: the shared library. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "damon_c.h"

static void* symbol(void* library, const char* name) {
    void* found = dlsym(library, name);
    if (found == NULL) {
        fprintf(stderr, "%s: %s\n", name, dlerror());
        exit(1);
    }
    return found;
}

/* A pointer to a function is not a pointer to an object in ISO C. */
#define SYMBOL(library, name, type)               \
    type name##_;                                 \
    do {                                          \
        void* found = symbol(library, #name);     \
        memcpy(&name##_, &found, sizeof name##_); \
    } while (0)

typedef damon_ctx* (*new_fn)(void);
typedef damon_target* (*target_fn)(void);
typedef int (*add_fn)(damon_ctx*, damon_target*);
typedef int (*start_fn)(damon_ctx**, int, int);

int main(int argc, char** argv) {
    const struct timespec while_it_works = {0, 300000000};
    void* library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (library == NULL) {
        fprintf(stderr, "%s\n", argc > 1 ? dlerror() : "which library?");
        return 1;
    }
    SYMBOL(library, damon_ctx_new, new_fn);
    SYMBOL(library, damon_target_new, target_fn);
    SYMBOL(library, damon_ctx_add_target, add_fn);
    SYMBOL(library, damon_start, start_fn);
    damon_ctx* ctx = damon_ctx_new_();
    if (damon_ctx_add_target_(ctx, damon_target_new_()) != 0 || damon_start_(&ctx, 1, 0) != 0) {
        fprintf(stderr, "nothing to unload: the context does not start\n");
        return 1;
    }
    dlclose(library);
    nanosleep(&while_it_works, NULL);
    return 0;
}
