// Included before all else where the headers of a C++ library that was configured for glibc are compiled against musl.
#pragma once

#define __GLIBC_PREREQ(major, minor) 0
#include <features.h>
#include <locale.h>
#include <pthread.h>
#ifdef __cplusplus
#define __locale_t locale_t
extern "C" int pthread_cond_clockwait(pthread_cond_t*, pthread_mutex_t*, clockid_t, const struct timespec*);
extern "C" int pthread_mutex_clocklock(pthread_mutex_t*, clockid_t, const struct timespec*);
extern "C" int pthread_rwlock_clockrdlock(pthread_rwlock_t*, clockid_t, const struct timespec*);
extern "C" int pthread_rwlock_clockwrlock(pthread_rwlock_t*, clockid_t, const struct timespec*);
#endif
