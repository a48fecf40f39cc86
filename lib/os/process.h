// Which process this is, for what must notice that it was copied into a child by fork.
#pragma once

#include <sys/types.h>

namespace damon {

// getpid() without a system call, but for the first one of each process: cheap enough to be asked by every access that
// a program reports. Any thread.
pid_t process_id();

}  // namespace damon
