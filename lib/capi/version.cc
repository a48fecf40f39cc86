#include <cerrno>

#include "damon_c.h"

#define DAMON_TEXT_OF(x) #x
#define DAMON_TEXT(x) DAMON_TEXT_OF(x)

uint32_t damon_version(void) { return DAMON_VERSION_MAJOR << 16 | DAMON_VERSION_MINOR << 8 | DAMON_VERSION_PATCH; }

const char* damon_version_string(void) {
    return DAMON_TEXT(DAMON_VERSION_MAJOR) "." DAMON_TEXT(DAMON_VERSION_MINOR) "." DAMON_TEXT(DAMON_VERSION_PATCH);
}

const char* damon_strerror(int err) {
    switch (err < 0 ? -err : err) {
        case 0:
            return "success";
        case EINVAL:
            return "invalid argument";
        case ENOMEM:
            return "out of memory";
        case EBUSY:
            return "busy: the context runs, or another request is under way";
        case ECANCELED:
            return "cancelled: the context does not run, or stopped meanwhile";
        case EDEADLK:
            return "would wait for itself: called from a callback of the same context";
        case E2BIG:
            return "the structure sets members that this release does not know";
        case ENOSPC:
            return "no room: the buffer or a table is too small";
        case ENOENT:
            return "no such call or declaration";
        case ETIMEDOUT:
            return "timed out";
        case EAGAIN:
            return "resource used up for now: try again";
        case EOPNOTSUPP:
            return "not supported here";
        case ECHILD:
            return "the context belongs to the parent process";
        case ESRCH:
            return "no such process";
        case EPERM:
            return "operation not permitted";
        case EACCES:
            return "permission denied";
        case ENOSYS:
            return "not implemented by this kernel";
        default:
            return "unknown error";
    }
}
