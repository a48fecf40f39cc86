// Evaluates probes at sampled addresses of this process and others (P-1, P-2), from the page tables. The worker alone
// uses it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>

#include "base/vector.h"
#include "model/probe.h"
#include "model/sample.h"
#include "os/page_sizes.h"
#include "os/range_scan.h"

namespace damon {

class PageProber {
public:
    // Other probes, to be taken over: until then the old ones go on. False: out of memory.
    [[nodiscard]] bool prepare(const Vector<ProbeParams>& probes) { return prepared_.copy_from(probes); }
    void take_prepared() { probes_.swap(prepared_); }
    void close() { scan_.close(); }

    // Bit i of hits[n]: probe i hits at samples[n]. `pids` by target, 0: this process. Where nothing can be looked at,
    // nothing is there.
    void probe(std::span<const Sample> samples, std::span<const int32_t> pids, std::span<uint8_t> hits);

private:
    bool reach(pid_t pid);
    uint8_t verdicts(uint64_t address);

    Vector<ProbeParams> probes_;
    Vector<ProbeParams> prepared_;
    PageSizes sizes_;
    RangeScan scan_;
    pid_t pid_ = 0;
    uint64_t memcg_id_ = 0;
};

}  // namespace damon
