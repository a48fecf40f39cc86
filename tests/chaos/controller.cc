#include "controller.h"

#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace damon::test {
namespace {

int nothing(void*) { return 0; }

size_t page_bytes() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

int64_t now_ms() {
    timespec time = {};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1'000 + time.tv_nsec / 1'000'000;
}

}  // namespace

Controller::Controller(uint64_t seed, int32_t access_check, HostLog& log)
    : log_(log), access_check_(access_check), host_random_(seed ^ 0x5eed), random_(seed ^ 0xc0ffee) {
    const size_t field_bytes = kFieldPages * page_bytes();
    void* field = access_check == DAMON_ACCESS_CHECK_ZAP
                      ? damon_shared_map(field_bytes)
                      : mmap(nullptr, field_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    field_ = static_cast<char*>(field);
    std::memset(field_, 1, field_bytes);
    in_field_.assign(kFieldPages, false);
    regions_.resize(2'000);
    for (damon_ctx*& ctx : contexts_) ctx = new_context();
    damon_target* target = damon_target_new();
    expect("damon_ctx_add_target", contexts_[kWhole], damon_ctx_add_target(contexts_[kWhole], target));
    add_schemes(contexts_[kSchemes]);
    target = damon_target_new();
    expect("damon_ctx_add_target", contexts_[kSchemes], damon_ctx_add_target(contexts_[kSchemes], target));
    expect("damon_ctx_add_range", contexts_[kRanges], damon_ctx_add_range(contexts_[kRanges], field_, page_bytes(), 0));
    in_field_[0] = true;
    expect("damon_start", contexts_[kWhole], damon_start(contexts_, kNrContexts, 0));
    thread_ = std::thread([this] { run(); });
}

Controller::~Controller() {
    quit_ = true;
    thread_.join();
    if (log_.nr_seen == 0) look_at_what_is_written();
    expect("damon_stop", contexts_[0], damon_stop(contexts_, kNrContexts));
    for (damon_ctx* ctx : contexts_) damon_ctx_free(ctx);
    const size_t field_bytes = kFieldPages * page_bytes();
    if (damon_shared_unmap(field_, field_bytes) != 0) munmap(field_, field_bytes);
}

// Where few windows ended undisturbed while the host wrote, as on a slow machine, nothing was seen by chance: what is
// written all the time is seen, unless the library has stopped seeing.
void Controller::look_at_what_is_written() {
    damon_ctx* ctx = contexts_[kRanges];
    expect("damon_set_pause", ctx, damon_set_pause(ctx, 0));
    if (damon_is_running(ctx) != 1) expect("damon_start", ctx, damon_start(&ctx, 1, 0));
    const int64_t begin_ms = now_ms();
    while (log_.nr_seen == 0 && now_ms() - begin_ms < 60'000) {
        for (size_t page = 0; page < in_field_.size(); ++page) {
            if (in_field_[page]) ++field_[page * page_bytes()];
        }
        ask(ctx);
    }
}

damon_ctx* Controller::new_context() {
    damon_ctx* ctx = damon_ctx_new();
    expect("damon_ctx_set_access_check", ctx, damon_ctx_set_access_check(ctx, access_check_));
    damon_attrs attrs;
    damon_attrs_init(&attrs);
    attrs.sample_us = 1'000;
    attrs.aggr_us = 20'000;
    attrs.ops_update_us = 50'000;
    attrs.max_overhead_permil = 300;
    expect("damon_ctx_set_attrs", ctx, damon_ctx_set_attrs(ctx, &attrs));
    return ctx;
}

// Only actions that leave the content as it is.
void Controller::add_schemes(damon_ctx* ctx) {
    for (const damos_action action : {DAMOS_STAT, DAMOS_COLD, DAMOS_PAGEOUT, DAMOS_WILLNEED}) {
        damos_params params;
        damos_params_init(&params);
        params.action = action;
        params.flags = DAMOS_ALLOW_UNSEEN_READS;
        params.quota.sz = 4 * kMiB;
        params.quota.reset_interval_ms = 100;
        expect("damon_ctx_add_scheme", ctx, damon_ctx_add_scheme(ctx, damos_new(&params)));
    }
}

void Controller::expect(const char* what, const damon_ctx* ctx, int result, std::initializer_list<int> allowed) {
    ++log_.nr_controls;
    if (result >= 0 || std::find(allowed.begin(), allowed.end(), result) != allowed.end() || log_.problem[0] != 0)
        return;
    char message[120] = "";
    damon_ctx_errmsg(ctx, message, sizeof message);
    std::snprintf(log_.problem, sizeof log_.problem, "%s: %s (%s)", what, damon_strerror(result), message);
}

void Controller::place_came(Place& place) {
    Told& told = told_[place.index];
    told = {.start = place.data(), .bytes = place.bytes};
    const bool shared = place.kind == PlaceKind::kShared || place.kind == PlaceKind::kMemfd;
    if (shared && host_random_.between(0, 2) == 0) {
        expect("damon_shared_declare", nullptr, damon_shared_declare(told.start, told.bytes));
        told.declared = true;
    }
    if (host_random_.between(0, 2) != 0) return;
    expect("damon_ctx_add_range", contexts_[kRanges],
           damon_ctx_add_range(contexts_[kRanges], told.start, told.bytes, 0));
    told.added = true;
}

void Controller::place_goes(Place& place) {
    Told& told = told_[place.index];
    if (told.added) {
        expect("damon_ctx_remove_range", contexts_[kRanges],
               damon_ctx_remove_range(contexts_[kRanges], told.start, told.bytes));
    }
    if (told.declared) expect("damon_shared_withdraw", nullptr, damon_shared_withdraw(told.start, told.bytes));
    told = {};
}

void Controller::keep_away(const Place& place) {
    expect("damon_exclude", nullptr, damon_exclude(place.data(), Place::kStride));
}

void Controller::come_back(const Place& place) {
    expect("damon_include", nullptr, damon_include(place.data(), Place::kStride));
}

// Generously: 0.1 s a GiB of which there is a tenth, on a machine that does other things.
bool Controller::releasing() const { return now_ms() - last_stop_ms_ < 1'000; }

// A child may free what it inherited, and make contexts of its own.
bool Controller::in_child() {
    if (damon_is_running(contexts_[kWhole]) != 0) return false;
    if (host_random_.between(0, 3) != 0) return true;
    damon_ctx* own = damon_ctx_new();
    expect("damon_ctx_add_range in a child", own, damon_ctx_add_range(own, field_, 64 * page_bytes(), 0));
    expect("damon_start in a child", own, damon_start(&own, 1, 0));
    expect("damon_snapshot_wait in a child", own, damon_snapshot_wait(own, 0, 60'000));
    expect("damon_stop in a child", own, damon_stop(&own, 1));
    damon_ctx_free(own);
    damon_ctx_free(contexts_[kRanges]);
    return log_.problem[0] == 0;
}

void Controller::run() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    while (!quit_) {
        control();
        if (random_.between(0, 4) == 0) usleep(static_cast<useconds_t>(random_.between(0, 20'000)));
    }
}

void Controller::control() {
    damon_ctx* ctx = contexts_[random_.between(0, kNrContexts)];
    switch (random_.between(0, 16)) {
        case 0:
            return start_or_stop(ctx);
        case 1:
        case 2:
        case 3:
            return pause_or_resume(ctx);
        case 4:
        case 5:
            return commit(ctx);
        case 6:
        case 7:
            return call(ctx);
        case 8:
            return expect("damon_ctx_refresh", ctx, damon_ctx_refresh(ctx), {-ECANCELED});
        case 9:
            return add_many();
        case 10:
            return remove_many();
        default:
            return ask(ctx);
    }
}

void Controller::start_or_stop(damon_ctx* ctx) {
    if (damon_is_running(ctx) == 1) {
        last_stop_ms_ = INT64_MAX / 2;
        expect("damon_stop", ctx, damon_stop(&ctx, 1));
        last_stop_ms_ = now_ms();
    }
    if (random_.between(0, 3) != 0) expect("damon_start", ctx, damon_start(&ctx, 1, 0), {-EBUSY});
}

void Controller::pause_or_resume(damon_ctx* ctx) {
    expect("damon_set_pause", ctx, damon_set_pause(ctx, static_cast<int>(random_.between(0, 2))), {-ECANCELED});
}

void Controller::commit(damon_ctx* ctx) {
    damon_attrs attrs;
    damon_attrs_init(&attrs);
    expect("damon_ctx_get_attrs", ctx, damon_ctx_get_attrs(ctx, &attrs));
    attrs.sample_us = random_.between(500, 5'000);
    attrs.aggr_us = attrs.sample_us * random_.between(5, 30);
    attrs.max_nr_regions = random_.between(100, 1'000);
    damon_ctx* source = damon_ctx_new();
    int result = damon_commit_ctx(source, ctx);
    if (result == 0) result = damon_ctx_set_attrs(source, &attrs);
    if (result == 0) result = damon_set_pause(source, random_.between(0, 3) == 0 ? 1 : 0);
    if (result == 0) result = damon_commit_ctx(ctx, source);
    expect("damon_commit_ctx", ctx, result, {-ECANCELED, -EBUSY});
    damon_ctx_free(source);
}

void Controller::call(damon_ctx* ctx) {
    damon_call_control control;
    damon_call_control_init(&control);
    control.fn = nothing;
    expect("damon_call", ctx, damon_call(ctx, &control), {-ECANCELED});
}

void Controller::ask(damon_ctx* ctx) {
    damon_snapshot_info info;
    damon_snapshot_info_init(&info);
    const int nr = damon_snapshot_read(ctx, regions_.data(), regions_.size(), &info);
    expect("damon_snapshot_read", ctx, nr);
    if (nr > 0) ++log_.nr_snapshots;
    for (int index = 0; index < nr; ++index)
        log_.nr_seen += regions_[static_cast<size_t>(index)].nr_accesses > 0 ? 1 : 0;
    damon_state_info state;
    damon_state_info_init(&state);
    expect("damon_ctx_get_state", ctx, damon_ctx_get_state(ctx, &state));
}

// Up to some thousand ranges at once, as an allocator has them.
void Controller::add_many() {
    const size_t nr = random_.between(0, 8) == 0 ? in_field_.size() : random_.between(1, 100);
    const size_t first = random_.between(0, in_field_.size() - nr + 1);
    for (size_t page = first; page < first + nr; ++page) {
        if (in_field_[page]) continue;
        expect("damon_ctx_add_range", contexts_[kRanges],
               damon_ctx_add_range(contexts_[kRanges], field_ + page * page_bytes(), page_bytes(), 0));
        in_field_[page] = true;
    }
}

void Controller::remove_many() {
    const bool all = random_.between(0, 3) == 0;
    size_t left = all ? in_field_.size() : random_.between(1, 200);
    // The first one stays: a context of ranges is one while it has any.
    for (size_t page = 1; page < in_field_.size() && left > 0; ++page) {
        if (!in_field_[page]) continue;
        expect("damon_ctx_remove_range", contexts_[kRanges],
               damon_ctx_remove_range(contexts_[kRanges], field_ + page * page_bytes(), page_bytes()));
        in_field_[page] = false;
        --left;
    }
}

}  // namespace damon::test
