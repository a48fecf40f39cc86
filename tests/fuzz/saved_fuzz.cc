// Saved bytes: no bytes may crash the reader or what takes them over; what is accepted is written again as the same
// value. An input is taken as it is, and, so that the checks behind the checksum are reached, signed as well.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "engine/engine.h"
#include "engine/monitor/restoring.h"
#include "fuzz/fuzz_target.h"
#include "model/saved_context.h"
#include "model/saved_layout.h"
#include "model/saved_mappings.h"
#include "support/toy_engine.h"

namespace damon::test {
namespace {

void expect(bool condition, const char* what) {
    if (condition) return;
    fprintf(stderr, "%s\n", what);
    abort();
}

// As many ranges elsewhere, every other one of them smaller.
std::vector<AddressRange> elsewhere(const SavedTarget& target) {
    std::vector<AddressRange> ranges;
    uint64_t start = 0x7000;
    for (const AddressRange range : target.ranges) {
        const uint64_t size = std::min<uint64_t>(range.size(), 1 << 20);
        ranges.push_back({start, start + std::max<uint64_t>(1, size >> (ranges.size() % 2))});
        start = ranges.back().end + (ranges.size() % 3) * 16;
    }
    return ranges;
}

// The mappings of then, in other places and sizes.
void find_again(SavedTarget& target) {
    const std::vector<AddressRange> ranges = elsewhere(target);
    std::vector<NamedRange> now;
    for (size_t i = 0; i < ranges.size(); ++i) now.push_back({ranges[i], target.names[i]});
    uint64_t found = 0;
    uint64_t all = 0;
    expect(move_to_mappings(target, now, found, all), "move_to_mappings finds no memory");
    expect(target.ranges.size() <= now.size(), "more mappings than there are");
    for (const SavedRegion& region : target.regions) {
        const bool inside =
            std::ranges::any_of(now, [&](const NamedRange& it) { return it.range.covers(region.range); });
        expect(inside && !region.range.empty(), "a region outside of the mappings");
    }
}

void take_over(SavedContext& saved) {
    std::vector<std::vector<AddressRange>> now;
    for (SavedTarget& target : saved.targets) {
        now.push_back(elsewhere(target));
        if (target.place == SavedPlace::kByMapping) find_again(target);
        if (target.place == SavedPlace::kByPosition) expect(move_to(target, now.back()), "move_to finds no memory");
    }
    Params params = toy_params({{{0, 0x10000}}, {{0x8000, 0x20000}, {0x30000, UINT64_MAX - 0xffff}}});
    params.min_region_sz = 16;
    params.attrs.max_nr_regions = 40;
    expect(params.schemes.push_back(SchemeParams()), "no memory");
    Engine engine = started_engine(params);
    const auto covered = [&engine](size_t target) {
        uint64_t bytes = 0;
        for (const Region& region : regions_of(engine, target)) bytes += region.range.size();
        return bytes;
    };
    const uint64_t before[] = {covered(0), covered(1)};
    expect(engine.restore(saved, 1'000'000).ok(), "restore finds no memory");
    expect(covered(0) == before[0] && covered(1) == before[1], "coverage changed");
    expect(engine.nr_regions() <= 60, "more regions than the context may have");
    for (int i = 0; i < 30; ++i) {
        run_interval(engine, accesses_in({{0x8000, 0x9000}}));
        ActionRequest request;
        if (!engine.apply_begin(2'000'000)) continue;
        while (engine.next_request(request)) engine.complete({});
    }
}

void try_bytes(const std::vector<uint8_t>& bytes) {
    SavedContext saved;
    const Status status = decode(bytes, saved);
    if (!status.ok()) {
        expect(status.text()[0] != '\0' && saved == SavedContext(), "refused without a reason, or not as a whole");
        return;
    }
    std::vector<uint8_t> again(encoded_bytes(saved));
    expect(again.size() <= bytes.size(), "longer than what was read");
    encode(saved, again);
    SavedContext reread;
    expect(decode(again, reread).ok() && reread == saved, "not the same once it is written and read");
    if (saved.targets.size() <= 64) take_over(saved);
}

}  // namespace
}  // namespace damon::test

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace damon;
    std::vector<uint8_t> bytes(data, data + size);
    test::try_bytes(bytes);
    if (size < kSavedHeaderBytes) return 0;
    for (size_t i = 0; i < sizeof kSavedMagic; ++i) bytes[i] = static_cast<uint8_t>(kSavedMagic[i]);
    const auto put = [&bytes](size_t at, uint64_t value, size_t nr) {
        for (size_t i = 0; i < nr; ++i) bytes[at + i] = static_cast<uint8_t>(value >> (8 * i));
    };
    put(8, kSavedVersion, 4);
    put(16, size, 8);
    put(kSavedCrcAt, saved_crc(bytes), 4);
    test::try_bytes(bytes);
    return 0;
}
