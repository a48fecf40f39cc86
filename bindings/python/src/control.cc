// What waits for the worker, or runs it: all without the GIL.
#include <algorithm>
#include <chrono>

#include "callbacks.h"
#include "context.h"
#include "fields.h"
#include "waiting.h"

namespace damon_python {

namespace {

using From = Collector::From;

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
    const auto stop = [](damon_ctx* ctx) { return damon_stop(&ctx, 1); };
    if (manual || on_worker()) {  // its last callbacks run here; or refused
        check(open().get(), wait(From::kAnyThread, stop));
        return;
    }
    const std::shared_ptr<damon_ctx> ctx = open();
    const Collector collector(faults, From::kAnyThread);
    const int error = wait_apart([stop, ctx] { return stop(ctx.get()); });
    if (collector.first()) rethrow(collector.first());
    check(ctx.get(), error);
}

void Ctx::interrupt_callback() {
    if (callback_thread != 0) PyThreadState_SetAsyncExc(callback_thread, PyExc_KeyboardInterrupt);
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

void Ctx::commit(const Ctx& source) {
    const auto from = source.open();
    const int error = wait(From::kThisThread, [&from](damon_ctx* ctx) { return damon_commit_ctx(ctx, from.get()); });
    check(open().get(), error);
}

void Ctx::set_pause(bool pause) {
    check(open().get(), wait(From::kThisThread, [pause](damon_ctx* ctx) { return damon_set_pause(ctx, pause); }));
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
    if (error == -EOPNOTSUPP)
        raise_error(error, "the context takes no reports: make it with access_check=AccessCheck.REPORT");
    if (error == -EINVAL) {
        raise_error(error, "length is " + std::to_string(len) + "; it must be 1 or more, and end below 2 ** 64");
    }
    if (error < 0) raise_error(error, damon_strerror(error));
    return true;
}

void bind_control(py::class_<Ctx>& type) {
    type.def("stop", &Ctx::stop)
        .def("interrupt_callback", &Ctx::interrupt_callback)
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
