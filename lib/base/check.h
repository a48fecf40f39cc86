// DAMON_CHECK guards against our own bugs, never against input. It is active in debug and sanitizer builds and in
// tests, and compiles to nothing in release builds.
#pragma once

#if defined(DAMON_ENABLE_CHECKS)
#define DAMON_CHECK(condition)              \
    do {                                    \
        if (!(condition)) __builtin_trap(); \
    } while (0)
#else
#define DAMON_CHECK(condition) \
    do {                       \
    } while (0)
#endif
