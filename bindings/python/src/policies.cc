// Probes, presets, and what actions did.
#include <pybind11/stl.h>

#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "context.h"
#include "fields.h"

namespace damon_python {

namespace {

struct FreeProbe {
    void operator()(damon_probe* probe) const { damon_probe_free(probe); }
};
using OwnedProbe = std::unique_ptr<damon_probe, FreeProbe>;

void add_probe(Ctx& self, py::object given) {
    const auto ctx = self.open();
    OwnedProbe made(damon_probe_new());
    if (made == nullptr) raise_error(-ENOMEM, "no memory for a probe");
    check(ctx.get(), damon_ctx_add_probe(ctx.get(), made.get()));
    damon_probe* probe = made.release();
    int error = 0;
    try {
        error = damon_probe_set_weight(probe, to_u32(given.attr("weight"), "weight"));
        for (const py::handle entry : given.attr("filters")) {
            damon_probe_filter filter;
            damon_probe_filter_init(&filter);
            read_struct(entry, filter);
            if (error == 0) error = damon_probe_add_filter(probe, &filter);
        }
    } catch (...) {
        damon_ctx_remove_probe(ctx.get(), damon_ctx_nr_probes(ctx.get()) - 1);
        throw;
    }
    if (error == 0) return;
    damon_ctx_remove_probe(ctx.get(), damon_ctx_nr_probes(ctx.get()) - 1);
    raise_error_of(ctx.get(), error);
}

void remove_probe(Ctx& self, size_t idx) {
    const auto ctx = self.open();
    check(ctx.get(), damon_ctx_remove_probe(ctx.get(), idx));
}

void set_probe_weight(Ctx& self, size_t idx, py::handle weight) {
    const auto ctx = self.open();
    damon_probe* probe = damon_ctx_probe(ctx.get(), idx);
    if (probe == nullptr) raise_error(-EINVAL, "there is no probe " + std::to_string(idx));
    check(ctx.get(), damon_probe_set_weight(probe, to_u32(weight, "weight")));
}

// The last snapshot and, of each of its regions, how often each probe hit.
py::tuple snapshot_probes(const Ctx& self) {
    const auto ctx = self.open();
    Snapshot snapshot;
    std::vector<damon_probe_hits> hits(1);
    int nr = 0;
    do {
        snapshot.regions = std::make_unique_for_overwrite<damon_region_info[]>(hits.size());
        damon_snapshot_info_init(&snapshot.info);
        nr = damon_snapshot_read_probes(ctx.get(), snapshot.regions.get(), hits.data(), hits.size(), &snapshot.info);
        if (nr == -ENOSPC) hits.resize(snapshot.info.nr_regions);
    } while (nr == -ENOSPC);
    check(ctx.get(), nr);
    const size_t nr_probes = damon_ctx_nr_probes(ctx.get());
    py::list rows(snapshot.info.nr_regions);
    for (size_t i = 0; i < snapshot.info.nr_regions; ++i) {
        py::tuple row(nr_probes);
        for (size_t probe = 0; probe < nr_probes; ++probe) row[probe] = py::int_(hits[i].hits[probe]);
        rows[i] = row;
    }
    return py::make_tuple(std::move(snapshot), rows);
}

template <typename Params, void (*Init)(Params*), int (*Preset)(damon_ctx*, const Params*)>
int preset(Ctx& self, py::object given) {
    const auto ctx = self.open();
    Params params;
    Init(&params);
    read_struct(given, params);
    return check(ctx.get(), Preset(ctx.get(), &params));
}

py::dict stat_read(const Ctx& self) {
    const auto ctx = self.open();
    damon_stat_result result;
    damon_stat_result_init(&result);
    check(ctx.get(), damon_stat_read(ctx.get(), &result));
    py::dict found = write_struct(result);
    py::tuple idle(std::size(result.memory_idle_ms));
    for (size_t i = 0; i < std::size(result.memory_idle_ms); ++i) idle[i] = py::int_(result.memory_idle_ms[i]);
    found["memory_idle_ms"] = idle;
    return found;
}

py::dict action_stats(const Ctx& self) {
    const auto ctx = self.open();
    damon_action_stats stats;
    damon_action_stats_init(&stats);
    check(ctx.get(), damon_ctx_get_action_stats(ctx.get(), &stats));
    return write_struct(stats);
}

}  // namespace

void bind_policies(py::module_& module, py::class_<Ctx>& type) {
    type.def("add_probe", &add_probe)
        .def("remove_probe", &remove_probe)
        .def("set_probe_weight", &set_probe_weight)
        .def("nr_probes", [](const Ctx& self) { return damon_ctx_nr_probes(self.open().get()); })
        .def("snapshot_probes", &snapshot_probes)
        .def("preset_reclaim", &preset<damon_reclaim_params, damon_reclaim_params_init, damon_preset_reclaim>)
        .def("preset_lru_sort", &preset<damon_lru_sort_params, damon_lru_sort_params_init, damon_preset_lru_sort>)
        .def("preset_stat", [](Ctx& self) { check(self.open().get(), damon_preset_stat(self.open().get())); })
        .def("stat_read", &stat_read)
        .def("action_stats", &action_stats);
    module.def("skip_text", [](py::handle skip) { return damos_skip_text(to_i32(skip, "skip")); });
}

}  // namespace damon_python
