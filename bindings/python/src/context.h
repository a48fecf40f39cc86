// One damon_ctx with the Python objects that it calls. All members are used with the GIL held.
#pragma once

#include <damon_c.h>
#include <pybind11/pybind11.h>

#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "errors.h"
#include "gil.h"
#include "snapshot.h"

namespace damon_python {

namespace py = pybind11;

class Ctx;
struct Sim;

// A Python function that schemes with DAMOS_CALLBACK call; its address is their action_data.
struct Action {
    Ctx* ctx;
    py::handle function;  // kept alive by Ctx::kept
};

// An instance of damon.Operations; its address is the priv of the custom operations.
struct Operations {
    Ctx* ctx;
    py::handle table;  // kept alive by Ctx::kept
    py::handle owner;  // the damon.Context, handed to the functions
};

class Ctx {
public:
    Ctx();
    ~Ctx();
    Ctx(const Ctx&) = delete;
    Ctx& operator=(const Ctx&) = delete;

    // The handle; who waits without the GIL holds a copy, so that close() in another thread does not free it under
    // them.
    std::shared_ptr<damon_ctx> open() const;
    void close();
    bool closed() const { return handle_ == nullptr; }
    // Whether this thread is inside a callback of this context.
    bool on_worker() const;

    // context.cc: parameters and state
    void set_attrs(py::object attrs);
    py::dict attrs() const;
    void add_target(int32_t pid, py::handle ranges, bool obsolete);
    void set_target_regions(size_t idx, py::handle ranges);
    void set_quota_goal_value(size_t scheme, size_t goal, py::handle value);
    py::dict stats() const;
    py::dict scheme_stat(size_t idx) const;
    std::string errmsg() const;

    // schemes.cc
    // Actions belong to `home`: the context that will run them, where this one is the source of a commit.
    void add_scheme(py::object scheme, Ctx& home);
    // Lets go of all actions but these: a commit replaced the others. Put off while schemes are being walked over.
    void keep_actions(py::iterable functions);
    void set_scheme_params(size_t idx, py::object scheme);

    // operations.cc
    void set_operations(py::object operations, py::object owner);
    void set_sim(py::object sim);

    // control.cc: what waits
    void stop();  // Ctrl-C ends the wait
    void step(uint64_t now_us);
    // Steps one sampling interval after another until that time.
    void advance(uint64_t until_us);
    void commit(const Ctx& source);
    void set_pause(bool pause);
    bool snapshot_wait(uint64_t after_seq, int32_t timeout_ms);  // Ctrl-C ends the wait
    Snapshot snapshot();
    Snapshot live_snapshot();
    bool report_access(uint64_t addr, uint64_t len, bool is_write);

    // Raises KeyboardInterrupt in the callback that runs, as soon as it runs Python code.
    void interrupt_callback();

    // calling.cc, walking.cc: Ctrl-C ends the waits
    py::object call(py::function function);
    uint64_t call_repeat(py::function function);
    bool call_cancel(uint64_t id);
    py::object walk(py::object function);

    // Runs a call of the library without the GIL: a function of the handle and, if it likes, of the collector.
    // Exceptions of callbacks are raised here, before failures of the library.
    template <typename Call>
    int wait(Collector::From from, Call call);

    Faults faults;
    py::dict kept;                      // every Python object that the context may call or borrow from, by its address
    int pass_depth = 0;                 // inside callbacks in which commits are put off
    unsigned long callback_thread = 0;  // that runs a callback; 0: none does
    bool manual = false;
    uint64_t now_us = 0;  // manual drive: the time of the last step

private:
    friend void start_group(const std::vector<Ctx*>& group, bool exclusive);
    damos_params read_params(py::object scheme);

    std::unordered_map<PyObject*, std::unique_ptr<Action>> actions_;
    uint64_t nr_repeats_ = 0;
    std::unique_ptr<Operations> operations_;
    std::shared_ptr<Sim> sim_;
    std::shared_ptr<damon_ctx> handle_;  // goes first: it borrows what stands above
    size_t snapshot_capacity_ = 64;
};

// Keeps the simulator of the context, if any, to this thread: taken without the GIL.
using SimLock = std::unique_lock<std::recursive_mutex>;
SimLock lock_sim(const std::shared_ptr<Sim>& sim);

template <typename Call>
int Ctx::wait(Collector::From from, Call call) {
    const std::shared_ptr<Sim> sim = sim_;  // outlives the handle, which borrows it
    const std::shared_ptr<damon_ctx> handle = open();
    const Collector collector(faults, from);
    const int result = without_gil([&] {
        const SimLock lock = lock_sim(sim);
        if constexpr (std::is_invocable_v<Call, damon_ctx*, const Collector&>) {
            return call(handle.get(), collector);
        } else {
            return call(handle.get());
        }
    });
    if (collector.first()) rethrow(collector.first());
    return result;
}

// Starts all or none.
void start_group(const std::vector<Ctx*>& group, bool exclusive);

void bind_context(py::module_& module);
void bind_control(py::class_<Ctx>& type);
void bind_policies(py::module_& module, py::class_<Ctx>& type);
void bind_following(py::module_& module, py::class_<Ctx>& type);
void bind_watching(py::module_& module, py::class_<Ctx>& type);
void bind_memory(py::module_& module);
void bind_sim(py::module_& module);
void bind_samples(py::module_& module);

}  // namespace damon_python
