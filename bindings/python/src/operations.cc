// Custom operations: an instance of damon.Operations behind a damon_operations table. Methods that it does not override
// are left out of the table, so that the library's defaults hold and Python is not entered for them.
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "callbacks.h"
#include "context.h"
#include "fields.h"
#include "sim.h"

namespace damon_python {

namespace {

// The samples of one interval: a copy, so that a program that keeps them looks at no freed memory.
struct Samples {
    std::vector<damon_sample> samples;
};

Ctx& ctx_of(void* priv) { return *static_cast<Operations*>(priv)->ctx; }

// Calls a method of the program's operations; `use` gets what it returned.
template <typename Use, typename... Arguments>
bool call_method(void* priv, const char* name, Use use, const Arguments&... arguments) noexcept {
    const Operations& operations = *static_cast<Operations*>(priv);
    bool done = false;
    in_python(*operations.ctx, operations.table, [&] {
        const auto table = py::reinterpret_borrow<py::object>(operations.table);
        use(py::object(table.attr(name)(arguments...)));
        done = true;
    });
    return done;
}

void ignore(const py::object&) {}

py::handle owner_of(void* priv) { return static_cast<Operations*>(priv)->owner; }

int32_t to_seen(py::handle answer) {
    if (answer.is_none()) return DAMON_SEEN_UNKNOWN;
    const py::object plain = py::hasattr(answer, "item") ? py::object(answer.attr("item")())  // NumPy's bool
                                                         : py::reinterpret_borrow<py::object>(answer);
    const uint32_t seen = to_u32(plain, "an answer of check_accesses");
    if (seen > DAMON_SEEN_UNKNOWN) {
        raise_error(-EINVAL, "an answer of check_accesses is " + std::to_string(seen) +
                                 "; it must be True, False, None or a member of damon.Seen");
    }
    return static_cast<int32_t>(seen);
}

std::vector<int32_t> to_answers(const py::object& returned, size_t nr) {
    std::vector<int32_t> answers;
    for (const py::handle answer : py::reinterpret_borrow<py::iterable>(returned)) answers.push_back(to_seen(answer));
    if (answers.size() == nr) return answers;
    raise_error(-EINVAL, "check_accesses returned " + std::to_string(answers.size()) + " answers for " +
                             std::to_string(nr) + " samples; return one for each, or None after setting samples");
}

py::object copy_of(const damon_sample* samples, size_t nr) { return py::cast(Samples{{samples, samples + nr}}); }

int on_init(void* priv, damon_ctx*) {
    return call_method(priv, "init", ignore, owner_of(priv)) || python_ended() ? 0 : -EIO;
}

void on_update(void* priv, damon_ctx*) { call_method(priv, "update", ignore, owner_of(priv)); }

void on_prepare(void* priv, const damon_sample* samples, size_t nr) {
    const Operations& operations = *static_cast<Operations*>(priv);
    const PassScope pass(*operations.ctx);
    in_python(*operations.ctx, operations.table,
              [&] { operations.table.attr("prepare_access_checks")(copy_of(samples, nr)); });
}

void on_check(void* priv, damon_sample* samples, size_t nr) {
    const Operations& operations = *static_cast<Operations*>(priv);
    const PassScope pass(*operations.ctx);
    in_python(*operations.ctx, operations.table, [&] {
        const py::object given = copy_of(samples, nr);
        const py::object returned = operations.table.attr("check_accesses")(given);
        if (returned.is_none()) {
            const auto& answered = py::cast<const Samples&>(given).samples;
            for (size_t i = 0; i < nr; ++i) {
                samples[i].seen = answered[i].seen;
                samples[i].unknown_reason = answered[i].unknown_reason;
            }
            return;
        }
        const std::vector<int32_t> answers = to_answers(returned, nr);
        for (size_t i = 0; i < nr; ++i) samples[i].seen = answers[i];
    });
}

int on_score(void* priv, damon_ctx*, const damon_region_info* region, size_t scheme_idx) {
    int score = 0;
    const auto use = [&](const py::object& returned) { score = to_i32(returned, "what get_scheme_score returns"); };
    const PassScope pass(ctx_of(priv));
    call_method(priv, "get_scheme_score", use, owner_of(priv), *region, scheme_idx);
    return score;
}

uint64_t on_apply(void* priv, damon_ctx*, const damon_region_info* region, size_t scheme_idx, uint64_t* passed) {
    uint64_t applied = 0;
    const auto use = [&](const py::object& returned) {
        if (!py::isinstance<py::tuple>(returned)) {
            applied = to_u64(returned, "what apply_scheme returns (the bytes applied)");
            return;
        }
        const auto pair = py::reinterpret_borrow<py::tuple>(returned);
        if (pair.size() != 2) throw py::type_error("apply_scheme must return bytes applied, or (applied, passed)");
        const uint64_t filtered = to_u64(pair[1], "passed");
        applied = to_u64(pair[0], "applied");
        *passed += filtered;
    };
    const PassScope pass(ctx_of(priv));
    call_method(priv, "apply_scheme", use, owner_of(priv), *region, scheme_idx);
    return applied;
}

// A failing answer keeps the target: a program's mistake does not end the monitoring.
int on_target_valid(void* priv, size_t target_idx) {
    int valid = 1;
    const auto use = [&](const py::object& returned) { valid = PyObject_IsTrue(returned.ptr()) != 0; };
    const PassScope pass(ctx_of(priv));
    call_method(priv, "target_valid", use, target_idx);
    return valid;
}

void on_disarm(void* priv) { call_method(priv, "disarm", ignore); }

void on_cleanup(void* priv) { call_method(priv, "cleanup", ignore); }

damon_operations table_of(const py::object& operations, const py::object& base) {
    const py::type type = py::type::of(operations);
    const py::object own = py::getattr(operations, "__dict__", py::dict());
    const auto given = [&](const char* name) { return !type.attr(name).is(base.attr(name)) || own.contains(name); };
    damon_operations table;
    damon_operations_init(&table);
    table.flags = py::cast<bool>(operations.attr("writes_only")) ? DAMON_OPERATIONS_WRITES_ONLY : 0;
    if (given("init")) table.init = on_init;
    if (given("update")) table.update = on_update;
    if (given("prepare_access_checks")) table.prepare_access_checks = on_prepare;
    if (given("check_accesses")) table.check_accesses = on_check;
    if (given("get_scheme_score")) table.get_scheme_score = on_score;
    if (given("apply_scheme")) table.apply_scheme = on_apply;
    if (given("target_valid")) table.target_valid = on_target_valid;
    if (given("disarm")) table.disarm = on_disarm;
    if (given("cleanup")) table.cleanup = on_cleanup;
    return table;
}

}  // namespace

void Ctx::set_operations(py::object operations, py::object owner) {
    const auto ctx = open();
    const py::object base = py::module_::import("damon.operations").attr("Operations");
    if (!py::isinstance(operations, base))
        throw py::type_error("ops must be an Ops or an instance of damon.Operations");
    const damon_operations table = table_of(operations, base);
    auto made = std::make_unique<Operations>(Operations{this, operations, owner});
    check(ctx.get(), damon_ctx_set_custom_ops(ctx.get(), &table, made.get()));
    operations_ = std::move(made);
    kept["operations"] = py::make_tuple(operations, owner);
}

void Ctx::set_sim(py::object sim) {
    const auto ctx = open();
    auto given = py::cast<std::shared_ptr<Sim>>(sim);
    check(ctx.get(), damon_ctx_set_sim(ctx.get(), given->open()));
    sim_ = std::move(given);
}

void bind_samples(py::module_& module) {
    using Sample = damon_sample;
    py::class_<Sample>(module, "Sample")
        .def_readonly("addr", &Sample::addr)
        .def_readonly("region_start", &Sample::region_start)
        .def_readonly("region_end", &Sample::region_end)
        .def_readonly("target_idx", &Sample::target_idx)
        .def_readonly("seen", &Sample::seen)
        .def_readonly("unknown_reason", &Sample::unknown_reason);
    constexpr const char* kFormat =
        "T{Q:addr:Q:region_start:Q:region_end:I:target_idx:i:seen:i:unknown_reason:I:reserved:}";
    const auto at = [](const Samples& self, size_t index) -> const Sample& {
        if (index < self.samples.size()) return self.samples[index];
        throw py::index_error("there are " + std::to_string(self.samples.size()) + " samples");
    };
    py::class_<Samples>(module, "Samples", py::buffer_protocol())
        .def("__len__", [](const Samples& self) { return self.samples.size(); })
        .def("__getitem__", at)
        .def(
            "set",
            [](Samples& self, size_t index, py::handle seen, py::handle unknown_reason) {
                if (index >= self.samples.size()) throw py::index_error("there is no such sample");
                self.samples[index].seen = to_seen(seen);
                if (!unknown_reason.is_none()) {
                    self.samples[index].unknown_reason = to_i32(unknown_reason, "unknown_reason");
                }
            },
            py::arg("index"), py::arg("seen"), py::arg("unknown_reason") = py::none())
        .def_property_readonly("array",
                               [](py::object self) {
                                   const auto checks = py::module_::import("damon.checks");
                                   return checks.attr("need_numpy")("Samples.array").attr("asarray")(self);
                               })
        .def_buffer([](Samples& self) {
            return py::buffer_info(self.samples.data(), sizeof(Sample), kFormat, 1,
                                   {static_cast<py::ssize_t>(self.samples.size())},
                                   {static_cast<py::ssize_t>(sizeof(Sample))});
        });
}

}  // namespace damon_python
