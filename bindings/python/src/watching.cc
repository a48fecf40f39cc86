// What a context watches besides its targets, what it is doing, exact questions, and what it has learned.
#include <pybind11/stl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "callbacks.h"
#include "context.h"
#include "fields.h"
#include "waiting.h"

namespace damon_python {

namespace {

const void* at(uint64_t addr) { return reinterpret_cast<const void*>(static_cast<uintptr_t>(addr)); }

// Waits for the worker where the caller is not its own callback; Ctrl-C ends the wait.
int wait_for_worker(Ctx& self, const std::function<int(damon_ctx*)>& function) {
    if (self.manual || self.on_worker()) {
        return self.wait(Collector::From::kThisThread, [&](damon_ctx* ctx) { return function(ctx); });
    }
    return wait_apart([function, ctx = self.open()] { return function(ctx.get()); });
}

void refresh(Ctx& self) { check(self.open().get(), wait_for_worker(self, damon_ctx_refresh)); }

py::dict state(const Ctx& self) {
    const auto ctx = self.open();
    damon_state_info info;
    damon_state_info_init(&info);
    check(ctx.get(), damon_ctx_get_state(ctx.get(), &info));
    py::dict found = write_struct(info);
    found["reason"] = py::str(info.reason, strnlen(info.reason, sizeof info.reason));
    return found;
}

void set_coverage(Ctx& self, py::handle flags) {
    const auto ctx = self.open();
    check(ctx.get(), damon_ctx_set_coverage(ctx.get(), to_u32(flags, "coverage")));
}

void cover_range(Ctx& self, uint64_t start, uint64_t end, uint32_t flags) {
    const auto ctx = self.open();
    check(ctx.get(), without_gil([&] { return damon_ctx_add_range(ctx.get(), at(start), end - start, flags); }));
}

void remove_range(Ctx& self, uint64_t start, uint64_t end) {
    const auto ctx = self.open();
    check(ctx.get(), without_gil([&] { return damon_ctx_remove_range(ctx.get(), at(start), end - start); }));
}

// damon_exclude() and damon_include() know no context, whose words could be asked for.
std::string why_not_excluded(int error, uint64_t start, uint64_t end) {
    char range[64];
    snprintf(range, sizeof range, "the range from %#" PRIx64 " to %#" PRIx64, start, end);
    if (error == -ENOENT) return std::string(range) + " is not excluded";
    if (error != -EINVAL) return std::string(range) + ": " + damon_strerror(error);
    return std::string(range) + " must be whole pages: both ends multiples of " + std::to_string(sysconf(_SC_PAGESIZE));
}

template <int (*Call)(const void*, size_t)>
void call_on_range(uint64_t start, uint64_t end) {
    const int error = without_gil([&] { return Call(at(start), end - start); });
    if (error < 0) raise_error(error, why_not_excluded(error, start, end));
}

void set_worker_attr(Ctx& self, py::object given) {
    const auto ctx = self.open();
    damon_worker_attr attr;
    damon_worker_attr_init(&attr);
    read_struct(given, attr);
    std::vector<uint64_t> mask;
    for (const py::handle entry : py::reinterpret_borrow<py::iterable>(given.attr("cpus"))) {
        const uint32_t cpu = to_u32(entry, "cpus");
        if (cpu >= 1 << 16) raise_error(-EINVAL, "cpus has " + std::to_string(cpu) + "; there are no so many CPUs");
        if (cpu / 64 >= mask.size()) mask.resize(cpu / 64 + 1);
        mask[cpu / 64] |= uint64_t{1} << cpu % 64;
    }
    attr.cpu_mask = mask.empty() ? nullptr : mask.data();
    attr.nr_cpu_words = mask.size();
    const auto name = py::cast<std::string>(given.attr("name"));
    if (name.size() >= sizeof attr.name) {
        raise_error(-EINVAL, "name is '" + name + "'; it may have up to 15 bytes");
    }
    memcpy(attr.name, name.c_str(), name.size() + 1);
    check(ctx.get(), damon_ctx_set_worker_attr(ctx.get(), &attr));
}

// {members of damon_range_query, "touched": a byte a unit, "idle": a byte a unit}; None for what is not wanted.
py::dict query_range(Ctx& self, uint64_t start, uint64_t end, py::handle unit_bytes, bool wants_touched,
                     bool wants_idle) {
    const auto ctx = self.open();
    damon_range_query query;
    damon_range_query_init(&query);
    if (!unit_bytes.is_none()) query.unit_bytes = to_u64(unit_bytes, "unit_bytes");
    if (query.unit_bytes == 0) raise_error(-EINVAL, "unit_bytes is 0; it must be the size of a page or a huge page");
    const uint64_t nr_units = (end - start + query.unit_bytes - 1) / query.unit_bytes;
    std::vector<uint64_t> touched(wants_touched ? (nr_units + 63) / 64 : 0);
    std::string idle(wants_idle ? nr_units : 0, '\0');
    query.nr_units = nr_units;
    query.touched = wants_touched ? touched.data() : nullptr;
    query.idle = wants_idle ? reinterpret_cast<uint8_t*>(idle.data()) : nullptr;
    check(ctx.get(), without_gil([&] { return damon_query_range(ctx.get(), at(start), end - start, &query); }));
    py::dict found = write_struct(query);
    std::string bytes(wants_touched ? nr_units : 0, '\0');
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(touched[i / 64] >> i % 64 & 1);
    found["touched"] = wants_touched ? py::object(py::bytes(bytes)) : py::none();
    found["idle"] = wants_idle ? py::object(py::bytes(idle)) : py::none();
    return found;
}

py::dict wss(Ctx& self, int32_t mode, py::handle interval_us) {
    const auto result = std::make_shared<damon_wss_result>();
    damon_wss_result_init(result.get());
    result->mode = mode;
    result->interval_us = to_u64(interval_us, "interval_us");
    const auto ask = [result](damon_ctx* ctx) { return damon_wss(ctx, result.get()); };
    check(self.open().get(), wait_for_worker(self, ask));
    return write_struct(*result);
}

// On whatever thread waits: no Python.
int64_t save_to(damon_ctx* ctx, std::string& bytes) {
    int64_t size = damon_ctx_save(ctx, nullptr, 0);
    while (size > 0) {
        // It grows while the context runs.
        bytes.resize(static_cast<size_t>(size) + static_cast<size_t>(size) / 4);
        size = damon_ctx_save(ctx, bytes.data(), bytes.size());
        if (size != -ENOSPC) break;
        size = damon_ctx_save(ctx, nullptr, 0);
    }
    bytes.resize(static_cast<size_t>(std::max<int64_t>(size, 0)));
    return size;
}

py::bytes save_context(Ctx& self) {
    const auto bytes = std::make_shared<std::string>();
    const auto take = [bytes](damon_ctx* ctx) { return static_cast<int>(std::min<int64_t>(save_to(ctx, *bytes), 0)); };
    check(self.open().get(), wait_for_worker(self, take));
    return py::bytes(*bytes);
}

void restore_context(Ctx& self, const py::bytes& saved) {
    const auto bytes = std::make_shared<std::string>(saved);
    const auto take = [bytes](damon_ctx* ctx) { return damon_ctx_restore(ctx, bytes->data(), bytes->size()); };
    check(self.open().get(), wait_for_worker(self, take));
}

}  // namespace

void bind_watching(py::module_& module, py::class_<Ctx>& type) {
    type.def("refresh", &refresh)
        .def("state", &state)
        .def("set_coverage", &set_coverage)
        .def("add_range", &cover_range)
        .def("remove_range", &remove_range)
        .def("set_worker_attr", &set_worker_attr)
        .def("query_range", &query_range)
        .def("wss", &wss)
        .def("save", &save_context)
        .def("restore", &restore_context);
    module.def("exclude", &call_on_range<damon_exclude>);
    module.def("include", &call_on_range<damon_include>);
}

}  // namespace damon_python
