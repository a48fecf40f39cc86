// One context at work: the engine that decides, the ops that act, and the thread (or manual driver) that brings them
// together. The only layer that knows both; it makes no decision about memory of its own.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/status.h"
#include "engine/engine.h"
#include "kdamond/activity.h"
#include "kdamond/added_ranges.h"
#include "kdamond/cpu_meter.h"
#include "kdamond/deadline.h"
#include "kdamond/mailbox.h"
#include "kdamond/overhead.h"
#include "kdamond/pass_schedule.h"
#include "kdamond/publisher.h"
#include "kdamond/update_schedule.h"
#include "kdamond/walk.h"
#include "kdamond/window_clock.h"
#include "model/memory_areas.h"
#include "model/params.h"
#include "ops/offloaded_monitor.h"
#include "ops/ops.h"
#include "os/clock.h"
#include "os/lock.h"
#include "os/thread.h"

namespace damon {

// What the layer above does for the worker. All are called on the worker with no lock held.
struct WorkerCallbacks {
    void* owner = nullptr;
    // DAMOS_CALLBACK: the program's own action.
    uint64_t (*action)(void* owner, const ActionRequest& request) = nullptr;
    // Before schemes are applied: user_input goals that were set meanwhile go to the engine.
    void (*bring_goal_values)(void* owner, Engine& engine) = nullptr;
    // Something went wrong that no caller is told of: a worker that ended on its own.
    void (*failed)(void* owner, const Status& status) = nullptr;
};

struct StartOptions {
    uint64_t seed = 0;
    bool manual = false;
    OffloadedMonitor* monitor = nullptr;  // the ops, where they monitor elsewhere
    ThreadOptions thread;                 // its cpu_mask lives until launch returns
};

// New parameters on their way to the worker.
struct Commit {
    Params params;
    // On the worker, before anything is checked: completes the parameters from what the destination is by then. A
    // failure refuses the commit. May be null.
    Status (*complete)(Commit& commit) = nullptr;
    // After the engine and the ops took the parameters over; on the worker, no lock held; may be null.
    void (*on_committed)(Commit& commit) = nullptr;
    // Ends a commit that was put off, done or not.
    void (*dispose)(Commit& commit) = nullptr;
    bool carries_pause = false;  // false: the context stays paused or not, as it is
    bool pause = false;          // what it is afterwards
    Status status;
    // Commits that wait for the end of a step:
    Commit* next = nullptr;
    bool deferred = false;
    uint64_t pause_order = 0;  // a set_pause that came later wins
};

class Kdamond {
public:
    Kdamond(WorkerSync& sync, const WorkerCallbacks& callbacks);
    ~Kdamond();
    Kdamond(const Kdamond&) = delete;
    Kdamond& operator=(const Kdamond&) = delete;

    // --- lifecycle.cc: any thread but the worker; the caller has a place in the registry ---

    // Checks and reserves everything that a run needs; no effect on failure. Stopped only. The ops must live until
    // stop.
    Status prepare(const Params& params, Ops& ops, const StartOptions& options);
    // Begins the prepared run; returns when calls are accepted, or with the reason why the run could not begin.
    Status launch();
    // Ends the run, if any: nothing is sampled and no callback runs any more. What the ops hold is released after that.
    void stop();
    // Waits until nothing is held and the worker is gone; a run that has ended only.
    void reap();

    bool running() const;  // begun and not ended
    bool running_locked() const { return phase_ == Phase::kStarting || phase_ == Phase::kRunning; }
    int32_t tid() const { return tid_.load(std::memory_order_relaxed); }
    // Whether the calling thread is inside a callback of this context (or is its worker).
    bool on_worker() const;
    uint64_t cpu_ns() const;

    // --- control.cc, commits.cc, manual.cc ---

    int call(Call& call, uint64_t* id_out);
    int cancel_call(uint64_t id);
    // Returns commit.status, except where the commit had to be put off to the end of the step whose callback it is made
    // in: then 0, and `*deferred` is true: the commit belongs to the worker from then on, which disposes of it.
    Status commit(Commit& commit, bool* deferred);
    Status set_pause(bool pause);
    // Stopped: how the next run begins. The sync's mutex is held.
    void set_pause_locked(bool pause);
    bool paused() const;
    // Reads the mappings now; in a callback of a step that uses the regions: when that step has ended.
    Status refresh();
    // What the context is doing; any thread.
    Activity activity() const;
    int walk(Walk& walk);
    // 0, -ETIMEDOUT or -ECANCELED.
    int wait_for_snapshot(uint64_t after_seq, int64_t timeout_ms);
    int step(uint64_t now_us);
    // Takes the place of the manual driver (true), so that state may be touched between two steps; false: not manual or
    // not running.
    bool enter_manual();
    void leave_manual();

