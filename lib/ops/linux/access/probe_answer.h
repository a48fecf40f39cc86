// Short ways to write the answer of a probe.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "ops/linux/access/access_check.h"

namespace damon {

inline AccessCheckProbe probe_works(const char* where, bool sees_reads) {
    AccessCheckProbe probe;
    probe.available = true;
    probe.sees_reads = sees_reads;
    probe.sees_writes = true;
    snprintf(probe.reason, sizeof probe.reason, "works on %s", where);
    return probe;
}

inline AccessCheckProbe probe_failed(int negative_errno, const char* what) {
    AccessCheckProbe probe;
    probe.error = negative_errno < 0 ? -negative_errno : EIO;
#ifdef __GLIBC__
    const char* why = strerrordesc_np(probe.error);
#else
    const char* why = strerror(probe.error);  // musl's is a table; glibc's may allocate, to translate
#endif
    snprintf(probe.reason, sizeof probe.reason, "%s: %s", what, why == nullptr ? "unknown error" : why);
    return probe;
}

}  // namespace damon
