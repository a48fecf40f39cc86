// Walks over the regions that schemes act on.
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "callbacks.h"
#include "context.h"
#include "waiting.h"

namespace damon_python {

namespace {

struct Walked {
    damon_region_info region;
    size_t scheme_idx;
    uint64_t passed;
};

// One walk, shared with the worker, which may still be at it when the waiting thread was interrupted and has left.
struct Walk {
    Ctx& ctx;  // closing it ends the walk
    // With the GIL. Empty: nobody wants to know (any more), or the regions are listed.
    py::object function;
    py::object exception;
    // The worker's; the waiting thread's once the walk is over.
    std::vector<Walked> found;
    bool out_of_memory = false;
};

// Without a function of the program's the GIL is not needed.
void keep_walked(void* data, damon_ctx*, const damon_region_info* region, size_t scheme_idx, uint64_t passed) {
    Walk& walk = *static_cast<Walk*>(data);
    try {
        walk.found.push_back({*region, scheme_idx, passed});
    } catch (const std::bad_alloc&) {
        walk.out_of_memory = true;
    }
}

void tell_walked(void* data, damon_ctx*, const damon_region_info* region, size_t scheme_idx, uint64_t passed) {
    Walk& walk = *static_cast<Walk*>(data);
    in_python(
        walk.ctx,
        [&] {
            const py::object function = walk.function;
            if (!function || walk.exception) return;
            const PassScope pass(walk.ctx);
            function(*region, scheme_idx, passed);
        },
        [&](py::error_already_set& error) {
            if (walk.function) {
                walk.exception = exception_of(error);
            } else {
                walk.ctx.faults.take(error, py::none());
            }
        });
}

py::list list_of(const std::vector<Walked>& found) {
    py::list list(found.size());
    for (size_t i = 0; i < found.size(); ++i) {
        const Walked& walked = found[i];
        list[i] = py::make_tuple(walked.region, walked.scheme_idx, walked.passed);
    }
    return list;
}

int run_walk(damon_ctx* ctx, Walk& walk, bool listed) {
    damos_walk_control control;
    damos_walk_control_init(&control);
    control.walk_fn = listed ? keep_walked : tell_walked;
    control.data = &walk;
    return damos_walk(ctx, &control);
}

}  // namespace

py::object Ctx::walk(py::object function) {
    const std::shared_ptr<damon_ctx> handle = open();
    const bool listed = function.is_none();
    const auto walk = std::make_shared<Walk>(Walk{*this, listed ? py::object() : std::move(function), {}, {}, false});
    int error = 0;
    try {
        // Without the simulator's lock: another thread steps meanwhile. In a callback the library has to see its
        // thread.
        error = on_worker()
                    ? without_gil([&] { return run_walk(handle.get(), *walk, listed); })
                    : wait_apart([sim = sim_, handle, walk, listed] { return run_walk(handle.get(), *walk, listed); });
    } catch (...) {
        walk->function = py::object();
        walk->exception = py::object();
        throw;
    }
    const py::object told = std::exchange(walk->function, py::object());
    const py::object exception = std::exchange(walk->exception, py::object());
    if (exception) rethrow(exception);
    check(handle.get(), error);
    if (walk->out_of_memory) raise_error(-ENOMEM, "no memory for the regions of the walk");
    return listed ? py::object(list_of(walk->found)) : py::none();
}

}  // namespace damon_python
