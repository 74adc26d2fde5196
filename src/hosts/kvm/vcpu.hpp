// SPDX-License-Identifier: BSD-2-Clause
//
// One vCPU and the thread that runs it. The thread is inside KVM_RUN, or waits: for the answer to its exit, or to be resumed. The executor has one
// EventPort for all of them.
//
// Threads: kick(), resume() and request_turn() from any; the rest as VcpuPort says, on the executor. One lock for the phase; it is taken
// before the event port's, never inside it.
#pragma once

#include <hosts/kvm/kernel_vcpu.hpp>

#include <sel4vm/host/event.hpp>
#include <sel4vm/host/vcpu_port.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <pthread.h>

namespace sel4vm::kvm {

class EventPort;

/// What a reset of the boot vCPU does to the others: they wait for PSCI again.
class Siblings {
public:
    virtual void reset_others() = 0;

protected:
    ~Siblings() = default;
};

class Vcpu final : public VcpuPort {
public:
    /// All outlive this. vCPU 0 boots; the kernel's PSCI starts the others, once they are resumed.
    Vcpu(VmId vm, VcpuId id, KernelVcpu &kernel, Siblings &siblings, EventPort &events)
        : vm_(vm), id_(id), kernel_(kernel), siblings_(siblings), events_(events) {}
    Vcpu(const Vcpu &) = delete;
    Vcpu &operator=(const Vcpu &) = delete;
    /// Whatever it is doing, it never runs again.
    ~Vcpu();

    /// Makes the thread; once, before anything else.
    [[nodiscard]] Status<HostError> start_thread();

    /// Its thread runs on this CPU only. invalid: there is none.
    [[nodiscard]] Status<HostError> bind(u32 cpu);

    [[nodiscard]] VmId vm() const { return vm_; }
    [[nodiscard]] VcpuId id() const { return id_; }
    [[nodiscard]] bool boots() const { return id_ == VcpuId{0}; }

    // -- VcpuPort
    [[nodiscard]] u64 general_register(unsigned n) override;
    void set_general_register(unsigned n, u64 value) override;
    [[nodiscard]] u64 program_counter() override { return get(abi::kPc); }
    void set_program_counter(u64 value) override { set(abi::kPc, value); }
    [[nodiscard]] Result<u64, HostError> system_register(u32 id) override;
    [[nodiscard]] Status<HostError> set_system_register(u32 id, u64 value) override;
    void reset(const VcpuStart &start) override;
    void resume() override;
    void kick() override;
    void request_turn() override;
    /// The kernel delivers interrupts.
    [[nodiscard]] VcpuCounts counts() const override { return {std::nullopt, kicks_.load(std::memory_order_relaxed)}; }

    // -- for the event port
    /// Whether it posted an exit that has no answer.
    [[nodiscard]] bool has_exit();
    /// That exit.
    [[nodiscard]] const Exit &exit() const { return exit_; }
    /// Takes the answer. With Next::stop the instruction is finished on return.
    void answer(Answer answer);
    /// Whether it is stopped and waits for a turn; asking takes it.
    [[nodiscard]] bool take_turn();

private:
    enum class Phase : u8 {
        stopped,
        running,   ///< the thread's
        open,      ///< an exit is posted, and not answered
        blocked,   ///< until a kick
        finishing, ///< the thread's: it finishes the instruction, and stops
    };

    static void *enter_thread(void *self);
    void serve();
    [[nodiscard]] Exit run_until_exit(Answer answer);
    void apply(Answer answer);
    void finish_instruction();
    void undo_access();
    void inject(GuestFault fault);
    void set_immediate_exit(u8 value);

    [[nodiscard]] u64 get(u64 name);
    void set(u64 name, u64 value);

    VmId vm_;
    VcpuId id_;
    KernelVcpu &kernel_;
    Siblings &siblings_;
    EventPort &events_;

    std::mutex lock_;
    std::condition_variable to_thread_;
    std::condition_variable from_thread_;
    Phase phase_ = Phase::stopped;
    bool leave_ = false;
    bool has_thread_ = false;
    pthread_t thread_{};
    Answer answer_;

    std::atomic<bool> kicked_{false};
    std::atomic<u64> kicks_{0}; ///< statistics only
    std::atomic<bool> turn_wanted_{false};
    Exit exit_;
    bool access_is_open_ = false;   ///< the kernel finishes an access at the next KVM_RUN
    bool abort_is_pending_ = false; ///< it enters an exception then
};

} // namespace sel4vm::kvm
