// Programs that were compiled against an older header: every structure in every size that it can have had.
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "toy.h"

namespace damon::test {
namespace {

constexpr unsigned char kBehind = 0xa5;

// A structure of `size` bytes, with what is no part of it behind: a caller's other variables.
template <typename T>
class Older {
public:
    Older(void (*init)(T*), uint32_t size) : bytes_(sizeof(T), kBehind) {
        T whole;
        init(&whole);
        whole.size = size;
        memcpy(bytes_.data(), &whole, size);
    }
    T* get() { return reinterpret_cast<T*>(bytes_.data()); }
    uint32_t size() const { return reinterpret_cast<const T*>(bytes_.data())->size; }
    bool is_clean_behind(uint32_t size) const {
        for (size_t i = size; i < bytes_.size(); ++i) {
            if (bytes_[i] != kBehind) return false;
        }
        return true;
    }

private:
    std::vector<unsigned char> bytes_;
};

// `call` gets the structure in each size; it succeeds, and nothing behind the structure is written.
template <typename T, typename Call>
void every_size(const char* name, void (*init)(T*), Call call, size_t smallest = 16) {
    for (size_t size = smallest; size <= sizeof(T); size += alignof(T)) {
        SCOPED_TRACE(std::string(name) + " of " + std::to_string(size) + " bytes");
        Older<T> older(init, static_cast<uint32_t>(size));
        EXPECT_GE(call(older.get()), 0);
        EXPECT_EQ(older.size(), size);
        EXPECT_TRUE(older.is_clean_behind(static_cast<uint32_t>(size)));
    }
}

TEST(OlderSize, OfParametersMeansTheDefaults) {
    Context context;
    every_size<damon_attrs>("damon_attrs", damon_attrs_init, [&](damon_attrs* a) {
        const int result = damon_ctx_set_attrs(context, a);
        const damon_attrs now = attrs_of(context);
        damon_attrs defaults;
        damon_attrs_init(&defaults);
        EXPECT_EQ(memcmp(&now, &defaults, sizeof now), 0);
        return result;
    });
    every_size<damon_worker_attr>("damon_worker_attr", damon_worker_attr_init,
                                  [&](damon_worker_attr* a) { return damon_ctx_set_worker_attr(context, a); });
    every_size<damon_operations>("damon_operations", damon_operations_init, [](damon_operations* o) {
        Context other;
        return damon_ctx_set_custom_ops(other, o, nullptr);
    });
    every_size<damon_reclaim_params>("damon_reclaim_params", damon_reclaim_params_init, [](damon_reclaim_params* p) {
        Context other;
        return damon_preset_reclaim(other, p);
    });
    every_size<damon_lru_sort_params>("damon_lru_sort_params", damon_lru_sort_params_init,
                                      [](damon_lru_sort_params* p) {
                                          Context other;
                                          return damon_preset_lru_sort(other, p);
                                      });
}

TEST(OlderSize, OfSchemesAndProbesMeansTheDefaults) {
    every_size<damos_params>("damos_params", damos_params_init, [](damos_params* p) {
        Context context;
        damos* const scheme = damos_new(p);
        return scheme == nullptr ? -EINVAL : damon_ctx_add_scheme(context, scheme);
    });
    Context context;
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    damos* const scheme = damon_ctx_scheme(context, 0);
    every_size<damos_filter>("damos_filter", damos_filter_init,
                             [&](damos_filter* f) { return damos_add_filter(scheme, f); });
    const auto add_goal = [&](damos_quota_goal* g) {
        g->target_value = 1;
        return damos_add_quota_goal(scheme, g);
    };
    every_size<damos_quota_goal>("damos_quota_goal", damos_quota_goal_init, add_goal,
                                 offsetof(damos_quota_goal, target_value) + sizeof(uint64_t));
    damon_probe* const probe = damon_probe_new();
    every_size<damon_probe_filter>("damon_probe_filter", damon_probe_filter_init,
                                   [&](damon_probe_filter* f) { return damon_probe_add_filter(probe, f); });
    damon_probe_free(probe);
}

TEST(OlderSize, OfAnswersIsNotOverrun) {
    Context context(true);
    ASSERT_EQ(damon_ctx_add_scheme(context, scheme_of()), 0);
    ASSERT_EQ(context.start(), 0);
    ASSERT_EQ(context.step(20), 0);
    every_size<damon_attrs>("damon_attrs", damon_attrs_init,
                            [&](damon_attrs* a) { return damon_ctx_get_attrs(context, a); });
    every_size<damon_ctx_stats>("damon_ctx_stats", damon_ctx_stats_init,
                                [&](damon_ctx_stats* s) { return damon_ctx_get_stats(context, s); });
    std::vector<damon_region_info> regions(1000);
    every_size<damon_snapshot_info>("damon_snapshot_info", damon_snapshot_info_init, [&](damon_snapshot_info* i) {
        return damon_snapshot_read(context, regions.data(), regions.size(), i);
    });
    every_size<damos_stat>("damos_stat", damos_stat_init,
                           [&](damos_stat* s) { return damon_ctx_get_scheme_stat(context, 0, s); });
    every_size<damon_action_stats>("damon_action_stats", damon_action_stats_init,
                                   [&](damon_action_stats* s) { return damon_ctx_get_action_stats(context, s); });
    every_size<damon_state_info>("damon_state_info", damon_state_info_init,
                                 [&](damon_state_info* s) { return damon_ctx_get_state(context, s); });
    every_size<damon_stat_result>("damon_stat_result", damon_stat_result_init,
                                  [&](damon_stat_result* r) { return damon_stat_read(context, r); });
    every_size<damon_access_check_info>("damon_access_check_info", damon_access_check_info_init,
                                        [](auto* i) { return damon_access_check_probe(DAMON_ACCESS_CHECK_REPORT, i); });
}

TEST(OlderSize, OfTheSimulatorMeansTheDefaults) {
    damon_sim* const sim = damon_sim_new(nullptr);
    ASSERT_NE(sim, nullptr);
    every_size<damon_sim_params>("damon_sim_params", damon_sim_params_init, [](damon_sim_params* p) {
        damon_sim* const other = damon_sim_new(p);
        damon_sim_free(other);
        return other == nullptr ? -EINVAL : 0;
    });
    uint64_t next = 0;
    const auto add_range = [&](damon_sim_range* r) {
        r->start = next;
        r->end = next += kPage;
        return damon_sim_add_range(sim, r);
    };
    every_size<damon_sim_range>("damon_sim_range", damon_sim_range_init, add_range,
                                offsetof(damon_sim_range, end) + sizeof(uint64_t));
    const auto add_pattern = [&](damon_sim_pattern* p) {
        p->end = kPage;
        return damon_sim_add_pattern(sim, p);
    };
    every_size<damon_sim_pattern>("damon_sim_pattern", damon_sim_pattern_init, add_pattern,
                                  offsetof(damon_sim_pattern, end) + sizeof(uint64_t));
    every_size<damon_sim_stat>("damon_sim_stat", damon_sim_stat_init,
                               [&](damon_sim_stat* s) { return damon_sim_get_stat(sim, s); });
    damon_sim_query query;
    damon_sim_query_init(&query);
    uint64_t rate = 0;
    every_size<damon_sim_query>("damon_sim_query", damon_sim_query_init,
                                [&](damon_sim_query* q) { return damon_sim_rate(sim, q, 0, &rate); });
    every_size<damon_sim_accuracy>("damon_sim_accuracy", damon_sim_accuracy_init, [&](damon_sim_accuracy* a) {
        return damon_sim_compare(sim, &query, nullptr, 0, 1, a);
    });
    damon_sim_free(sim);
}

}  // namespace
}  // namespace damon::test
