#include "ops/linux/actions/page_filter.h"

#include <algorithm>
#include <cerrno>

#include "os/uapi.h"

namespace damon {
namespace {

bool is_there(uint32_t state) { return (state & (uapi::kPagePresent | uapi::kPageSwapped)) != 0; }

bool is_anon(uint32_t state) { return is_there(state) && (state & (uapi::kPageFile | uapi::kPageZero)) == 0; }

bool is_of_group(const PageView& page, uint64_t memcg_id) {
    return is_there(page.state) && page.memcg_id != 0 && page.memcg_id == memcg_id;
}

bool has_size(const PageView& page, uint64_t min_bytes, uint64_t max_bytes) {
    return (page.state & uapi::kPagePresent) != 0 && min_bytes <= page.block_bytes && page.block_bytes <= max_bytes;
}

bool holds(const DamosFilter& filter, const PageView& page) {
    switch (filter.type) {
        case FilterType::kAnon:
            return is_anon(page.state);
        case FilterType::kMemcg:
            return is_of_group(page, filter.memcg_id);
        case FilterType::kHugepageSize:
            return has_size(page, filter.range.start, filter.range.end);
        case FilterType::kUnmapped:
            return (page.state & uapi::kPagePresent) == 0;
        case FilterType::kActive:
        case FilterType::kYoung:
        case FilterType::kAddr:
        case FilterType::kTarget:
            break;  // refused, or of the other layer
    }
    return false;
}

bool holds(const ProbeFilter& filter, const PageView& page) {
    switch (filter.type) {
        case ProbeFilterType::kAnon:
            return is_anon(page.state);
        case ProbeFilterType::kMemcg:
            return is_of_group(page, filter.memcg_id);
        case ProbeFilterType::kHugepageSize:
            return has_size(page, filter.min_bytes, filter.max_bytes);
    }
    return false;
}

Status validate_filter(const DamosFilter& filter, size_t scheme_idx, size_t filter_idx, bool sees_huge) {
    const auto fail = [&](const char* why) {
        return Status::fail(-EOPNOTSUPP, "schemes[%zu].ops_filters[%zu].type is %s", scheme_idx, filter_idx, why);
    };
    if (filter.type == FilterType::kYoung)
        return fail("DAMOS_FILTER_YOUNG: which page is young is not exposed to user space; use min_age");
    if (filter.type == FilterType::kActive)
        return fail("DAMOS_FILTER_ACTIVE: which page is on the active list is not exposed to user space");
    if (filter.type == FilterType::kHugepageSize && !sees_huge)
        return fail("DAMOS_FILTER_HUGEPAGE_SIZE: finding huge pages needs Linux 6.7");
    return {};
}

}  // namespace

bool page_passes(const ActionRequest& request, const PageView& page) {
    if (request.core_filters_allowed) return true;
    for (const DamosFilter& filter : request.scheme->ops_filters) {
        if (holds(filter, page) == filter.matching) return filter.allow;
    }
    return !request.ops_filters_default_reject;
}

bool page_is_considered(const ActionRequest& request, uint32_t state) {
    if ((state & uapi::kPagePresent) != 0 || request.scheme->action == DamosAction::kWillneed) return true;
    return std::ranges::any_of(request.scheme->ops_filters,
                               [](const DamosFilter& filter) { return filter.type == FilterType::kUnmapped; });
}

bool page_hits(const ProbeParams& probe, const PageView& page) {
    if (probe.filters.empty()) return true;
    for (const ProbeFilter& filter : probe.filters) {
        if (holds(filter, page) == filter.matching) return filter.allow;
    }
    return !probe.filters.back().allow;
}

Status validate_page_filters(const Params& params, bool sees_huge) {
    for (size_t i = 0; i < params.schemes.size(); ++i) {
        const auto& filters = params.schemes[i].ops_filters;
        for (size_t j = 0; j < filters.size(); ++j) {
            if (Status status = validate_filter(filters[j], i, j, sees_huge); !status.ok()) return status;
        }
    }
    for (size_t i = 0; i < params.probes.size(); ++i) {
        for (const ProbeFilter& filter : params.probes[i].filters) {
            if (filter.type != ProbeFilterType::kHugepageSize || sees_huge) continue;
            return Status::fail(-EOPNOTSUPP, "probes[%zu] asks for huge pages: finding them needs Linux 6.7", i);
        }
    }
    return {};
}

}  // namespace damon
