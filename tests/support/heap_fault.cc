#include "support/heap_fault.h"

#include <atomic>

#include "base/heap.h"

namespace damon::test {
namespace {

std::atomic<int64_t> remaining{0};

bool fail_when_reached(size_t) { return remaining.fetch_sub(1) == 0; }

}  // namespace

HeapFault::HeapFault(uint64_t fail_at) {
    remaining = static_cast<int64_t>(fail_at);
    heap_set_fault_hook(fail_when_reached);
}

HeapFault::~HeapFault() { heap_set_fault_hook(nullptr); }

bool HeapFault::hit() const { return remaining.load() < 0; }

}  // namespace damon::test
