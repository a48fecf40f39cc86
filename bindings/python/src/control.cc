// What waits for the worker, or runs it: all without the GIL.
#include <pybind11/stl.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <vector>

#include "callbacks.h"
#include "context.h"
#include "fields.h"

namespace damon_python {

namespace {

using From = Collector::From;

py::object taken(py::error_already_set& error) {
    py::object exception = error.value();
    if (error.trace()) PyException_SetTraceback(exception.ptr(), error.trace().ptr());
    return exception;
}

void check_signals() {
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

struct OneShot {
    Ctx& ctx;
    const py::function& function;
    py::object result;
    py::object exception;
};

int run_one_shot(void* data) {
    OneShot& call = *static_cast<OneShot*>(data);
    in_python(
        call.ctx, [&] { call.result = call.function(); },
        [&](py::error_already_set& error) { call.exception = taken(error); });
    return 0;
}

struct Repeat {
    Ctx* ctx;
    py::handle function;  // kept alive by Ctx::kept
    uint64_t number;
};

py::tuple key_of(const Repeat& repeat) { return py::make_tuple("call", repeat.number); }

// Ends with what is true in Python, and with an exception.
int run_repeat(void* data) {
    const Repeat& call = *static_cast<Repeat*>(data);
    bool ends = true;
    in_python(*call.ctx, call.function, [&] {
        const auto function = py::reinterpret_borrow<py::object>(call.function);
        ends = PyObject_IsTrue(function().ptr()) != 0;
    });
    return ends ? 1 : 0;
}

void release_repeat(void* data) {
    const std::unique_ptr<Repeat> call(static_cast<Repeat*>(data));
    if (python_ended()) return;
    const py::gil_scoped_acquire gil;
    py::object function = call->ctx->kept.attr("pop")(key_of(*call), py::none());
}

struct Walked {
    damon_region_info region;
    size_t scheme_idx;
    uint64_t passed;
};

struct WalkInto {
    Ctx& ctx;
    py::object function;
    std::vector<Walked> found;
    bool out_of_memory = false;
    py::object exception;
};

// Without a function of the program's the GIL is not needed.
void keep_walked(void* data, damon_ctx*, const damon_region_info* region, size_t scheme_idx, uint64_t passed) {
    WalkInto& walk = *static_cast<WalkInto*>(data);
    try {
        walk.found.push_back({*region, scheme_idx, passed});
    } catch (const std::bad_alloc&) {
        walk.out_of_memory = true;
    }
}

void tell_walked(void* data, damon_ctx*, const damon_region_info* region, size_t scheme_idx, uint64_t passed) {
    WalkInto& walk = *static_cast<WalkInto*>(data);
    if (walk.exception) return;
    in_python(
        walk.ctx,
        [&] {
            const PassScope pass(walk.ctx);
            walk.function(*region, scheme_idx, passed);
        },
        [&](py::error_already_set& error) { walk.exception = taken(error); });
}

// Ends with the first exception of a callback, too: only this thread sets it.
int step_until(damon_ctx* ctx, const Collector& collector, Ctx& self, uint64_t until_us) {
    damon_attrs attrs;
    damon_attrs_init(&attrs);
    for (int i = 0; i < 1000 && self.now_us < until_us && !collector.first(); ++i) {
        int error = damon_ctx_get_attrs(ctx, &attrs);
        if (error == 0) {
            self.now_us = std::min(until_us, self.now_us + std::max<uint64_t>(attrs.sample_us, 1));
            error = damon_step(ctx, self.now_us);
        }
        if (error < 0) return error;
    }
    return 0;
}

template <typename Read>
Snapshot read_into(size_t& capacity, Read read) {
    Snapshot snapshot;
    for (;;) {
        snapshot.regions = std::make_unique_for_overwrite<damon_region_info[]>(capacity);
        damon_snapshot_info_init(&snapshot.info);
        const int nr = read(snapshot.regions.get(), capacity, &snapshot.info);
        if (nr != -ENOSPC) break;
        capacity = snapshot.info.nr_regions + snapshot.info.nr_regions / 4;
    }
    return snapshot;
}

}  // namespace

void Ctx::stop() {
    const int error = wait(From::kAnyThread, [](damon_ctx* ctx) { return damon_stop(&ctx, 1); });
    check(open().get(), error);
}

void Ctx::step(uint64_t now) {
    const int error = wait(From::kThisThread, [now](damon_ctx* ctx) { return damon_step(ctx, now); });
    if (error != -EINVAL) now_us = now;
    check(open().get(), error);
}

void Ctx::advance(uint64_t until_us) {
    while (now_us < until_us) {
        check(open().get(), wait(From::kThisThread, [this, until_us](damon_ctx* ctx, const Collector& collector) {
                  return step_until(ctx, collector, *this, until_us);
              }));
        check_signals();
    }
}

py::object Ctx::call(py::function function) {
    OneShot shot{*this, function, {}, {}};
    damon_call_control control;
    damon_call_control_init(&control);
    control.fn = run_one_shot;
    control.data = &shot;
    const int error = wait(From::kThisThread, [&](damon_ctx* ctx) { return damon_call(ctx, &control); });
    if (shot.exception) rethrow(shot.exception);
    check(open().get(), error);
    if (!shot.result) raise_error(-ECANCELED, "the call was cancelled: Python is about to end");
    return shot.result;
}

uint64_t Ctx::call_repeat(py::function function) {
    const auto ctx = open();
    auto repeat = std::make_unique<Repeat>(Repeat{this, function, nr_repeats_++});
    const py::tuple key = key_of(*repeat);
    damon_call_control control;
    damon_call_control_init(&control);
    control.flags = DAMON_CALL_REPEAT;
    control.fn = run_repeat;
    control.release = release_repeat;
    control.data = repeat.get();
    kept[key] = function;
    const int error = damon_call(ctx.get(), &control);
    if (error < 0) kept.attr("pop")(key);
    check(ctx.get(), error);
    static_cast<void>(repeat.release());
    return control.id;
}

bool Ctx::call_cancel(uint64_t id) {
    const int error = wait(From::kThisThread, [id](damon_ctx* ctx) { return damon_call_cancel(ctx, id); });
    if (error == -ENOENT) return false;
    check(open().get(), error);
    return true;
}

void Ctx::commit(const Ctx& source) {
    const auto from = source.open();
    const int error = wait(From::kThisThread, [&from](damon_ctx* ctx) { return damon_commit_ctx(ctx, from.get()); });
    check(open().get(), error);
}

void Ctx::set_pause(bool pause) {
    check(open().get(), wait(From::kThisThread, [pause](damon_ctx* ctx) { return damon_set_pause(ctx, pause); }));
}

py::object Ctx::walk(py::object function) {
    WalkInto into{*this, function, {}, false, {}};
    damos_walk_control control;
    damos_walk_control_init(&control);
    control.walk_fn = function.is_none() ? keep_walked : tell_walked;
    control.data = &into;
    const std::shared_ptr<damon_ctx> handle = open();
    // Without the simulator's lock: another thread steps meanwhile.
    const int error = without_gil([&] { return damos_walk(handle.get(), &control); });
    if (into.exception) rethrow(into.exception);
    check(handle.get(), error);
    if (into.out_of_memory) raise_error(-ENOMEM, "no memory for the regions of the walk");
    if (!function.is_none()) return py::none();
    py::list found(into.found.size());
    for (size_t i = 0; i < into.found.size(); ++i) {
        const Walked& walked = into.found[i];
        found[i] = py::make_tuple(walked.region, walked.scheme_idx, walked.passed);
    }
    return found;
}

// In slices, so that Ctrl-C ends a long wait.
bool Ctx::snapshot_wait(uint64_t after_seq, int32_t timeout_ms) {
    using Clock = std::chrono::steady_clock;
    constexpr int32_t kSliceMs = 100;
    const std::shared_ptr<damon_ctx> handle = open();
    const auto begin = Clock::now();
    for (;;) {
        const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count();
        const int64_t left = timeout_ms < 0 ? kSliceMs : std::max<int64_t>(timeout_ms - passed, 0);
        const auto slice = static_cast<int32_t>(std::min<int64_t>(left, kSliceMs));
        const int error = without_gil([&] { return damon_snapshot_wait(handle.get(), after_seq, slice); });
        if (error == 0) return true;
        if (error == -ECANCELED) raise_error(error, "the context does not run and has no newer snapshot: start() it");
        if (error == -EDEADLK) raise_error(error, "a callback would wait for its own context; use live_snapshot()");
        if (error != -ETIMEDOUT) raise_error_of(handle.get(), error);
        check_signals();
        if (timeout_ms >= 0 && left <= kSliceMs) return false;
    }
}

Snapshot Ctx::snapshot() {
    const auto ctx = open();
    return read_into(snapshot_capacity_, [&](damon_region_info* regions, size_t capacity, damon_snapshot_info* info) {
        const int nr = damon_snapshot_read(ctx.get(), regions, capacity, info);
        if (nr < 0 && nr != -ENOSPC) raise_error_of(ctx.get(), nr);
        return nr;
    });
}

Snapshot Ctx::live_snapshot() {
    return read_into(snapshot_capacity_, [&](damon_region_info* regions, size_t capacity, damon_snapshot_info* info) {
        const int nr = wait(From::kThisThread,
                            [&](damon_ctx* handle) { return damon_live_read(handle, regions, capacity, info); });
        if (nr < 0 && nr != -ENOSPC) raise_error_of(open().get(), nr);
        return nr;
    });
}

bool Ctx::report_access(uint64_t addr, uint64_t len, bool is_write) {
    const auto ctx = open();
    damon_access_report report;
    damon_access_report_init(&report);
    report.addr = addr;
    report.len = len;
    report.is_write = is_write ? 1 : 0;
    const int error = damon_report_access(ctx.get(), &report);
    if (error == -EAGAIN || error == -ECANCELED) return false;
    if (error < 0) raise_error(error, damon_strerror(error));
    return true;
}

void bind_control(py::class_<Ctx>& type) {
    type.def("stop", &Ctx::stop)
        .def("step", [](Ctx& self, py::handle now_us) { self.step(to_u64(now_us, "now_us")); })
        .def("advance", [](Ctx& self, py::handle until_us) { self.advance(to_u64(until_us, "until_us")); })
        .def_readonly("now_us", &Ctx::now_us)
        .def("call", &Ctx::call)
        .def("call_repeat", &Ctx::call_repeat)
        .def("call_cancel", &Ctx::call_cancel)
        .def("commit", &Ctx::commit)
        .def("set_pause", &Ctx::set_pause)
        .def("walk", &Ctx::walk)
        .def("snapshot_wait", &Ctx::snapshot_wait)
        .def("snapshot", &Ctx::snapshot)
        .def("live_snapshot", &Ctx::live_snapshot)
        .def("report_access", [](Ctx& self, py::handle addr, py::handle len, bool is_write) {
            return self.report_access(to_u64(addr, "addr"), to_u64(len, "len"), is_write);
        });
}

}  // namespace damon_python
