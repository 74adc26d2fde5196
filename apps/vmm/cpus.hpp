// SPDX-License-Identifier: BSD-2-Clause
//
// The CPUs that VMs run on: each with its Processor, its executor, and what somebody asked for in between (counts, a trace). The boot CPU is
// always one of them; the others are started when a vCPU is placed on them.
//
// Threads: the boot CPU, before and after run().
#pragma once

#include <apps/vmm/trace.hpp>

#include <hosts/el2/secondary_cpu.hpp>
#include <sel4vm/machine/description.hpp>
#include <sel4vm/vm/access_counts.hpp>
#include <sel4vm/vm/executor.hpp>

#include <array>
#include <atomic>

namespace sel4vm::vmm {

class Cpus final : private el2::SecondaryCpu::Work, private el2::PanicPrinter::Report {
public:
    Cpus(el2::Host &host, Log &log, const machine::SystemDescription &system, const BusNames &names);
    ~Cpus();
    Cpus(const Cpus &) = delete;
    Cpus &operator=(const Cpus &) = delete;

    /// How many the machine has for VMs.
    [[nodiscard]] u32 count() const { return count_; }
    /// Makes the boot CPU and those in `used` (bit n: CPU n) ready; once. False: the log says why not.
    [[nodiscard]] bool open(u64 used, ExecutorListener &listener);
    [[nodiscard]] bool are_several() const { return several_; }

    /// Makes each CPU hand interrupts of the table to their VMs; false: there is no memory for it. Before any VM runs.
    [[nodiscard]] bool share_interrupts(el2::PassedIrqTable &table);

    [[nodiscard]] u32 boot() const { return boot_; }
    [[nodiscard]] el2::Processor &processor(u32 cpu) { return *cpus_[cpu].processor; }
    [[nodiscard]] Executor &executor(u32 cpu) { return *cpus_[cpu].executor; }
    /// The boot CPU hears it.
    void signal(u64 badge) { processor(boot_).signal(badge); }

    /// Runs all VMs on all CPUs; returns when all are done.
    void run();

    /// Their last events, where somebody asked for traces. A panic prints them, too.
    void print_traces(Log &log, std::string_view source, Trace::Open open = Trace::Open::left_out) const;
    /// How often the VM accessed each device, where somebody asked for counts.
    void report_accesses(Log &log, const Vm &vm) const;

private:
    /// Of accesses to devices.
    struct Counting {
        Counting(EventPort &to, Clock &clock, const BusNames &names) : counts(names), port(to, clock, counts) {}
        AccessCounts counts;
        RecordingPort port;
    };
    struct Cpu {
        Owned<el2::Processor> own; ///< of the boot CPU
        Owned<el2::SecondaryCpu> secondary;
        el2::Processor *processor = nullptr;
        Owned<Counting> counting; ///< when asked for
        Owned<Trace> trace;       ///< when asked for
        Owned<Executor> executor;
    };

    [[nodiscard]] bool start(u32 number);
    [[nodiscard]] bool make_executor(Cpu &cpu, ExecutorListener &listener);
    static void run(Cpu &cpu);
    void run_on(el2::SecondaryCpu &cpu) override;
    void print(el2::PanicPrinter &printer) override;

    el2::Host &host_;
    Log &log_;
    const machine::SystemDescription &system_;
    const BusNames &names_;
    u32 count_ = 1;
    u32 boot_ = 0;
    bool several_ = false;
    std::atomic<bool> done_{false}; ///< the boot CPU, which serves all VMs, runs none any more
    OwnedArray<Cpu> cpus_;          // by number
};

} // namespace sel4vm::vmm
