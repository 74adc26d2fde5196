// SPDX-License-Identifier: BSD-2-Clause
//
// Guests of a C++ program that are made, paused, reset and destroyed while another runs, between two events of the host that is linked.
#include <suite/cxx_rig.hpp>

#include <sel4vm/program/host.hpp>

#include <array>

namespace sel4vm::test {

namespace {

constexpr u64 kAsked = 0x100;
constexpr u32 kAsk = 0x0b00'0000;
constexpr unsigned kRounds = 100;

/// Signals at each read, which says 0 until the end.
struct AskDevice final : MmioDevice {
    explicit AskDevice(EventPort &its_events) : events(its_events) {}
    [[nodiscard]] const char *name() const override { return "ask"; }
    [[nodiscard]] Result<u64, BusFault> read(const Access &) override {
        events.signal(kAsked);
        return u64{done ? 1U : 0U};
    }
    [[nodiscard]] Status<BusFault> write(const Access &, u64) override { return Ok{}; }
    void reset() override {}
    EventPort &events;
    bool done = false;
};

/// The guest that asks, and another that comes and goes.
class Stage : private BadgeHandler, private ExecutorListener {
public:
    explicit Stage(conformance_t *t) : t_(t), environment_(t) {
        if (environment_.host() == nullptr || CHECK(t, host_.open(*environment_.host()).has_value()) == 0)
            return;
        host_.set_listener(this);
        for (auto *code : {&ask_, &spin_, &off_}) {
            for (u32 &instruction : *code)
                instruction = by_conduit(t, instruction);
        }
        description_ = Owned<machine::MachineDescription>::make(host_.allocator());
        if (CHECK(t, description_ && host_.own_signals(kAsked, "the stage", *this)) == 0)
            return;
        description_->name = "guest";
        description_->memory = {{.base = Gpa{RAM}, .size_bytes = RAM_SIZE}};
        description_->gic = {.version = host_.gic_version()};
        description_->images = {
            {.kind = machine::ImageKind::firmware, .where = Gpa{0}, .size_bytes = sizeof(ask_), .source = "code"}};
        device_.emplace(host_.events());
        first_ = make(ask_, images_[0]);
        const auto range = CxxRig::range(kAsk, 0x1000);
        if (first_ && CHECK(t, first_->vm().attach(range, *device_).has_value()) == 0)
            first_.reset();
    }
    Stage(const Stage &) = delete;
    Stage &operator=(const Stage &) = delete;

    void run() {
        if (!first_ || CHECK(t_, first_->start().has_value()) == 0)
            return;
        host_.run();
        CHECK(t_, first_->stop_reason() == StopReason::powered_off);
        CHECK(t_, !other_ && device_->done);
    }

protected:
    ~Stage() = default;
    using Code = std::array<u32, 8>;
    /// Between two events, after the first guest has asked.
    virtual void asked() = 0;
    /// The other has stopped.
    virtual void stopped() {}
    virtual void restarted() {}

    void done() { device_->done = true; }
    [[nodiscard]] conformance_t *t() const { return t_; }
    [[nodiscard]] Owned<program::Guest> &other() { return other_; }
    [[nodiscard]] size_t live() const { return t_->live != nullptr ? t_->live(t_) : 0; }
    /// Makes the other, which runs `code`.
    void bring(const Code &code) {
        before_ = live();
        other_ = make(code, images_[1]);
        if (!other_ || CHECK(t_, other_->start().has_value()) == 0)
            done();
    }
    void take_away() {
        other_.reset();
        CHECK(t_, live() == before_);
    }

