#include "base/status.h"

#include <cstdarg>
#include <cstdio>

#include "base/check.h"

namespace damon {

Status Status::fail(int negative_errno, const char* format, ...) {
    DAMON_CHECK(negative_errno < 0);
    Status status;
    status.error_ = negative_errno;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(status.text_, sizeof status.text_, format, arguments);
    va_end(arguments);
    return status;
}

}  // namespace damon
