#include "ops/offload/offload_reading.h"

#include <cerrno>
#include <cstdio>

#include "base/arithmetic.h"
#include "ops/offload/offload_plan.h"

namespace damon {
namespace {

struct StatFile {
    const char* name;
    uint64_t SchemeStats::*member;
};
constexpr StatFile kStatFiles[] = {
    {"nr_tried", &SchemeStats::nr_tried},
    {"sz_tried", &SchemeStats::sz_tried},
    {"nr_applied", &SchemeStats::nr_applied},
    {"sz_applied", &SchemeStats::sz_applied},
    {"sz_ops_filter_passed", &SchemeStats::sz_ops_filter_passed},
    {"qt_exceeds", &SchemeStats::qt_exceeds},
    {"nr_snapshots", &SchemeStats::nr_snapshots},
};

// 0; -ENOENT where the region does not exist; another negative errno.
int read_region(int folder, size_t index, ReadOf what, TriedRegion& tried) {
    char path[64];
    uint64_t nr_accesses = 0;
    uint64_t age = 0;
    const auto number = [&](const char* name, uint64_t& value) {
        snprintf(path, sizeof path, "%zu/%s", index, name);
        return SysfsTree::read_number_at(folder, path, value);
    };
    int error = number("start", tried.region.start);
    if (error == 0) error = number("end", tried.region.end);
    if (error == 0) error = number("nr_accesses", nr_accesses);
    if (error == 0) error = number("age", age);
    if (error != 0) return error;
    tried.region.nr_accesses = saturate_u32(nr_accesses);
    tried.region.age = saturate_u32(age);
    // Newer than the others.
    if (!what.filter_passed || number("sz_filter_passed", tried.filter_passed) != 0) tried.filter_passed = 0;
    for (size_t i = 0; i < what.nr_probes && i < kMaxProbes; ++i) {
        char name[32];
        snprintf(name, sizeof name, "probes/%zu/hits", i);
        uint64_t hits = 0;
        if (number(name, hits) == 0) tried.hits.hits[i] = saturate_u8(hits);
    }
    return tried.region.start < tried.region.end ? 0 : -EINVAL;
}

}  // namespace

int read_tried_regions(const SysfsTree& tree, size_t scheme_idx, ReadOf what, Vector<TriedRegion>& tried) {
    char path[kFolderBytes];
    snprintf(path, sizeof path, "%sschemes/%zu/tried_regions", kContextFolder, scheme_idx);
    const int folder = tree.open_folder(path);
    if (folder < 0) return folder;
    int error = 0;
    for (size_t index = 0; error == 0; ++index) {
        TriedRegion region;
        region.scheme_idx = static_cast<uint32_t>(scheme_idx);
        error = read_region(folder, index, what, region);
        if (error == 0 && !tried.push_back(region)) error = -ENOMEM;
    }
    SysfsTree::close_folder(folder);
    return error == -ENOENT ? 0 : error;
}

SchemeStats read_scheme_stats(const SysfsTree& tree, size_t scheme_idx) {
    SchemeStats stats;
    for (const StatFile& file : kStatFiles) {
        char path[kFolderBytes];
        snprintf(path, sizeof path, "%sschemes/%zu/stats/%s", kContextFolder, scheme_idx, file.name);
        uint64_t value = 0;
        if (tree.read_number(path, value) == 0) stats.*file.member = value;
    }
    return stats;
}

uint32_t TargetFinder::target_of(uint64_t start, uint64_t end) {
    const AddressRange range{start, end};
    for (size_t i = next_; i < regions_.size(); ++i) {
        if (!range.intersects({regions_[i].start, regions_[i].end})) continue;
        next_ = i;
        return regions_[i].target_idx;
    }
    return next_ < regions_.size() ? regions_[next_].target_idx : 0;
}

SchemeStats StatBook::grown(size_t scheme_idx, const SchemeStats& now) {
    SchemeStats more;
    SchemeStats& last = last_[scheme_idx];
    for (const StatFile& file : kStatFiles) {
        // A statistic that went down began anew.
        const uint64_t before = last.*file.member;
        const uint64_t after = now.*file.member;
        more.*file.member = after >= before ? after - before : after;
    }
    last = now;
    return more;
}

}  // namespace damon
