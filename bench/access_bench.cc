// What a sample costs the worker, for each access check that works here: arming and looking, against the two system
// calls that the way takes, made bare, and against the two cheapest that there are. Between arming and looking a tenth
// of the memory is accessed, as a program would.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vector>

#include "base/random.h"
#include "ops/linux/access/access_check_table.h"
#include "ops/linux/registration/declared_ranges.h"
#include "ops/linux/registration/uffd.h"
#include "ops/linux/vaddr.h"
#include "os/uapi.h"

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

struct Arguments {
    AccessCheck way;
    size_t nr_samples;
    uint64_t bytes;

    explicit Arguments(const benchmark::State& state)
        : way(static_cast<AccessCheck>(state.range(0))),
          nr_samples(static_cast<size_t>(state.range(1))),
          bytes(static_cast<uint64_t>(state.range(2)) << 20) {}
};

// Arms and looks again and again, at pages drawn anew each time; only these two are timed.
template <typename Arm, typename Look>
void sample(benchmark::State& state, Memory& memory, Arm arm, Look look) {
    const Arguments arguments(state);
    std::vector<Sample> samples(arguments.nr_samples);
    Random random(1);
    for (auto _ : state) {
        state.PauseTiming();
        draw(random, memory, arguments.bytes, samples);
        state.ResumeTiming();
        arm(samples);
        state.PauseTiming();
        memory.touch(arguments.bytes / 10);
        state.ResumeTiming();
        look(samples);
    }
    const double nr = static_cast<double>(state.iterations()) * static_cast<double>(arguments.nr_samples);
    state.SetItemsProcessed(static_cast<int64_t>(nr));
    state.counters["ns_per_sample"] = benchmark::Counter(nr, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void Sampling(benchmark::State& state) {
    const Arguments arguments(state);
    const AccessCheckProbe probe = access_check_probe(static_cast<int32_t>(arguments.way));
    if (!probe.available) return state.SkipWithError(probe.reason);
    Memory memory(arguments.way, arguments.bytes);
    if (!memory.ok()) return state.SkipWithError("no memory");
    Params params;
    params.ops_id = OpsId::kFvaddr;
    params.access_check = static_cast<int32_t>(arguments.way);
    params.attrs.max_nr_regions = arguments.nr_samples;
    if (!params.targets.resize(1)) return state.SkipWithError("no memory");
    VaddrOps ops;
    const Status status = ops.start(params);
    if (!status.ok()) return state.SkipWithError(status.text());
    uint64_t unknown = 0;
    sample(
        state, memory, [&](std::span<Sample> samples) { ops.arm(samples); },
        [&](std::span<Sample> samples) {
            ops.look(samples);
            for (const Sample& seen : samples) unknown += seen.seen == Seen::kUnknown;
        });
    ops.stop();
    state.counters["unknown"] = static_cast<double>(unknown);
}

// The least that the way takes: one bare system call to arm a page, whatever is there, and one to look at it.
class BareCalls {
public:
    BareCalls(AccessCheck way, AddressRange memory) : way_(way) {
        file_ = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
        const uint64_t mode = way == AccessCheck::kUffdRwp ? uapi::kRegisterModeRwp : uapi::kRegisterModeWp;
        UffdFeatures features;
        registered_ = way != AccessCheck::kZap && uffd_acquire(features) == 0;
        works_ = file_ >= 0 && (way == AccessCheck::kZap || (registered_ && uffd_register(memory, mode) == 0));
    }
    ~BareCalls() {
        if (registered_) uffd_release();
        close(file_);
    }
    BareCalls(const BareCalls&) = delete;
    BareCalls& operator=(const BareCalls&) = delete;

    bool works() const { return works_; }

    void arm(uint64_t page) {
        if (way_ == AccessCheck::kZap) {
            failed_ |= madvise(reinterpret_cast<void*>(page), kPage, MADV_DONTNEED) != 0;
        } else if (way_ == AccessCheck::kUffdRwp) {
            failed_ |= uffd_rwprotect({page, page + kPage}) != 0;
        } else {
            uapi::ScanArguments arguments = one_page(page);
            arguments.flags = uapi::kScanWpMatching | uapi::kScanCheckWpAsync;
            failed_ |= ioctl(file_, uapi::kPagemapScan, &arguments) < 0;
        }
    }

    void look(uint64_t page) {
        uint64_t entry = 0;
        if (way_ == AccessCheck::kUffdWp) {
            uapi::PageRegion answer{};
            uapi::ScanArguments arguments = one_page(page);
            arguments.vec = reinterpret_cast<uint64_t>(&answer);
            arguments.vec_len = 1;
            failed_ |= ioctl(file_, uapi::kPagemapScan, &arguments) < 0;
            entry = answer.categories;
        } else {
            failed_ |=
                pread(file_, &entry, sizeof entry, static_cast<off_t>(page / kPage * sizeof entry)) != sizeof entry;
        }
        benchmark::DoNotOptimize(entry);
    }

    bool failed() const { return failed_; }

private:
    static uapi::ScanArguments one_page(uint64_t page) {
        uapi::ScanArguments arguments;
        arguments.start = page;
        arguments.end = page + kPage;
        arguments.return_mask = uapi::kPageWritten;
        return arguments;
    }

    AccessCheck way_;
    int file_ = -1;
    bool registered_ = false;
    bool works_ = false;
    bool failed_ = false;
};

void Bare(benchmark::State& state) {
    const Arguments arguments(state);
    const AccessCheckProbe probe = access_check_probe(static_cast<int32_t>(arguments.way));
    if (!probe.available) return state.SkipWithError(probe.reason);
    Memory memory(arguments.way, arguments.bytes);
    if (!memory.ok()) return state.SkipWithError("no memory");
    BareCalls calls(arguments.way, {memory.address(), memory.address() + arguments.bytes});
    if (!calls.works()) return state.SkipWithError("cannot be set up");
    const auto page_of = [](const Sample& at) { return at.addr / kPage * kPage; };
    sample(
        state, memory,
        [&](std::span<Sample> samples) {
            for (const Sample& at : samples) calls.arm(page_of(at));
        },
        [&](std::span<Sample> samples) {
            for (const Sample& at : samples) calls.look(page_of(at));
        });
    if (calls.failed()) state.SkipWithError("a call failed");
}

// Access check, samples, MiB.
void same_arguments(benchmark::internal::Benchmark* benchmark) {
    benchmark->ArgNames({"check", "samples", "MiB"})
        ->ArgsProduct({{1, 2, 3}, {10, 100, 1'000}, {256, 1'024}})
        ->Iterations(200);
}
BENCHMARK(Sampling)->Apply(same_arguments);
BENCHMARK(Bare)->Apply(same_arguments);

}  // namespace
}  // namespace damon

BENCHMARK_MAIN();
