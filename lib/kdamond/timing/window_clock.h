// How long a window really is: time that was not monitored (a pause, watermarks) is not part of it.
#pragma once

#include <cstdint>

namespace damon {

class WindowClock {
public:
    void start(uint64_t now_ns) {
        begin_ns_ = now_ns;
        resting_ = false;
    }
    // Nothing has happened yet, and this is when it begins.
    void move(uint64_t now_ns) { begin_ns_ = rest_began_ns_ = now_ns; }
    void rest(uint64_t now_ns) {
        if (resting_) return;
        resting_ = true;
        rest_began_ns_ = now_ns;
    }
    // Returns for how long nothing was monitored.
    uint64_t go_on(uint64_t now_ns) {
        if (!resting_) return 0;
        resting_ = false;
        const uint64_t rested_ns = now_ns > rest_began_ns_ ? now_ns - rest_began_ns_ : 0;
        begin_ns_ += rested_ns;
        return rested_ns;
    }
    // Ends a window and begins the next one.
    uint64_t end_window(uint64_t now_ns) {
        const uint64_t length_ns = now_ns > begin_ns_ ? now_ns - begin_ns_ : 0;
        begin_ns_ = now_ns;
        return length_ns;
    }
    uint64_t so_far_ns(uint64_t now_ns) const { return now_ns > begin_ns_ ? now_ns - begin_ns_ : 0; }

private:
    uint64_t begin_ns_ = 0;
    uint64_t rest_began_ns_ = 0;
    bool resting_ = false;
};

}  // namespace damon
