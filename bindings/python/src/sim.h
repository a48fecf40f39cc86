// A simulated machine, to be used by one thread at a time: the lock sees to it.
#pragma once

#include <damon_c.h>
#include <pybind11/pybind11.h>
#include <unistd.h>

#include <mutex>

#include "errors.h"
#include "gil.h"

namespace damon_python {

namespace py = pybind11;

struct Sim {
    explicit Sim(const damon_sim_params& params);
    ~Sim() { damon_sim_free(handle); }
    Sim(const Sim&) = delete;
    Sim& operator=(const Sim&) = delete;

    // The handle; refused in a child process, where the lock may be held by a thread that is not there.
    damon_sim* open() const;

    // Runs a function of the library on the simulator, alone and without the GIL; its failure is raised.
    template <typename Use>
    int use(Use function) {
        damon_sim* sim = open();
        const int result = without_gil([&] {
            const std::lock_guard<std::recursive_mutex> lock(mutex);
            return function(sim);
        });
        if (result < 0) raise_failure(result);
        return result;
    }

    // Waited for without the GIL only. Recursive: callbacks of a step may look at the simulator that is being stepped.
    std::recursive_mutex mutex;

private:
    [[noreturn]] void raise_failure(int error);

    damon_sim* handle;
    const pid_t pid = getpid();
};

}  // namespace damon_python
