// Several copies of this library in one process: linked statically into a plug-in and loaded as a shared library, or
// two of either. They share nothing but the process, whose marks and registrations they would take for the program's
// own. So the number of contexts that run, and whether some were started exclusively, is in a page of a memfd with a
// name, which every copy finds in the maps.
//
// Each copy has a mapping of its own of the page, while it has contexts that run. Two that begin at once both make a
// page, and both settle on the one that was made first: it is mapped before it is dated, and others are looked for
// after that. A child of fork does not inherit it, and begins with none.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>

namespace damon {

// Count and flags of who runs, of all copies; see registry.cc.
using SharedState = std::atomic<uint32_t>;

// The state, for one context more. Any thread; system calls, for the first of a copy: it reads the maps where other
// copies may be loaded. Never fails: where there is no memfd, or no room for a mapping, the copy is on its own.
SharedState& join_copies();
// One context of this copy less, after before(); the reference is void then.
void leave_copies(void (*before)(SharedState& state));
// The descriptors that a child of fork inherits from the contexts of its parent. It never uses them; held open, they
// would keep the parent's userfaultfd alive after the parent has closed its own. Closes, in a child, those that
// provably are what `opener` opened, its parent or one before. Any thread.
void close_inherited_files(pid_t opener);
// Whether this copy is the only one that is loaded, at work or not. False also where that cannot be told: the note of a
// copy was dropped by a linker script, or objects are loaded that the list of this one does not show (dlmopen).
bool is_only_copy_loaded();
// Of the copies of this process, while this one has a context that runs; 0 while it has none.
uint32_t nr_copies_at_work();
// Contexts of this copy that run, or are about to.
uint32_t nr_own_contexts();

}  // namespace damon
