// Where the stacks of this process's threads lie, as far as the kernel reports it.
#pragma once

#include <cstdint>

#include "base/vector.h"
#include "model/address_range.h"

namespace damon {

// The C library keeps a thread's list of robust locks in the thread's descriptor, which it puts at the top of a stack
// that it mapped itself. A stack that the program gave (pthread_attr_setstack) is not told from other memory.
class ThreadStacks {
public:
    // Asks anew. Where that fails, no stack is known.
    void read();

    // Whether the private mapping is one of them.
    bool is_stack(AddressRange mapping) const;

private:
    Vector<uint64_t> descriptors_;  // one address in each, sorted
};

}  // namespace damon
