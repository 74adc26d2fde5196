// SPDX-License-Identifier: BSD-2-Clause
//
// A thread on another CPU that makes calls there, for the executor. The kernel leaves the registers of the VCPU that ran last on a CPU in that
// CPU, and looks for them only in the CPU that a call is made on: from any other it reads what memory had of them, what it writes is written over
// later, and of a VCPU that is deleted it does not notice that a CPU will still save into it. So calls about a VCPU that another CPU may hold
// are made by a thread that is there. What is needed of an exit on its usual ways is not among them (README.md).
//
// Threads: the executor's.
#pragma once

#include <hosts/sel4/capabilities.hpp>
#include <hosts/sel4/register_words.hpp>

#include <sel4vm/base/allocator.hpp>

#include <array>

extern "C" {
/// What it executes (node_thread.cpp).
void sel4vm_node_thread();
}

namespace sel4vm::sel4 {

/// Whether there are any.
inline constexpr bool kSeveralNodes = CONFIG_MAX_NUM_NODES > 1;

class NodeThread {
public:
    NodeThread() = default;
    NodeThread(const NodeThread &) = delete;
    NodeThread &operator=(const NodeThread &) = delete;
    ~NodeThread();

    /// `vspace` is the VMM's own. It goes before every vCPU of its CPU where the VMM's thread may set that, else before those below `priority`. Once.
    [[nodiscard]] Status<HostError> create(vka_t &vka, simple_t &simple, seL4_CPtr vspace, u32 cpu, int priority);

    [[nodiscard]] u64 read(seL4_CPtr vcpu, seL4_VCPUReg which);
    void write(seL4_CPtr vcpu, seL4_VCPUReg which, u64 value);
    /// Deletes the capability in this slot.
    void erase(const cspacepath_t &slot);

private:
    [[nodiscard]] int schedule(simple_t &simple, u32 cpu, int priority);
    [[nodiscard]] u64 call(seL4_CPtr cap, seL4_Word label, seL4_Word length, seL4_Word first, seL4_Word second);

    OwnedObject done_;    ///< it signals that
    OwnedObject never_;   ///< and waits for that, until it is sent on the next call
    OwnedObject context_; ///< MCS
    OwnedObject tcb_;     ///< goes first
    RegisterWords registers_;
};

/// One for each CPU that was asked for, of one executor.
class NodeThreads {
public:
    struct From {
        vka_t &vka;
        simple_t &simple;
        seL4_CPtr vspace;
        Allocator &allocator;
        int priority;
    };
    [[nodiscard]] Result<NodeThread *, HostError> on(u32 cpu, const From &from) {
        Owned<NodeThread> &thread = threads_[cpu];
        if (!thread) {
            auto made = Owned<NodeThread>::make(from.allocator);
            if (!made)
                return Err{out_of_memory()};
            SEL4VM_TRY(made->create(from.vka, from.simple, from.vspace, cpu, from.priority));
            thread = std::move(made);
        }
        return thread.get();
    }

private:
    std::array<Owned<NodeThread>, CONFIG_MAX_NUM_NODES> threads_; // by CPU
};

} // namespace sel4vm::sel4
