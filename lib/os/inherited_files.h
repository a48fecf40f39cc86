// The descriptors that a child of fork inherits from the contexts of its parent. It never uses them; held open, they
// would keep the parent's userfaultfd alive after the parent has closed its own.
#pragma once

#include <sys/types.h>

namespace damon {

// Closes, in a child, those that provably are what `opener` opened, its parent or one before. System calls, one for
// each number that was ever given; any thread.
void close_inherited_files(pid_t opener);

}  // namespace damon
