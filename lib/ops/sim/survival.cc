#include "ops/sim/survival.h"

#include <array>

namespace damon {
namespace {

using Wide = unsigned __int128;

constexpr uint64_t multiply_q64(uint64_t a, uint64_t b) { return static_cast<uint64_t>((Wide{a} * b) >> 64); }

// exp(-2^-halvings) as an alternating series; 24 terms are below 2^-64 for every argument up to 1.
constexpr uint64_t series_q64(unsigned halvings) {
    Wide sum = Wide{1} << 64;
    Wide term = sum;
    for (unsigned n = 1; n <= 24; ++n) {
        term = (term >> halvings) / n;
        sum = n % 2 == 1 ? sum - term : sum + term;
    }
    return static_cast<uint64_t>(sum);
}

constexpr unsigned kFractionBits = 32;
constexpr unsigned kIntegerBits = 6;

// Entry i: exp(-2^(i-32)).
constexpr auto kSilence = [] {
    std::array<uint64_t, kFractionBits + kIntegerBits> table{};
    for (unsigned i = 0; i <= kFractionBits; ++i) table[i] = series_q64(kFractionBits - i);
    for (unsigned i = kFractionBits + 1; i < table.size(); ++i) table[i] = multiply_q64(table[i - 1], table[i - 1]);
    return table;
}();

constexpr uint64_t kNothingSurvivesNano = 44 * kNanoAccess;

}  // namespace

uint64_t silence_q64(uint64_t expected_nano) {
    if (expected_nano >= kNothingSurvivesNano) return 0;
    uint64_t exponent = static_cast<uint64_t>((Wide{expected_nano} << kFractionBits) / kNanoAccess);
    uint64_t silence = kU64Max;
    for (unsigned bit = 0; exponent != 0; ++bit, exponent >>= 1) {
        if (exponent % 2 == 1) silence = multiply_q64(silence, kSilence[bit]);
    }
    return silence;
}

uint64_t untouched_part(uint64_t bytes, uint64_t expected_nano) {
    if (expected_nano == 0) return bytes;
    const Wide product = Wide{bytes} * silence_q64(expected_nano) + (Wide{1} << 63);
    return static_cast<uint64_t>(product >> 64);
}

}  // namespace damon
