// Which process this is, for what must notice that it was copied into a child by fork.
#pragma once

#include <sys/types.h>

namespace damon {

// A number above 0 that no other process has which shares memory with this one through fork. Not the process id alone:
// the first process of a PID namespace may have the same as the parent that it was forked from. Without a system call,
// but for the first time in each process: cheap enough to be asked by every access that a program reports. Any thread.
pid_t process_id();
// The process id (getpid) that is part of it.
pid_t pid_of(pid_t process_id);

// `fn` is called in every child of fork(), by the thread that forked, before anything of the program's: only what a
// signal handler may do. False: out of memory.
bool call_in_children(void (*fn)());

// False: its files in /proc belong to root, as after setuid() without exec, until prctl(PR_SET_DUMPABLE, 1).
bool process_is_dumpable();

}  // namespace damon