    const Publisher& publisher() const { return publisher_; }
    const Counters& counters() const { return counters_; }
    const CpuMeter& cpu_meter() const { return meter_; }
    // The worker's own; touch it on the worker, between manual steps, or stopped.
    Engine& engine() { return engine_; }
    const Engine& engine() const { return engine_; }
    // The regions as they are now, and what they are; `out` has room for them.
    SnapshotInfo describe_now() const;
    void read_now(void* out) const { Publisher::copy_regions(engine_, out); }
    // New ranges from the user for a target of a run, on its worker. -EBUSY: in a callback of a step that uses the
    // regions, or the run is ending.
    Status give_target_ranges(uint32_t target_idx, std::span<const AddressRange> ranges);
    // The ranges that come and go; any thread.
    AddedRanges& added() { return added_; }
    const AddedRanges& added() const { return added_; }
    // `attrs` with the intervals that the run, or the last one, tuned since they were set. The sync's mutex is held.
    Attrs attrs_as_tuned_locked(const Attrs& attrs) const;
    // They were set anew. The sync's mutex is held.
    void forget_tuned_locked() { tuned_ = false; }
    // Stopped: scheme number `scheme_idx` goes with its statistics; those behind it move up. The sync's mutex is
    // held.
    void forget_scheme_locked(size_t scheme_idx);
    uint64_t now_ns() const;
    uint64_t now_us() const;

    // --- learned.cc: what was learned ---

    // In a run: on its worker. Ranges are those of the engine.
    Status save(SavedContext& out) const;
    // Stopped: what the last run knew at its end, or what was restored since. The sync's mutex is held.
    Status save_locked(SavedContext& out) const;
    // In a run: on its worker, -EBUSY where give_target_ranges is. The addresses are those of now.
    Status restore(const SavedContext& saved);
    // Stopped: the next run begins with it. The sync's mutex is held.
    void restore_locked(SavedContext&& saved);

private:
    enum class Phase : uint8_t { kStopped, kStarting, kRunning, kEnded };
    // Where the current sampling interval stands. A pause is possible in front of kArmed and of kFinished.
    enum class Stage : uint8_t { kIdle, kArmed, kCounted };
    enum class Sleep : uint8_t { kElapsed, kInterrupted };

    // interval.cc: one sampling interval
    void begin_interval();
    void count_interval();
    void run_calls();
    void run_mailbox(bool with_repeats);
    void finish_interval();
    void end_window();
    void ask_for_update();
    void update_if_due();
    void read_mappings();
    uint64_t elapsed_us();
    void count_answers(std::span<const Sample> samples);
    void arm_spans();
    void look_spans();
    void charge_survey(uint64_t model_ns, uint64_t nr_hits);
    void apply_schemes();
    Outcome act(const ActionRequest& request);
    void refresh_coverage(RefreshReason reason, const Vector<uint8_t>* only);
    void refresh_target(uint32_t target_idx, RefreshReason reason);
    void reserve_published();

    // ranges.cc
    void take_over_ranges(bool now);
    [[nodiscard]] bool cover_added();
    std::span<Sample> placed(std::span<Sample> samples);
    std::span<Sample> still_placed(std::span<Sample> samples);
    void return_answers(std::span<Sample> samples);
    Outcome act_in_ranges(const ActionRequest& request);
    bool touches_itself() const { return engine_.params().ops_id != OpsId::kCustom; }

    // passes.cc
    void follow_passes();
    void step_pass();
    void charge_passes();
    void pass_manually();

    // progress.cc: what is told of it
    static constexpr const char* kSamplingReason = "at the wanted intervals";
    static constexpr const char* kPausedReason = "by damon_set_pause() or a commit";
    void show_begin_locked();
    void show_end_locked();
    void show_stopped_locked();
    void become(State state, const char* reason);
    void become_limited();
    void show_window(uint64_t window_us);
    void show_tuned(const Attrs& before);
    bool tell_out_of_reach(char* text, size_t size, const char* reason) const;
    void show_gate(const WatermarkValues& values);
    void leave_gate();
    void rest();
    void go_on();

    // learned.cc
    void keep_learned();
    void bring_learned();

    // offload.cc: the same, where the ops monitor elsewhere
    void follow();
    bool wait_for_window();
    Status freeze(bool pause);
    void set_pause_of_next(bool pause);
    bool can_pause() const { return monitor_ == nullptr || monitor_->can_pause(); }
    void show(const Status& status, bool walking);
    void report_tried();
    uint64_t round_us() const;

    // commits.cc
    Status check_commit(Commit& commit) const;
    Status commit_now(Commit& commit);
    Status commit_in_order(Commit& commit);
    bool pause_after_locked(const Commit& commit) const;
    bool pause_after(const Commit& commit) const;
    void take_pause(const Commit& commit);
    void wait_for_pause(bool pause);
    void defer(Commit& commit);
    void run_deferred_commits();
    void drop_deferred_commits();

