#include "sim.h"

#include <pybind11/stl.h>

#include <string>
#include <utility>
#include <vector>

#include "context.h"
#include "fields.h"
#include "snapshot.h"

namespace damon_python {

namespace {

damon_sim_query read_query(py::handle given) {
    damon_sim_query query;
    damon_sim_query_init(&query);
    read_struct(given, query);
    return query;
}

std::shared_ptr<Sim> make_sim(py::handle given) {
    damon_sim_params params;
    damon_sim_params_init(&params);
    read_struct(given, params);
    return std::make_shared<Sim>(params);
}

void add_range(Sim& self, py::handle given) {
    damon_sim_range range;
    damon_sim_range_init(&range);
    read_struct(given, range);
    self.use([&](damon_sim* sim) { return damon_sim_add_range(sim, &range); });
}

void add_pattern(Sim& self, py::handle given) {
    damon_sim_pattern pattern;
    damon_sim_pattern_init(&pattern);
    read_struct(given, pattern);
    self.use([&](damon_sim* sim) { return damon_sim_add_pattern(sim, &pattern); });
}

py::dict stat(Sim& self) {
    damon_sim_stat now;
    damon_sim_stat_init(&now);
    self.use([&](damon_sim* sim) { return damon_sim_get_stat(sim, &now); });
    return write_struct(now);
}

uint64_t rate(Sim& self, py::handle given, py::handle addr) {
    const damon_sim_query query = read_query(given);
    const uint64_t address = to_u64(addr, "addr");
    uint64_t found = 0;
    self.use([&](damon_sim* sim) { return damon_sim_rate(sim, &query, address, &found); });
    return found;
}

std::vector<std::pair<uint64_t, uint64_t>> hot_ranges(Sim& self, py::handle given) {
    const damon_sim_query query = read_query(given);
    std::vector<damon_addr_range> ranges(64);
    const int written = self.use([&](damon_sim* sim) {
        size_t count = 0;
        int result = damon_sim_hot_ranges(sim, &query, ranges.data(), ranges.size(), &count);
        if (result != -ENOSPC) return result;
        ranges.resize(count);
        return damon_sim_hot_ranges(sim, &query, ranges.data(), ranges.size(), &count);
    });
    std::vector<std::pair<uint64_t, uint64_t>> found;
    for (int i = 0; i < written; ++i) found.emplace_back(ranges[i].start, ranges[i].end);
    return found;
}

py::dict compare(Sim& self, py::handle given, const Snapshot& snapshot, py::handle min_nr_accesses) {
    const damon_sim_query query = read_query(given);
    const uint32_t least = to_u32(min_nr_accesses, "min_nr_accesses");
    damon_sim_accuracy accuracy;
    damon_sim_accuracy_init(&accuracy);
    self.use([&](damon_sim* sim) {
        return damon_sim_compare(sim, &query, snapshot.regions.get(), snapshot.info.nr_regions, least, &accuracy);
    });
    return write_struct(accuracy);
}

}  // namespace

Sim::Sim(const damon_sim_params& params) : handle(damon_sim_new(&params)) {
    if (handle != nullptr) return;
    raise_error(-EINVAL,
                "no simulator with these parameters: page sizes must be powers of two with huge_page_size at least "
                "page_size, nr_nodes from 1 to 8, node_bytes above 0");
}

damon_sim* Sim::open() const {
    if (pid == getpid()) return handle;
    raise_error(-ECHILD, "the simulator belongs to process " + std::to_string(pid) + ": make one in this process");
}

void Sim::raise_failure(int error) {
    const int length = damon_sim_errmsg(handle, nullptr, 0);
    if (length <= 0 || error == -ENOENT) raise_error(error, damon_strerror(error));
    std::string text(static_cast<size_t>(length) + 1, '\0');
    damon_sim_errmsg(handle, text.data(), text.size());
    raise_error(error, text.c_str());
}

SimLock lock_sim(const std::shared_ptr<Sim>& sim) { return sim == nullptr ? SimLock() : SimLock(sim->mutex); }

void bind_sim(py::module_& module) {
    py::class_<Sim, std::shared_ptr<Sim>>(module, "Sim")
        .def(py::init(&make_sim))
        .def("add_range", &add_range)
        .def("add_pattern", &add_pattern)
        .def("set_target_end",
             [](Sim& self, py::handle target_idx, py::handle at_us) {
                 const uint32_t target = to_u32(target_idx, "target_idx");
                 const uint64_t at = to_u64(at_us, "at_us");
                 self.use([&](damon_sim* sim) { return damon_sim_set_target_end(sim, target, at); });
             })
        .def("stat", &stat)
        .def("rate", &rate)
        .def("hot_ranges", &hot_ranges)
        .def("compare", &compare);
}

}  // namespace damon_python
