// The program's own operations (damon_ctx_set_custom_ops) as Ops.
#pragma once

#include "base/vector.h"
#include "damon_c.h"
#include "ops/ops.h"

namespace damon {

class CustomOps final : public Ops {
public:
    void set(const damon_operations& table, void* priv, damon_ctx* ctx) {
        table_ = table;
        priv_ = priv;
        ctx_ = ctx;
    }

    OpsTraits traits() const override;
    Status validate(const Params& params) const override;
    Status start(const Params& params) override;
    void stop() override;
    void refresh(uint32_t target_idx, RefreshReason reason, TargetCoverage& coverage) override;
    void arm(std::span<Sample> samples) override;
    void look(std::span<Sample> samples) override;
    void disarm() override;
    bool target_valid(uint32_t target_idx) override;
    bool targets_can_die() const override;
    Outcome apply(const ActionRequest& request) override;
    uint32_t score(const ActionRequest& request) override;

private:
    // The samples as the program sees them; memory only grows, on the library's heap.
    bool copy_samples(std::span<const Sample> samples);

    damon_operations table_{};
    void* priv_ = nullptr;
    damon_ctx* ctx_ = nullptr;
    Vector<damon_sample> samples_;
};

}  // namespace damon