    Code spin_{A64_NOP, A64_B(-1)};
    Code off_{A64_POWER_OFF};

private:
    [[nodiscard]] Owned<program::Guest> make(const Code &code, std::span<const u8> &image) {
        image = {reinterpret_cast<const u8 *>(code.data()), sizeof(code)};
        auto guest = host_.make_guest(*description_, {.images = {&image, 1}});
        CHECK(t_, guest.has_value());
        return guest ? *std::move(guest) : Owned<program::Guest>{};
    }
    void signalled(u64, u64) override {
        if (!device_->done)
            asked();
    }
    void notification(u64, u64) override {}
    void vm_stopped(Vm &vm) override {
        if (other_ && &vm == &other_->vm())
            stopped();
    }
    void vm_restarted(Vm &vm) override {
        CHECK(t_, other_ && &vm == &other_->vm());
        restarted();
    }

    conformance_t *t_;
    LinkedEnvironment environment_;
    program::Host host_;
    Code ask_{A64_LOAD(1U, kAsk), A64_LDR_W(4U, 1U, 0U), A64_CBZ(4U, -1), A64_POWER_OFF};
    Owned<machine::MachineDescription> description_;
    std::optional<AskDevice> device_;
    std::array<std::span<const u8>, 2> images_{};
    Owned<program::Guest> first_, other_;
    size_t before_ = 0;
};

/// One is destroyed while it runs, the next by whoever hears that it has stopped.
class ComingAndGoing final : public Stage {
public:
    using Stage::Stage;
    unsigned made = 0;
    unsigned stops = 0;

private:
    void asked() override {
        if (other()) {
            if (made % 2 == 0)
                take_away();
        } else if (made == kRounds) {
            done();
        } else {
            bring(made++ % 2 == 0 ? off_ : spin_);
        }
    }
    void stopped() override {
        ++stops;
        CHECK(t(), other()->stop_reason() == StopReason::powered_off);
        take_away();
    }
};

class UnderControl final : public Stage {
public:
    using Stage::Stage;
    unsigned step = 0;
    unsigned resets = 0;

private:
    [[nodiscard]] bool is(VmState state) { return other()->vm().state() == state; }
    [[nodiscard]] bool ask_for(VmState now, Status<LifecycleError> (Vm::*what)()) {
        if (!is(now))
            return false;
        CHECK(t(), (other()->vm().*what)().has_value());
        return true;
    }
    [[nodiscard]] bool stop_it(VmState now) {
        if (!is(now))
            return false;
        other()->vm().stop(StopReason::client);
        return true;
    }
    [[nodiscard]] bool end() {
        if (!is(VmState::running))
            return false;
        const VcpuStatistics all = other()->statistics(VcpuId{0});
        CHECK(t(), all.kicks >= all.exits_of(ExitKind::kicked));
        CHECK(t(), all.all_exits() >= all.exits_of(ExitKind::kicked) && all.interrupts.value_or(0) == 0);
        take_away();
        done();
        return true;
    }
    [[nodiscard]] bool carry_out() {
        switch (step) {
        case 0: return ask_for(VmState::running, &Vm::pause);
        case 1: return ask_for(VmState::paused, &Vm::reset);
        case 2: return ask_for(VmState::running, &Vm::reset);
        case 3: return ask_for(VmState::running, &Vm::pause);
        case 4: return ask_for(VmState::paused, &Vm::resume);
        case 5: return stop_it(VmState::running);
        case 6: return ask_for(VmState::stopped, &Vm::reset);
        case 7: return ask_for(VmState::running, &Vm::pause);
        case 8: return stop_it(VmState::paused);
        case 9: return ask_for(VmState::stopped, &Vm::reset);
        default: return end();
        }
    }
    void asked() override {
        if (!other())
            return bring(spin_);
        if (carry_out())
            ++step;
    }
    void restarted() override { ++resets; }
};

} // namespace

} // namespace sel4vm::test

using namespace sel4vm::test;

void test_cxx_guests_come_and_go_while_another_runs(conformance_t *t) {
    ComingAndGoing stage(t);
    stage.run();
    CHECK(t, stage.made == kRounds && stage.stops == kRounds / 2);
}

void test_cxx_another_guest_is_under_control(conformance_t *t) {
    UnderControl stage(t);
    stage.run();
    CHECK(t, stage.step == 11 && stage.resets == 4);
}
