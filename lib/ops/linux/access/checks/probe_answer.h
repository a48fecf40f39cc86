// What one access check can do on this system, and short ways to write that answer.
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "os/process.h"

namespace damon {

struct AccessCheckProbe {
    bool available = false;
    bool sees_reads = false;
    bool sees_writes = false;
    int32_t error = 0;      // positive errno of what failed; 0 where available
    char reason[200] = {};  // one line: why not, or what it is
};

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
    const bool closed = (probe.error == EACCES || probe.error == EPERM) && !process_is_dumpable();
    snprintf(probe.reason, sizeof probe.reason, "%s: %s%s", what, why == nullptr ? "unknown error" : why,
             closed ? "; after a change of credentials without exec it takes prctl(PR_SET_DUMPABLE, 1)" : "");
    return probe;
}

}  // namespace damon
