#include "ops/sim/pulse.h"

#include <algorithm>

namespace damon {
namespace {

struct HotWindow {
    uint64_t phase_us;  // below the period
    uint64_t hot_us;    // at most the period
};

constexpr uint64_t ceil_mul_div(uint64_t x, uint64_t multiplier, uint64_t divisor) {
    const auto product = static_cast<unsigned __int128>(x) * multiplier;
    return static_cast<uint64_t>((product + divisor - 1) / divisor);
}

HotWindow hot_window(const SimPulse& pulse, uint64_t address) {
    if (!pulse.travels()) return {pulse.phase_us, pulse.hot_us};
    // The window begins at page floor(t * pages / period), so it covers this page from the moment when it begins
    // window_pages - 1 before it until the moment when it begins right after it. Pages are counted from one pass
    // earlier, so that nothing is negative.
    const uint64_t pages = pulse.nr_pages();
    const uint64_t after = pulse.page_of(address) + 1 + pages;
    const uint64_t from_us = ceil_mul_div(after - pulse.window_pages, pulse.period_us, pages);
    const uint64_t until_us = ceil_mul_div(after, pulse.period_us, pages);
    // A window that passes a page in less than a microsecond still visits it.
    const uint64_t hot_us = std::clamp<uint64_t>(until_us - from_us, 1, pulse.period_us);
    return {from_us % pulse.period_us, hot_us};
}

// Hot time in [0, elapsed_us) of a pulse that began at 0.
uint64_t hot_since_begin_us(HotWindow window, uint64_t period_us, uint64_t elapsed_us) {
    const uint64_t rest_us = elapsed_us % period_us;
    const uint64_t window_end_us = window.phase_us + window.hot_us;
    uint64_t hot_us = elapsed_us / period_us * window.hot_us;
    if (rest_us > window.phase_us) hot_us += std::min({rest_us, window_end_us, period_us}) - window.phase_us;
    if (window_end_us > period_us) hot_us += std::min(rest_us, window_end_us - period_us);
    return hot_us;
}

}  // namespace

uint64_t SimPulse::window_start_page(uint64_t at_us) const {
    return mul_div((at_us - begin_us) % period_us, nr_pages(), period_us);
}

bool SimPulse::hot_at(uint64_t address, uint64_t at_us) const {
    DAMON_CHECK(range.contains(address));
    if (at_us < begin_us || at_us >= end_us) return false;
    if (period_us == 0) return true;
    if (travels()) {
        const uint64_t pages = nr_pages();
        return (page_of(address) + pages - window_start_page(at_us)) % pages < window_pages;
    }
    return ((at_us - begin_us) % period_us + period_us - phase_us) % period_us < hot_us;
}

uint64_t SimPulse::hot_time_us(uint64_t address, TimeSpan span) const {
    DAMON_CHECK(range.contains(address));
    const uint64_t from_us = std::max(span.from_us, begin_us);
    const uint64_t until_us = std::min(span.until_us, end_us);
    if (from_us >= until_us) return 0;
    if (period_us == 0) return until_us - from_us;
    const HotWindow window = hot_window(*this, address);
    return hot_since_begin_us(window, period_us, until_us - begin_us) -
           hot_since_begin_us(window, period_us, from_us - begin_us);
}

uint64_t SimPulse::expected_nano(uint64_t address, TimeSpan span, bool writes_only) const {
    const uint64_t expected = saturating_mul(rate_millihz, hot_time_us(address, span));
    // Saturated means "surely", also where only a part of the accesses writes.
    if (!writes_only || writes_bp == kBp || (expected == kU64Max && writes_bp != 0)) return expected;
    return mul_div(expected, writes_bp, kBp);
}

}  // namespace damon
