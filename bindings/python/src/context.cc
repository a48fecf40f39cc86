#include "context.h"

#include <pybind11/stl.h>

#include <array>
#include <vector>

#include "callbacks.h"
#include "fields.h"

namespace damon_python {

namespace {

std::vector<damon_addr_range> to_ranges(py::handle given) {
    std::vector<damon_addr_range> ranges;
    for (const py::handle entry : py::reinterpret_borrow<py::iterable>(given)) {
        if (!py::isinstance<py::sequence>(entry) || py::len(entry) != 2) {
            throw py::type_error("a range must be a pair (start, end) of addresses, not " +
                                 std::string(py::repr(entry)));
        }
        const auto pair = py::reinterpret_borrow<py::sequence>(entry);
        ranges.push_back({to_u64(py::object(pair[0]), "start"), to_u64(py::object(pair[1]), "end")});
    }
    return ranges;
}

damon_target* target_at(damon_ctx* ctx, size_t idx) {
    damon_target* target = damon_ctx_target(ctx, idx);
    if (target != nullptr) return target;
    raise_error(-EINVAL, "there is no target " + std::to_string(idx) + "; the context has " +
                             std::to_string(damon_ctx_nr_targets(ctx)));
}

template <int (*Set)(damon_ctx*, uint64_t)>
auto setter(const char* what) {
    return [what](Ctx& self, py::handle value) {
        const auto ctx = self.open();
        check(ctx.get(), Set(ctx.get(), to_u64(value, what)));
    };
}

template <int (*Set)(damon_ctx*, int32_t)>
auto choice(const char* what) {
    return [what](Ctx& self, py::handle value) {
        const auto ctx = self.open();
        check(ctx.get(), Set(ctx.get(), to_i32(value, what)));
    };
}

template <int (*Remove)(damon_ctx*, size_t)>
void remove(Ctx& self, size_t idx) {
    const auto ctx = self.open();
    check(ctx.get(), Remove(ctx.get(), idx));
}

// Functions and schemes often refer to the context that holds them: the collector has to see that.
void make_collectable(PyHeapTypeObject* heap_type) {
    auto* type = &heap_type->ht_type;
    type->tp_flags |= Py_TPFLAGS_HAVE_GC;
    type->tp_traverse = [](PyObject* object, visitproc visit, void* arg) {
        Py_VISIT(Py_TYPE(object));
        if (!py::detail::is_holder_constructed(object)) return 0;
        const auto& self = py::cast<const Ctx&>(py::handle(object));
        Py_VISIT(self.kept.ptr());
        Py_VISIT(self.faults.last.ptr());
        return 0;
    };
    type->tp_clear = [](PyObject* object) {
        if (!py::detail::is_holder_constructed(object)) return 0;
        auto& self = py::cast<Ctx&>(py::handle(object));
        self.close();
        self.faults.last = py::none();
        return 0;
    };
}

}  // namespace

thread_local const CallbackScope* CallbackScope::top_ = nullptr;

bool Ctx::on_worker() const { return CallbackScope::inside(*this); }

Ctx::Ctx() : handle_(damon_ctx_new(), damon_ctx_free) {
    if (handle_ == nullptr) raise_error(-ENOMEM, "no memory for a context");
}

Ctx::~Ctx() { close(); }

std::shared_ptr<damon_ctx> Ctx::open() const {
    if (handle_ != nullptr) return handle_;
    raise_error(-EBADF, "the context is closed: make a new one");
}

void Ctx::close() {
    if (handle_ == nullptr) return;
    const int error = without_gil([this] {
        damon_ctx* ctx = handle_.get();
        const SimLock lock = lock_sim(sim_);
        return damon_stop(&ctx, 1);
    });
    if (error == -EDEADLK) return;  // in its own callback: it goes on
    std::shared_ptr<damon_ctx> handle;
    handle_.swap(handle);
    kept.clear();
    actions_.clear();
    without_gil([&handle] {
        handle.reset();
        return 0;
    });
}

void Ctx::set_attrs(py::object attrs) {
    const auto ctx = open();
    damon_attrs given;
    damon_attrs_init(&given);
    read_struct(attrs, given);
    check(ctx.get(), damon_ctx_set_attrs(ctx.get(), &given));
}

py::dict Ctx::attrs() const {
    const auto ctx = open();
    damon_attrs now;
    damon_attrs_init(&now);
    check(ctx.get(), damon_ctx_get_attrs(ctx.get(), &now));
    return write_struct(now);
}

void Ctx::add_target(int32_t pid, py::handle ranges, bool obsolete) {
    const auto ctx = open();
    const std::vector<damon_addr_range> given = to_ranges(ranges);
    damon_target* target = damon_target_new();
    if (target == nullptr) raise_error(-ENOMEM, "no memory for a target");
    int error = damon_ctx_add_target(ctx.get(), target);
    if (error < 0) {
        damon_target_free(target);
        raise_error_of(ctx.get(), error);
    }
    error = damon_target_set_pid(target, pid);
    if (error == 0) error = damon_target_set_regions(target, given.data(), given.size());
    if (error == 0) error = damon_target_set_obsolete(target, obsolete);
    if (error == 0) return;
    damon_ctx_remove_target(ctx.get(), damon_ctx_nr_targets(ctx.get()) - 1);
    raise_error_of(ctx.get(), error);
}

void Ctx::set_target_regions(size_t idx, py::handle ranges) {
    const auto ctx = open();
    const std::vector<damon_addr_range> given = to_ranges(ranges);
    damon_target* target = target_at(ctx.get(), idx);
    check(ctx.get(), damon_target_set_regions(target, given.data(), given.size()));
}

void Ctx::set_quota_goal_value(size_t scheme, size_t goal, py::handle value) {
    const auto ctx = open();
    check(ctx.get(), damon_ctx_set_quota_goal_value(ctx.get(), scheme, goal, to_u64(value, "current_value")));
}

py::dict Ctx::stats() const {
    const auto ctx = open();
    damon_ctx_stats now;
    damon_ctx_stats_init(&now);
    check(ctx.get(), damon_ctx_get_stats(ctx.get(), &now));
    return write_struct(now);
}

py::dict Ctx::scheme_stat(size_t idx) const {
    const auto ctx = open();
    damos_stat now;
    damos_stat_init(&now);
    check(ctx.get(), damon_ctx_get_scheme_stat(ctx.get(), idx, &now));
    return write_struct(now);
}

std::string Ctx::errmsg() const {
    const auto ctx = open();
    std::array<char, 512> text{};
    damon_ctx_errmsg(ctx.get(), text.data(), text.size());
    return text.data();
}

void bind_context(py::module_& module) {
    py::class_<Ctx> type(module, "Ctx", py::custom_type_setup(make_collectable));
    type.def(py::init<>())
        .def("close", &Ctx::close)
        .def_property_readonly("closed", &Ctx::closed)
        .def_property_readonly("on_worker", &Ctx::on_worker)
        .def_property_readonly("last_exception", [](const Ctx& self) { return self.faults.last; })
        .def_property_readonly("nr_exceptions", [](const Ctx& self) { return self.faults.count; })
        .def("set_attrs", &Ctx::set_attrs)
        .def("attrs", &Ctx::attrs)
        .def("set_ops", choice<damon_ctx_set_ops>("ops"))
        .def("set_manual",
             [](Ctx& self, bool manual) {
                 const auto ctx = self.open();
                 check(ctx.get(), damon_ctx_set_drive(ctx.get(), manual ? DAMON_DRIVE_MANUAL : DAMON_DRIVE_THREAD));
                 self.manual = manual;
             })
        .def("set_access_check", choice<damon_ctx_set_access_check>("access_check"))
        .def("set_min_region_sz", setter<damon_ctx_set_min_region_sz>("min_region_sz"))
        .def("set_addr_unit", setter<damon_ctx_set_addr_unit>("addr_unit"))
        .def("set_seed", setter<damon_ctx_set_seed>("seed"))
        .def("set_operations", &Ctx::set_operations)
        .def("set_sim", &Ctx::set_sim)
        .def("add_target", &Ctx::add_target)
        .def("remove_target", &remove<damon_ctx_remove_target>)
        .def("set_target_regions", &Ctx::set_target_regions)
        .def("nr_targets", [](const Ctx& self) { return damon_ctx_nr_targets(self.open().get()); })
        .def("add_scheme", &Ctx::add_scheme)
        .def("keep_actions", &Ctx::keep_actions)
        .def("set_scheme_params", &Ctx::set_scheme_params)
        .def("remove_scheme", &remove<damon_ctx_remove_scheme>)
        .def("nr_schemes", [](const Ctx& self) { return damon_ctx_nr_schemes(self.open().get()); })
        .def("scheme_stat", &Ctx::scheme_stat)
        .def("set_quota_goal_value", &Ctx::set_quota_goal_value)
        .def("stats", &Ctx::stats)
        .def("errmsg", &Ctx::errmsg)
        .def("is_running", [](const Ctx& self) { return !self.closed() && damon_is_running(self.open().get()) == 1; })
        .def("is_paused", [](const Ctx& self) { return check(self.open().get(), damon_is_paused(self.open().get())); })
        .def("kdamond_tid", [](const Ctx& self) { return damon_kdamond_tid(self.open().get()); });
    bind_control(type);
    bind_policies(module, type);
    bind_following(module, type);
    bind_watching(module, type);
}

}  // namespace damon_python
