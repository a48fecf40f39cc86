// The library in a host: three contexts that start, stop, pause, commit and ask at random, from a thread of their own,
// while the host goes about its business.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "base/random.h"
#include "damon_c.h"
#include "host.h"

namespace damon::test {

class Controller : public Embedding {
public:
    Controller(uint64_t seed, int32_t access_check, HostLog& log);
    // Stops and frees everything.
    ~Controller() override;
    Controller(const Controller&) = delete;
    Controller& operator=(const Controller&) = delete;

    void place_goes(Place& place) override;
    void place_came(Place& place) override;
    void keep_away(const Place& place) override;
    void come_back(const Place& place) override;
    bool releasing() const override;
    bool in_child() override;

private:
    // What the library was told of a place.
    struct Told {
        void* start = nullptr;
        size_t bytes = 0;
        bool added = false;
        bool declared = false;
    };
    static constexpr size_t kNrContexts = 3;
    static constexpr size_t kWhole = 0;    // memory of the whole process
    static constexpr size_t kRanges = 1;   // ranges that come and go
    static constexpr size_t kSchemes = 2;  // with schemes that change nothing of the content
    static constexpr size_t kFieldPages = 10'000;

    void run();
    void control();
    void start_or_stop(damon_ctx* ctx);
    void pause_or_resume(damon_ctx* ctx);
    void commit(damon_ctx* ctx);
    void call(damon_ctx* ctx);
    void look_at_what_is_written();
    void ask(damon_ctx* ctx);
    void add_many();
    void remove_many();
    damon_ctx* new_context();
    void add_schemes(damon_ctx* ctx);
    // Notes the first call that failed for a reason that is not among `allowed`.
    void expect(const char* what, const damon_ctx* ctx, int result, std::initializer_list<int> allowed = {});

    HostLog& log_;
    const int32_t access_check_;
    Random host_random_;  // of the calls that the host makes
    Random random_;
    damon_ctx* contexts_[kNrContexts] = {};
    Told told_[Host::kNrPlaces];
    char* field_ = nullptr;  // 10,000 pages, each of which may be a range
    std::vector<bool> in_field_;
    std::vector<damon_region_info> regions_;
    std::atomic<bool> quit_{false};
    std::atomic<int64_t> last_stop_ms_{0};
    std::thread thread_;
};

}  // namespace damon::test
