// SPDX-License-Identifier: BSD-2-Clause
//
// One virtual CPU on seL4: a thread (TCB) with a VCPU object, and the ports onto them. It belongs to the EndpointPort that
// its faults go to; when it runs and what a message means is the EndpointPort's business. Only kick() and resume() may be
// called from other threads.
//
// List registers on seL4 can be filled and no more: a busy one is known only here, until its maintenance event.
#pragma once

#include <hosts/sel4/capabilities.hpp>
#include <hosts/sel4/guest_space.hpp>
#include <hosts/sel4/node_thread.hpp>
#include <hosts/sel4/register_words.hpp>

#include <sel4vm/arch/aarch64/access.hpp>
#include <sel4vm/arch/aarch64/ports/list_register_port.hpp>
#include <sel4vm/arch/aarch64/ports/timer_port.hpp>
#include <sel4vm/host/event.hpp>
#include <sel4vm/host/exit.hpp>
#include <sel4vm/host/vcpu_port.hpp>

#include <atomic>

namespace sel4vm::sel4 {

class EndpointPort;
class Vcpu;

/// A point in time that does not come.
inline constexpr u64 kNever = ~u64{0};

struct VcpuSetup {
    VmId vm; ///< named in its events
    VcpuId vcpu;
    u64 affinity = 0;    ///< the guest's MPIDR_EL1 affinity fields
    seL4_Word badge = 0; ///< of its faults; 0: the endpoint's choice
};

class VcpuListRegisters final : public aarch64::ListRegisterPort {
public:
    explicit VcpuListRegisters(Vcpu &vcpu) : vcpu_(vcpu) {}
    [[nodiscard]] aarch64::ListRegisterAbilities abilities() const override;
    [[nodiscard]] bool write(unsigned index, const aarch64::ListRegister &value) override;
    [[nodiscard]] bool can_write_now() override;
    [[nodiscard]] aarch64::ListRegister read(unsigned index) override;
    [[nodiscard]] u32 take_finished() override;
    void set_maintenance(u32 causes) override;
    [[nodiscard]] u32 take_unlisted_ends() override;
    [[nodiscard]] bool priority_runs(u8 priority, bool group1) override;
    void set_deactivation(aarch64::Deactivation how) override;
    [[nodiscard]] u32 interface_control() override;
    void set_interface_control(u32 value) override;

    /// The kernel's message: `index` finished. From a guest it could be any number.
    void finished(u64 index);
    /// Asks the kernel how many there are.
    [[nodiscard]] Status<HostError> learn_count();
    /// The VCPU object was made again: whatever was in use is empty now.
    void reset() { finished_ = busy_; }
    [[nodiscard]] u64 filled() const { return filled_; }

private:
    Vcpu &vcpu_;
    u8 count_ = 1;
    u64 filled_ = 0; ///< how often; statistics only
    u32 busy_ = 0;
    u32 finished_ = 0;
};

class VcpuTimer final : public aarch64::TimerPort {
public:
    explicit VcpuTimer(Vcpu &vcpu) : vcpu_(vcpu) {}
    void unmask() override;
    [[nodiscard]] aarch64::VirtualTimerState state() override;
    void set_state(const aarch64::VirtualTimerState &state) override;
    [[nodiscard]] u64 counter_offset() override;
    void set_counter_offset(u64 ticks) override;

    /// The kernel delivered its interrupt and has masked it.
    void fired() { masked_ = true; }
    [[nodiscard]] bool masked() const { return masked_; }
    void reset() { masked_ = false; }

private:
    Vcpu &vcpu_;
    bool masked_ = false;
    u64 offset_ = 0;
};

class Vcpu final : public VcpuPort {
public:
    Vcpu(EndpointPort &endpoint, GuestSpace &space, const VcpuSetup &setup);
    ~Vcpu();
    Vcpu(const Vcpu &) = delete;
    Vcpu &operator=(const Vcpu &) = delete;

    /// Takes a configured, stopped thread and makes its VCPU object; call once. The memory for the object is kept, so that
    /// a reset cannot fail for lack of it.
    [[nodiscard]] Status<HostError> create(vka_t &vka, seL4_CPtr tcb);
    [[nodiscard]] seL4_CPtr vcpu_cap() const { return object_.cap(); }
    [[nodiscard]] seL4_CPtr tcb() const { return tcb_; }
    /// The badge of its faults.
    [[nodiscard]] seL4_Word badge() const { return badge_; }

    /// Its thread, which does not run, goes to another CPU, where `there` makes the calls about it; nullptr: where the caller is.
    [[nodiscard]] Status<HostError> leave_cpu();
    void be_at(NodeThread *there) { there_ = there; }

    [[nodiscard]] aarch64::ListRegisterPort &list_registers() { return list_registers_; }
    [[nodiscard]] aarch64::TimerPort &timer() { return timer_port_; }

