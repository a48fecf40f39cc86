// Schemes: dataclasses in, a damos of the context out; the program's own actions.
#include <string>
#include <vector>

#include "callbacks.h"
#include "context.h"
#include "fields.h"

namespace damon_python {

namespace {

// The damos until the context owns it.
struct FreeScheme {
    void operator()(damos* scheme) const { damos_free(scheme); }
};
using OwnedScheme = std::unique_ptr<damos, FreeScheme>;

uint64_t run_action(void* data, damon_ctx*, const damon_region_info* region, size_t scheme_idx) {
    const Action& action = *static_cast<Action*>(data);
    Ctx& ctx = *action.ctx;
    uint64_t applied = 0;
    in_python(ctx, action.function, [&] {
        const PassScope pass(ctx);
        const auto function = py::reinterpret_borrow<py::object>(action.function);
        applied = to_u64(function(*region, scheme_idx), "what the action returns (the bytes dealt with)");
    });
    return applied;
}

py::tuple key_of(PyObject* function) { return py::make_tuple("action", reinterpret_cast<uintptr_t>(function)); }

// A scheme that belongs to no context keeps no words about a failure: one that belongs to a context of its own does.
template <typename Change>
void change(damos* scheme, Change change_scheme) {
    const int error = change_scheme(scheme);
    if (error == 0) return;
    const std::shared_ptr<damon_ctx> scratch(damon_ctx_new(), damon_ctx_free);
    damos_params params;
    damos_params_init(&params);
    OwnedScheme copy(damos_new(&params));
    if (damon_ctx_add_scheme(scratch.get(), copy.get()) == 0) change_scheme(copy.release());
    raise_error_of(scratch.get(), error);
}

void add_filters(damos* scheme, const py::object& given) {
    for (const py::handle entry : given.attr("filters")) {
        damos_filter filter;
        damos_filter_init(&filter);
        read_struct(entry, filter);
        change(scheme, [&](damos* s) { return damos_add_filter(s, &filter); });
    }
}

void add_goals(damos* scheme, const py::object& given) {
    for (const py::handle entry : given.attr("quota").attr("goals")) {
        damos_quota_goal goal;
        damos_quota_goal_init(&goal);
        read_struct(entry, goal);
        change(scheme, [&](damos* s) { return damos_add_quota_goal(s, &goal); });
    }
}

void set_dests(damos* scheme, const py::object& given) {
    std::vector<damos_migrate_dest> dests;
    for (const py::handle entry : given.attr("migrate_dests")) {
        dests.push_back({to_u32(entry.attr("nid"), "nid"), to_u32(entry.attr("weight"), "weight")});
    }
    change(scheme, [&](damos* s) { return damos_set_migrate_dests(s, dests.data(), dests.size()); });
}

}  // namespace

damos_params Ctx::read_params(py::object scheme) {
    damos_params params;
    damos_params_init(&params);
    read_struct(scheme, params);
    const py::object function = scheme.attr("callback");
    if (params.action != DAMOS_CALLBACK && !function.is_none()) {
        raise_error(-EINVAL, "the scheme has a callback and another action; use action=Action.CALLBACK");
    }
    if (params.action != DAMOS_CALLBACK) return params;
    if (PyCallable_Check(function.ptr()) == 0) {
        throw py::type_error("a scheme with Action.CALLBACK needs callback=a function of (region, scheme_idx)");
    }
    std::unique_ptr<Action>& action = actions_[function.ptr()];
    if (action == nullptr) action = std::make_unique<Action>(Action{this, function});
    kept[key_of(function.ptr())] = function;
    params.action_fn = run_action;
    params.action_data = action.get();
    return params;
}

void Ctx::add_scheme(py::object scheme, Ctx& home) {
    const auto ctx = open();
    const damos_params params = home.read_params(scheme);
    OwnedScheme made(damos_new(&params));
    if (made == nullptr) raise_error(-ENOMEM, "no memory for a scheme");
    add_filters(made.get(), scheme);
    add_goals(made.get(), scheme);
    set_dests(made.get(), scheme);
    check(ctx.get(), damon_ctx_add_scheme(ctx.get(), made.get()));
    static_cast<void>(made.release());
}

void Ctx::keep_actions(py::iterable functions) {
    if (pass_depth > 0) return;
    std::unordered_map<PyObject*, std::unique_ptr<Action>> wanted;
    for (const py::handle function : functions) {
        const auto found = actions_.find(function.ptr());
        if (found != actions_.end()) wanted.insert(actions_.extract(found));
    }
    wanted.swap(actions_);
    for (const auto& [function, action] : wanted) kept.attr("pop")(key_of(function), py::none());
}

void Ctx::set_scheme_params(size_t idx, py::object scheme) {
    const auto ctx = open();
    damos* found = damon_ctx_scheme(ctx.get(), idx);
    if (found == nullptr) {
        raise_error(-EINVAL, "there is no scheme " + std::to_string(idx) + "; the context has " +
                                 std::to_string(damon_ctx_nr_schemes(ctx.get())));
    }
    const damos_params params = read_params(scheme);
    check(ctx.get(), damos_set_params(found, &params));
}

}  // namespace damon_python
