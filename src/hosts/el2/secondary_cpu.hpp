// SPDX-License-Identifier: BSD-2-Clause
//
// A CPU of the machine that is not the boot CPU: started by the firmware (PSCI CPU_ON), with stacks, interrupt interface and Processor of its
// own, and then whatever work it is given. Deliberately no way back: once started it is on for good, and so is its memory.
//
// Threads: the boot CPU calls everything but what Work::run() is told.
#pragma once

#include <hosts/el2/boot/cpu_local.hpp>
#include <hosts/el2/host.hpp>
#include <hosts/el2/vcpu/processor.hpp>

#include <atomic>
#include <optional>

namespace sel4vm::el2 {

/// What entry code reads with the MMU off, in this order.
struct alignas(64) SecondaryStart {
    u64 mair, tcr, ttbr, sctlr; ///< the boot CPU's registers
    u64 stack_top;
    u64 argument; ///< of sel4vm_el2_secondary_main()
};

class SecondaryCpu {
public:
    class Work {
    public:
        /// On the CPU itself, once; it halts afterwards.
        virtual void run_on(SecondaryCpu &cpu) = 0;

    protected:
        ~Work() = default;
    };

    /// The one with this MPIDR affinity.
    SecondaryCpu(Host &host, u64 affinity, const ProcessorSetup &setup);
    SecondaryCpu(const SecondaryCpu &) = delete;
    SecondaryCpu &operator=(const SecondaryCpu &) = delete;

    /// Returns when its Processor is there. After an error the object must stay where it is: the CPU may come late.
    /// out_of_memory; not_available: the firmware would not, or it did not come within a second.
    [[nodiscard]] Status<HostError> start();
    /// Once it has started.
    [[nodiscard]] Processor &processor() { return *processor_; }
    [[nodiscard]] Interrupts &interrupts() { return interrupts_; }
    void begin(Work &work);
    void wait_until_done() const;

    /// On the CPU itself: everything.
    [[noreturn]] void main();

private:
    enum class Stage : u8 { off, ready, done };

    Host &host_;
    u64 affinity_;
    ProcessorSetup setup_;
    SecondaryStart start_{};
    CpuLocal local_;
    Gic gic_;
    Interrupts interrupts_{gic_};
    std::optional<Processor> processor_;
    std::atomic<Work *> work_{nullptr};
    std::atomic<Stage> stage_{Stage::off};
};

} // namespace sel4vm::el2
