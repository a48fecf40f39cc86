#include "ops/linux/actions/page_prober.h"

#include <algorithm>

#include "base/arithmetic.h"
#include "ops/linux/actions/page_filter.h"
#include "os/metrics/cgroup.h"

namespace damon {

bool PageProber::reach(pid_t pid) {
    if (scan_.is_open() && pid_ == pid) return true;
    sizes_ = read_page_sizes();
    if (scan_.open(pid, sizes_.base_bytes) != 0) return false;
    pid_ = pid;
    memcg_id_ = memcg_id_of(pid);
    return true;
}

uint8_t PageProber::verdicts(uint64_t address) {
    const uint64_t page = align_down(address, sizes_.base_bytes);
    PageRun run;
    uint64_t until = 0;
    if (scan_.look({page, page + sizes_.base_bytes}, {&run, 1}, until) < 1) run.state = 0;
    const PageView view{run.state, run.huge() ? sizes_.huge_bytes : sizes_.base_bytes, memcg_id_};
    unsigned bits = 0;
    for (unsigned i = 0; i < probes_.size(); ++i) bits |= page_hits(probes_[i], view) ? 1u << i : 0u;
    return static_cast<uint8_t>(bits);
}

void PageProber::probe(std::span<const Sample> samples, std::span<const int32_t> pids, std::span<uint8_t> hits) {
    const size_t count = std::min(samples.size(), hits.size());
    for (size_t i = 0; i < count; ++i) {
        hits[i] = 0;
        if (samples[i].target_idx < pids.size() && reach(pids[samples[i].target_idx]))
            hits[i] = verdicts(samples[i].addr);
    }
}

}  // namespace damon
