// SPDX-License-Identifier: BSD-2-Clause
//
// A vCPU that executes A64 code, so that the programs of the conformance suite run in a process as on hardware. It knows
// the few instructions that such programs use: moves, addition, logic, loads and stores with an immediate offset, branches,
// system registers, HVC, SMC, WFI. Everything else is undefined to the guest. EL1 only, MMU off, the CPU interfaces of GICv2 and GICv3;
// one instruction takes one tick of the clock.
#pragma once

#include <hosts/fake/guest_memory.hpp>
#include <hosts/fake/list_registers.hpp>
#include <hosts/fake/services.hpp>

#include <sel4vm/arch/aarch64/ports/timer_port.hpp>
#include <sel4vm/host/exit.hpp>
#include <sel4vm/host/vcpu_port.hpp>

#include <map>
#include <optional>

namespace sel4vm::fake {

/// Where the fake machine's virtual CPU interface is.
inline constexpr HostPhys kVirtualCpuInterface{0x0b00'0000};

/// The virtual timer against the fake clock.
class GuestTimer final : public aarch64::TimerPort {
public:
    explicit GuestTimer(Clock &clock) : clock_(clock) {}
    void unmask() override { masked_ = false; }
    [[nodiscard]] aarch64::VirtualTimerState state() override;
    void set_state(const aarch64::VirtualTimerState &state) override { state_ = state; }
    [[nodiscard]] u64 counter_offset() override { return offset_; }
    void set_counter_offset(u64 ticks) override { offset_ = ticks; }

    [[nodiscard]] u64 counter() { return clock_.now_ticks() - offset_; }
    /// True once when it fires: it is masked then.
    [[nodiscard]] bool fires();
    /// The host's time at which it fires, if it can.
    [[nodiscard]] std::optional<u64> deadline() const;
    void reset() {
        state_ = {};
        masked_ = false;
    }

private:
    Clock &clock_;
    aarch64::VirtualTimerState state_;
    u64 offset_ = 0;
    bool masked_ = false;
};

class GuestCpu final : public VcpuPort {
public:
    enum class State : u8 { stopped, runnable, blocked };

    GuestCpu(const GuestMemory &memory, Clock &clock, u64 affinity)
        : memory_(memory), clock_(clock), lists_(ListRegisters::full()), timer_(clock), affinity_(affinity) {}

    // -- VcpuPort
    [[nodiscard]] u64 general_register(unsigned n) override { return n == 31 ? 0 : x_[n]; }
    void set_general_register(unsigned n, u64 value) override {
        if (n < 31)
            x_[n] = value;
    }
    [[nodiscard]] u64 program_counter() override { return pc_; }
    void set_program_counter(u64 value) override { pc_ = value; }
    [[nodiscard]] Result<u64, HostError> system_register(u32 id) override;
    [[nodiscard]] Status<HostError> set_system_register(u32 id, u64 value) override;
    void reset(const VcpuStart &start) override;
    void resume() override {
        if (state_ == State::stopped)
            state_ = State::runnable;
    }
    void kick() override {
        kicked_ = true;
        ++kicks_;
        if (state_ == State::blocked)
            state_ = State::runnable;
    }
    void request_turn() override { turn_wanted_ = state_ == State::stopped; }
    [[nodiscard]] VcpuCounts counts() const override { return {lists_.filled(), kicks_}; }

    // -- the host's side
    [[nodiscard]] ListRegisters &lists() { return lists_; }
    [[nodiscard]] GuestTimer &timer() { return timer_; }
    [[nodiscard]] State state() const { return state_; }
    void wake() { state_ = State::runnable; }
    [[nodiscard]] bool take_kick() { return std::exchange(kicked_, false); }
    /// Whether it is stopped and waits for a turn; asking takes it.
    [[nodiscard]] bool take_turn() { return std::exchange(turn_wanted_, false) && state_ == State::stopped; }
    /// Executes up to `budget` instructions; the exit that ended it, if any.
    [[nodiscard]] std::optional<Exit> run(unsigned budget);
    /// What the hardware's syndrome register says of that exit; 0 for interrupts.
    [[nodiscard]] u32 trap() const { return trap_; }
    /// Applies the answer to the exit.
    void finish(Answer answer);

private:
    struct Transfer {
        unsigned rt = 31;
        Width width = Width::b8;
        bool sign = false;   ///< extend the sign
        bool narrow = false; ///< to 32 bits
    };
    [[nodiscard]] std::optional<Exit> step();
    [[nodiscard]] std::optional<Exit> load_store(u32 code);
    [[nodiscard]] std::optional<Exit> move_system_register(u32 code);
    [[nodiscard]] bool compute(u32 code);
    /// A person looks for a fault in the guest otherwise. Once.
    void say_unknown(u32 code);
    [[nodiscard]] bool branch(u32 code);
    [[nodiscard]] std::optional<Exit> access(Gpa at, MemoryAccess kind, Width width, u64 &data);
    [[nodiscard]] u64 cpu_interface_read(u64 offset);
    void cpu_interface_write(u64 offset, u64 value);
    /// False when it is no register of GICv3's CPU interface.
    [[nodiscard]] bool move_gic_register(u32 id, bool write, unsigned rt);
    [[nodiscard]] std::optional<u64> own_register(u32 id);
    [[nodiscard]] bool set_own_register(u32 id, u64 value);
    void put(const Transfer &transfer, u64 data);
    void enter_exception(u64 vector, u64 syndrome, u64 address);
    void set(unsigned n, bool wide, u64 value) { set_general_register(n, wide ? value : value & 0xffff'ffff); }

    const GuestMemory &memory_;
    Clock &clock_;
    ListRegisters lists_;
    GuestTimer timer_;
    u64 affinity_;
    std::array<u64, 31> x_{};
    u64 pc_ = 0;
    u64 sp_ = 0;
    u64 pstate_ = 0;
    std::map<u32, u64> system_;
    State state_ = State::stopped;
    bool kicked_ = false;
    u64 kicks_ = 0;
    bool turn_wanted_ = false;
    bool said_unknown_ = false;
    Exit exit_;
    u32 trap_ = 0;         ///< ESR_EL2 of the exit, when an instruction was the cause
    u32 fault_status_ = 0; ///< of the last access that was refused
    Transfer transfer_;    ///< where the answer's data goes
    u64 fault_address_ = 0;
};

} // namespace sel4vm::fake