    /// All general registers, in the kernel's order, which is that of seL4_UserContext.
    [[nodiscard]] const std::array<u64, kRegisterWords> &context() {
        ensure_stopped();
        took_context_ = true;
        return registers_.all();
    }

    void set_context_word(unsigned word, u64 value) {
        ensure_stopped();
        registers_.set(word, value);
        if (is_beside_answer(word))
            answer_by_call();
    }
    /// The first `count` words, a multiple of 4 and not 0.
    void set_context(const seL4_UserContext &context, unsigned count) {
        ensure_stopped();
        if (registers_.set_first(context, count))
            answer_by_call();
    }

    [[nodiscard]] u64 general_register(unsigned n) override;
    void set_general_register(unsigned n, u64 value) override;
    [[nodiscard]] u64 program_counter() override;
    void set_program_counter(u64 value) override;
    [[nodiscard]] Result<u64, HostError> system_register(u32 id) override;
    [[nodiscard]] Status<HostError> set_system_register(u32 id, u64 value) override;
    void reset(const VcpuStart &start) override;
    void resume() override { request(kRequestResume); }
    void kick() override {
        kicks_.fetch_add(1, std::memory_order_relaxed);
        request(kRequestKick);
    }
    void request_turn() override { request(kRequestTurn); }
    [[nodiscard]] VcpuCounts counts() const override {
        return {list_registers_.filled(), kicks_.load(std::memory_order_relaxed)};
    }

private:
    friend class EndpointPort;
    friend class VcpuListRegisters;
    friend class VcpuTimer;
    friend class GuestRegisters;
    friend class GuestTables;
    friend class GuestTranslator;

    enum class State : u8 {
        stopped, ///< by the core: suspended
        blocked, ///< waits for an interrupt: its fault has no answer
        running, ///< the kernel runs it when it can, or it is about to be told to
    };
    /// What completing the last exit takes.
    enum class Pending : u8 { nothing, advance, load, mrs, sequence, coprocessor };
    /// How the kernel lets the thread go on.
    enum class Wake : u8 {
        none,    ///< it runs already
        reply,   ///< its fault is the last message that was received
        message, ///< the same, and the answer can carry x0-x7 and PC (an unknown system call)
        resume,  ///< by a call: its fault has lost its reply capability
    };
    enum Due : u32 { kDueKick = 1, kDuePart = 2, kDueTurn = 4 };
    enum Request : u32 { kRequestKick = 1, kRequestResume = 2, kRequestTurn = 4, kRequestQueued = 8 };

    void request(u32 what);
    /// Registers of a thread that may be running: it is stopped first.
    [[gnu::always_inline]] void ensure_stopped() {
        if (wake_ == Wake::none) [[unlikely]]
            stop_running();
    }
    void stop_running();
    /// What changes does not fit into an answer.
    void answer_by_call() {
        if (wake_ == Wake::message)
            wake_ = Wake::reply;
    }
    [[nodiscard]] u64 read_vcpu(seL4_VCPUReg which) const;
    void write_vcpu(seL4_VCPUReg which, u64 value) const;
    [[nodiscard]] Status<HostError> make_object();
    void clear_object();
    /// Who must make a call about this register, if not the caller.
    [[nodiscard]] NodeThread *holder_of(seL4_VCPUReg which) const;

    // Hot fields first.
    EndpointPort &endpoint_;
    Pending pending_ = Pending::nothing;
    Pending part_pending_ = Pending::nothing; ///< what it is for the part that is due
    Wake wake_ = Wake::resume;
    State state_ = State::stopped;
    u32 due_ = 0;
    u32 esr_ = 0;                   ///< syndrome of the last exit; 0 for messages without one
    u8 answer_words_ = 0;           ///< of an answer that carries nothing (message.hpp, kNotFast)
    bool took_context_ = false;     ///< since its last call: somebody wanted all registers, and may again
    const EventSource exit_source_; ///< what every exit of it says
    RegisterWords registers_;
    VcpuSetup setup_;
    GuestSpace &space_;
    seL4_CPtr tcb_ = 0;
    seL4_Word badge_ = 0;
    u64 wakes_at_ = kNever; ///< blocked: when its virtual timer fires
    Gpa fault_gpa_;

    OwnedObject memory_; ///< of the VCPU object; freed after it
    CapSlot object_;
    NodeThread *there_ = nullptr;
    bool started_ = false; ///< since the object was made: a CPU may hold it
    VcpuListRegisters list_registers_{*this};
    VcpuTimer timer_port_{*this};
    aarch64::AccessSequence sequence_;
    u8 walk_level_ = 0; ///< of the table, after an abort of a stage 1 walk

    std::atomic<u32> requests_{0};
    std::atomic<u64> kicks_{0}; ///< statistics only
    Vcpu *next_request_ = nullptr;
};

} // namespace sel4vm::sel4