    // worker.cc: the thread
    static void* thread_main(void* self);
    void run();
    Status begin_thread();
    Status begin_run();
    void finish_run();
    bool should_end();
    WatermarkValues watermark_values();
    bool pass_gate();
    void release_rest();
    bool release_piece(Lock& lock);
    void pause_here();
    void resume();
    void refuse_pause(const Status& status);
    void wait_while_paused();
    bool pause_wanted() const;
    Sleep sleep_interval();
    void wait_and_step(Lock& lock, uint64_t step_ns);
    Sleep wait_for(uint64_t nominal_ns, uint64_t permitted_ns);
    void charge_interval();
    void restart_schedule();
    void disarm();
    void set_runner();

    // lifecycle.cc
    Status launch_thread();
    Status launch_manually();
    void end_manually(Lock& lock);
    void join_worker(Lock& lock);

    // manual.cc
    int call_manually(Call& call);
    void set_pause_manually(bool pause);
    int begin_step(uint64_t now_us);
    void charge_model();
    bool held_back();
    bool plan_lost();
    void settle_manually();
    void advance_manually();

    WorkerSync& sync_;
    const WorkerCallbacks callbacks_;
    Clock clock_;
    Engine engine_;
    Ops* ops_ = nullptr;
    OffloadedMonitor* monitor_ = nullptr;  // the same, where they monitor elsewhere
    OpsTraits traits_;
    Mailbox mailbox_;
    WalkSlot walks_;
    Publisher publisher_;
    Counters counters_;
    CpuMeter meter_;
    UpdateSchedule updates_;
    WindowClock window_;
    CostRate cost_rate_;
    Status end_reason_;              // why the run ends on its own
    bool limited_ = false;           // the limit made an interval of this window longer
    bool update_held_back_ = false;  // the limit put a reading of the mappings off
    bool told_limited_ = false;      // the state says so
    bool told_out_of_reach_ = false;
    bool gated_ = false;    // the state says that all schemes wait for their watermarks
    bool reading_ = false;  // the mappings are being read
    bool refresh_deferred_ = false;
    PassSchedule passes_;
    Vector<PassWindow> pass_windows_;
    bool passing_ = false;       // windows are watched
    uint64_t passes_taken_ = 0;  // generation of what the engine knows of them
    uint64_t charged_passes_ns_ = 0;
    uint64_t charged_sampling_ns_ = 0;
    uint64_t charged_update_ns_ = 0;
    uint64_t charged_survey_ns_ = 0;  // to the budget of surveys
    uint64_t survey_cost_ns_ = 0;     // of this interval, for the limit
    ThreadOptions thread_options_;
    uint64_t seed_ = 0;
    std::atomic<bool> manual_{false};
    TargetCoverage coverage_;
    AddedRanges added_;
    Vector<AddressRange> added_list_;
    MemoryAreas areas_;
    uint64_t taken_generation_ = 0;  // of added_: what the engine has
    uint64_t next_taking_ns_ = 0;    // of many ranges
    uint64_t asked_generation_ = 0;
    Vector<Sample> asked_samples_;  // of a context of ranges: those that are armed, and
    Vector<size_t> asked_idx_;      // where they belong
    Observation observation_;
    uint64_t rest_until_ns_ = 0;  // offloaded: when to look next
    uint64_t last_work_ns_ = 0;   // offloaded: processor time of the last look
    Commit* deferred_commits_ = nullptr;
    size_t nr_asked_ = 0;  // samples of this interval that were armed
    Stage stage_ = Stage::kIdle;
    bool in_step_ = false;  // callbacks of a step run now: its samples, regions and schemes must stay
    bool ending_ = false;
    uint64_t manual_now_us_ = 0;
    uint64_t gate_until_us_ = 0;  // manual drive: no sampling before, the schemes wait for their watermarks
    uint64_t deadline_ns_ = 0;
    uint64_t counted_ns_ = 0;  // up to when time was counted as monitored
    bool resting_ = true;      // paused, or held back by watermarks: time does not count until sampling goes on
    Overhead overhead_;
    uint64_t permitted_ns_ = 0;  // what was spent is paid back then
    uint64_t nr_seen_ = 0;       // accesses that the last interval found
    Due due_;

    // Under the sync's mutex:
    Phase phase_ = Phase::kStopped;
    bool stop_requested_ = false;
    bool pause_wanted_ = false;
    uint64_t pause_order_ = 0;  // counts what set_pause was asked for
    bool paused_ = false;
    Status pause_status_;       // why the worker could not pause when it was last asked to
    bool driver_busy_ = false;  // manual drive: a thread is stepping, calling or changing
    bool stepping_ = false;     // of these, stepping
    bool joining_ = false;
    uint64_t run_number_ = 0;
    SavedContext learned_;    // stopped only; the worker writes it at both ends of a run
    bool restoring_ = false;  // the next run begins with it
    Activity activity_;
    bool tuned_ = false;
    uint64_t tuned_sample_us_ = 0;
    uint64_t tuned_aggr_us_ = 0;
    Status start_status_;
    uint64_t past_cpu_ns_ = 0;  // of the workers before this one
    Thread thread_;

    std::atomic<int32_t> tid_{0};
    std::atomic<uintptr_t> runner_{0};  // token of the thread that runs the worker's code now
};

}  // namespace damon
