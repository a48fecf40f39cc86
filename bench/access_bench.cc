// What a sample costs the worker, for each access check that works here: arming and looking, against two bare system
// calls. Between the two a tenth of the memory is accessed, as a program would.
#include <benchmark/benchmark.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vector>

#include "base/random.h"
#include "ops/linux/access_check.h"
#include "ops/linux/shared_ranges.h"
#include "ops/linux/vaddr.h"

namespace damon {
namespace {

constexpr uint64_t kPage = 4096;

void TwoBareSystemCalls(benchmark::State& state) {
    for (auto _ : state) {
        syscall(SYS_getppid);
        syscall(SYS_getppid);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(TwoBareSystemCalls);

class Memory {
public:
    Memory(AccessCheck way, uint64_t bytes) : shared_(way == AccessCheck::kZap), bytes_(bytes) {
        int error = 0;
        void* block = shared_ ? shared_map(bytes, error)
                              : mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        start_ = static_cast<volatile char*>(block == MAP_FAILED ? nullptr : block);
        if (start_ != nullptr) touch(bytes_);
    }
    ~Memory() {
        if (start_ == nullptr) return;
        if (shared_) {
            shared_unmap(const_cast<char*>(start_), bytes_);
        } else {
            munmap(const_cast<char*>(start_), bytes_);
        }
    }
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;

    bool ok() const { return start_ != nullptr; }
    uint64_t address() const { return reinterpret_cast<uintptr_t>(start_); }
    void touch(uint64_t bytes) {
        for (uint64_t at = 0; at < bytes; at += kPage) start_[at] = 1;
    }

private:
    bool shared_;
    uint64_t bytes_;
    volatile char* start_ = nullptr;
};

void draw(Random& random, const Memory& memory, uint64_t bytes, std::vector<Sample>& samples) {
    const uint64_t region = bytes / samples.size();
    for (size_t i = 0; i < samples.size(); ++i) {
        const uint64_t start = memory.address() + i * region;
        samples[i] = Sample();
        samples[i].region = {start, start + region};
        samples[i].addr = random.between(start, start + region);
    }
}

// Arguments: access check, samples, MiB.
void Sampling(benchmark::State& state) {
    const auto way = static_cast<AccessCheck>(state.range(0));
    const AccessCheckProbe probe = access_check_probe(static_cast<int32_t>(way));
    if (!probe.available) return state.SkipWithError(probe.reason);
    const uint64_t bytes = static_cast<uint64_t>(state.range(2)) << 20;
    Memory memory(way, bytes);
    if (!memory.ok()) return state.SkipWithError("no memory");
    Params params;
    params.ops_id = OpsId::kFvaddr;
    params.access_check = static_cast<int32_t>(way);
    params.attrs.max_nr_regions = static_cast<uint64_t>(state.range(1));
    if (!params.targets.resize(1)) return state.SkipWithError("no memory");
    VaddrOps ops;
    const Status status = ops.start(params);
    if (!status.ok()) return state.SkipWithError(status.text());
    std::vector<Sample> samples(static_cast<size_t>(state.range(1)));
    Random random(1);
    uint64_t unknown = 0;
    for (auto _ : state) {
        state.PauseTiming();
        draw(random, memory, bytes, samples);
        state.ResumeTiming();
        ops.arm(samples);
        state.PauseTiming();
        memory.touch(bytes / 10);
        state.ResumeTiming();
        ops.look(samples);
        for (const Sample& sample : samples) unknown += sample.seen == Seen::kUnknown;
    }
    ops.stop();
    state.SetItemsProcessed(state.iterations() * state.range(1));
    state.counters["ns_per_sample"] = benchmark::Counter(static_cast<double>(state.iterations() * state.range(1)),
                                                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    state.counters["unknown"] = static_cast<double>(unknown);
}
BENCHMARK(Sampling)
    ->ArgNames({"check", "samples", "MiB"})
    ->ArgsProduct({{1, 2, 3}, {10, 100, 1'000}, {256, 1'024}})
    ->Iterations(200);

}  // namespace
}  // namespace damon

BENCHMARK_MAIN();
