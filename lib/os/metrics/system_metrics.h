// Measurements of the system for quota goals and watermarks: reads the files of /proc, /sys and the cgroup file system.
// Files stay open and are read anew each time; nothing is allocated. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "model/metrics.h"
#include "model/params.h"
#include "os/own_file.h"

namespace damon {

class SystemMetrics {
public:
    // `root`: where proc and sys are looked for, "" but in tests; must live as long as this.
    explicit SystemMetrics(const char* root = "") : root_(root) {}
    ~SystemMetrics() { close(); }
    SystemMetrics(const SystemMetrics&) = delete;
    SystemMetrics& operator=(const SystemMetrics&) = delete;

    void close();

    // Answers what can be measured here (S-28). A node that does not exist and a group that is not known have the
    // answers that the rules give them.
    void measure(std::span<MetricQuery> queries);
    // MemFree of MemTotal; negative: not known.
    int32_t free_memory_permil();
    // What this process's memory group may still take, of its limit; negative: it has none.
    int32_t own_memcg_permil();

    // Refuses goals and watermarks that cannot be measured here, and nodes and memory groups that do not exist: such a
    // scheme would never act.
    Status validate(const Params& params);

private:
    enum class File : uint8_t { kNone, kMeminfo, kPressure, kNodeMeminfo, kGroup };
    struct Open {
        File file = File::kNone;
        int32_t nid = -1;
        uint64_t memcg_id = 0;
        OwnFile content;
    };
    static constexpr size_t kMaxOpen = 16;
    static constexpr size_t kMaxText = 16384;

    Status validate_goal(const QuotaGoal& goal, size_t scheme_idx, size_t goal_idx);
    Status validate_destinations(const SchemeParams& scheme, size_t scheme_idx);
    Status validate_groups(const SchemeParams& scheme, size_t scheme_idx) const;
    bool group_exists(uint64_t memcg_id) const;
    bool measure_one(MetricQuery& query);
    bool measure_node(MetricQuery& query);
    bool measure_group(MetricQuery& query);
    bool measure_lists(MetricQuery& query);
    bool measure_pressure(MetricQuery& query);
    bool measure_own_group(MetricQuery& query);
    int open(File file, int32_t nid, uint64_t memcg_id);
    Open& place_of(File file, int32_t nid, uint64_t memcg_id);
    size_t read(File file, int32_t nid, uint64_t memcg_id, char* text);
    bool node_total(int32_t nid, uint64_t& total, uint64_t& free);

    const char* root_;
    Open open_[kMaxOpen];
    size_t next_ = 0;  // the place that is given up next
};

}  // namespace damon
