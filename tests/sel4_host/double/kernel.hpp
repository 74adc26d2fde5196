// SPDX-License-Identifier: BSD-2-Clause
//
// seL4 in a process, as far as the seL4 host can tell: objects and capabilities with the kernel's checks, one thread that makes calls
// (the test) and threads with VCPUs that execute guests while it waits. What the real kernel refuses is refused with its error. What
// (A VCPU's registers stay in the CPU that it ran on last until another one runs there; calls from other CPUs do not see them, as with the kernel.) What
// can never be right although the kernel allows it, or has no error for, is a violation: the first one is remembered and fails the test.
// Deliberately not here: more than one caller, preemption of the caller, revocation; the caller's own budget; what is a kernel's own
// smallest budget.
#pragma once

#include <sel4_host/double/address_space.hpp>
#include <sel4_host/double/cnode.hpp>
#include <sel4_host/double/messages.hpp>
#include <sel4_host/double/physical_memory.hpp>
#include <sel4_host/double/refusals.hpp>

#include <hosts/fake/services.hpp>

#include <array>
#include <functional>
#include <map>
#include <string>

namespace sel4vm::sel4_double {

class Vcpu;

/// What a test chooses before it makes threads.
struct KernelOptions {
    bool traps_wfi = true;
    unsigned list_registers = 4;
    bool executes = true; ///< otherwise a test plays the guests by queueing messages
};

class Kernel {
public:
    static constexpr unsigned kRootRadix = 16;

    Kernel();
    ~Kernel();
    Kernel(const Kernel &) = delete;
    Kernel &operator=(const Kernel &) = delete;
    /// Deletes all capabilities.
    void end();
    /// The one that the C calls reach.
    [[nodiscard]] static Kernel &current();

    void violate(const std::string &what);
    /// Counts a system call, and finds its capability; nullptr when there is none, which is a violation.
    [[nodiscard]] Capability *invoked(seL4_CPtr cap);
    template <class T>
    [[nodiscard]] T *invoked_as(seL4_CPtr cap) {
        Capability *const found = invoked(cap);
        T *const object = found == nullptr ? nullptr : found->as<T>();
        if (object == nullptr)
            violate("a call on a capability of another type, or on none");
        return object;
    }
    /// A slot of the caller's CSpace; nullptr when there is no such slot.
    [[nodiscard]] Capability *slot(seL4_CPtr cap);
    /// The first free slot from the end, for what the kernel itself gives its first thread.
    seL4_CPtr give(Capability cap);

    /// The caller receives on `endpoint`.
    [[nodiscard]] Message receive(Endpoint &endpoint, Reply *reply);
    /// Whether receive() would return at once.
    [[nodiscard]] bool has_message(const Endpoint &endpoint);
    /// Answers whoever the reply capability (not MCS: the caller's own) belongs to.
    void answer(Reply *reply, u64 label, const std::vector<u64> &words);

    /// Threads are found here to be run.
    std::vector<Tcb *> threads;
    std::map<u32, VSpace *> asids;

    KernelOptions options;
    fake::Clock clock;
    PhysicalMemory memory;
    Refusals refusals;
    seL4_IPCBuffer buffer{};
    unsigned calls = 0;
    unsigned yields = 0;
    usize heap_blocks = 0; ///< of the host's own, see heap.cpp
    std::string violation;
    std::deque<Message> played;                       ///< received before anything else
    std::vector<std::vector<u64>> answers;            ///< words of each
    std::multimap<u64, std::function<void()>> timers; ///< devices of the machine: called when the clock is there

    CNode *root = nullptr; ///< of the caller's CSpace
    Capability cspace;
    Tcb *self = nullptr; ///< the caller
    u64 node = 0;        ///< the CPU that calls are made on
    /// The VCPU whose registers each CPU holds: the one that ran there last.
    std::array<Vcpu *, CONFIG_MAX_NUM_NODES> loaded{};
    Tcb *last_fault = nullptr; ///< not MCS: whom the caller's reply capability answers

private:
    [[nodiscard]] bool take_message(Endpoint &endpoint, Message &message);
    void run_guests(Endpoint &endpoint);
    void let_time_pass();
    [[nodiscard]] bool run_timers();
    [[noreturn]] void give_up(const char *why);
    seL4_CPtr next_given_;
    usize next_thread_ = 0;
};

} // namespace sel4vm::sel4_double
