// SPDX-License-Identifier: BSD-2-Clause
//
// The endpoint that the faults of vCPUs and the client's notifications come to: the executor's EventPort on seL4. Answering the
// last fault and waiting for the next message is one system call; no reply capability is saved. A vCPU that waits for an
// interrupt simply gets no answer, and goes on later by being resumed.
//
// Every message is untrusted, since a guest's `hvc` can send one that looks like a fault of its own vCPU (README.md).
// Threads: one executor; signal(), and what Vcpu::kick() and resume() reach, may come from others.
#pragma once

#include <hosts/sel4/kernel.hpp>
#include <hosts/sel4/message.hpp>
#include <hosts/sel4/node_thread.hpp>
#include <hosts/sel4/timeout_source.hpp>
#include <hosts/sel4/vcpu.hpp>

#include <sel4vm/arch/aarch64/esr.hpp>
#include <sel4vm/arch/aarch64/exception.hpp>
#include <sel4vm/arch/aarch64/stage1_walk.hpp>
#include <sel4vm/host/badge_table.hpp>
#include <sel4vm/host/event_port.hpp>
#include <sel4vm/host/services.hpp>

#include <array>
#include <atomic>
#include <optional>

namespace sel4vm::sel4 {

/// Marks the badges of vCPUs and of our own wake-up messages; a client uses none with this bit.
inline constexpr seL4_Word kBadgeMark = seL4_Word{1} << 63;
inline constexpr seL4_Word kWakeBadge = kBadgeMark | seL4_Word{1} << 62;

class EndpointPort final : public EventPort, private BadgeHandler {
public:
    static constexpr usize kMaxVcpus = 256; ///< of all its VMs

    EndpointPort(vka_t &vka, Clock &clock) : vka_(vka), clock_(clock) {}
    EndpointPort(const EndpointPort &) = delete;
    EndpointPort &operator=(const EndpointPort &) = delete;

    /// `endpoint` is the client's; call once, before anything else.
    [[nodiscard]] Status<HostError> create(seL4_CPtr endpoint);
    [[nodiscard]] seL4_CPtr cap() const { return endpoint_; }
    /// Where timeouts come from, once; it outlives the vCPUs. Its badge is nobody's: owner_of().
    void set_timeout_source(TimeoutSource &source);
    /// Who makes calls on other CPUs for it.
    [[nodiscard]] NodeThreads &node_threads() { return node_threads_; }
    /// Who has one of these bits of badges already: vCPUs whose badges a client chose, timeouts, this endpoint itself. Empty: nobody.
    [[nodiscard]] std::string_view owner_of(seL4_Word badge) const;
    /// Whether the caller is the executor's thread while it handles an event of its client's. (Threads are told by their IPC buffers.)
    [[nodiscard]] bool is_turn_of_caller() const {
        return turn_of_.load(std::memory_order_relaxed) == seL4_GetIPCBuffer();
    }

    void resume_and_wait(Answer answer, Event &event) override;
    void apply(Answer answer) override;
    void set_timeout(u64 at_ticks) override;
    void cancel_timeout() override;
    void signal(u64 badge) override;

private:
    friend class Vcpu;
    friend class GuestRegisters;
    friend class GuestTranslator;

    enum class Outcome : u8 { deliver, go_on };

    // BadgeHandler: a timeout
    void signalled(u64 bits, u64 message) override;

    // endpoint_port.cpp: messages and answers
    [[nodiscard]] Result<seL4_Word, HostError> attach(Vcpu &vcpu);
    void detach(Vcpu &vcpu);
    void forget(Vcpu &vcpu);
    void queue_request(Vcpu &vcpu);
    void call_attention();
    void finish(Answer answer);
    void complete(Vcpu &vcpu, u64 data);
    void advance(Vcpu &vcpu);
    void advance_inline(Vcpu &vcpu);
    void advance_carefully(Vcpu &vcpu);
    void go_on(Vcpu &vcpu);
    void go_on_inline(Vcpu &vcpu);
    void resume_thread(Vcpu &vcpu);
    void receive(Message &message);
    [[nodiscard]] Outcome on_message(const Message &message, Event &event);
    [[nodiscard]] Outcome on_polled(const Message &message, Event &event);
    [[nodiscard]] Vcpu *vcpu_of_badge(seL4_Word badge) const;
    [[nodiscard]] Outcome on_client(const Message &message, Event &event);

    // waiting.cpp: what else there is to do than to wait
    void read_inbox();
    [[nodiscard]] bool look_around(Event &event);
    void deliver_due(Vcpu &vcpu, Event &event);
    [[nodiscard]] bool give_turn(Event &event);
    void block(Vcpu &vcpu);
    void stop(Vcpu &vcpu, Answer answer);
    [[nodiscard]] bool may_block(Vcpu &vcpu);
    void wake_due(u64 now);
    void program_timeout();
    void resume_blocked(Vcpu &vcpu);

    // exits.cpp: what a fault means
    template <class Payload>
    Outcome deliver(Vcpu &vcpu, Vcpu::Pending pending, const Payload &payload, Event &event);
    [[nodiscard]] Outcome on_fault(Vcpu &vcpu, const Message &message, Event &event);
    [[nodiscard]] Outcome on_memory_fault(Vcpu &vcpu, const Message &message, Event &event);
    [[nodiscard]] Outcome on_store(Vcpu &vcpu, Gpa gpa, Width width, Event &event);
    [[nodiscard]] Outcome on_unusual_data_abort(Vcpu &vcpu, aarch64::EsrEl2 esr, Event &event);
    [[nodiscard]] Outcome on_instruction_abort(Vcpu &vcpu, aarch64::EsrEl2 esr, Event &event);
    [[nodiscard]] Outcome on_timer(Vcpu &vcpu, const Message &message, Event &event);
    [[nodiscard]] Outcome on_maintenance(Vcpu &vcpu, const Message &message, Event &event);
    [[nodiscard]] Outcome on_unknown_system_call(Vcpu &vcpu, const Message &message, Event &event);
    [[nodiscard]] Outcome on_cap_fault(Vcpu &vcpu, const Message &message, Event &event);
    [[nodiscard]] Outcome on_vcpu_fault(Vcpu &vcpu, aarch64::EsrEl2 esr, Event &event);
    [[nodiscard]] Outcome on_wait_instruction(Vcpu &vcpu, aarch64::EsrEl2 esr, Event &event);
    [[nodiscard]] Outcome on_system_register(Vcpu &vcpu, aarch64::EsrEl2 esr, Event &event);
    [[nodiscard]] Outcome on_coprocessor(Vcpu &vcpu, aarch64::EsrEl2 esr, Event &event);

    // sequences.cpp: loads and stores without a syndrome, and injected faults
    [[nodiscard]] aarch64::Stage1 translate(Vcpu &vcpu, u64 address, MemoryAccess access);
    [[nodiscard]] static aarch64::Stage1 walk(Vcpu &vcpu, u64 address, MemoryAccess access,
                                              aarch64::TableReader &tables);
    [[nodiscard]] Outcome start_sequence(Vcpu &vcpu, Event &event);
    void continue_sequence(Vcpu &vcpu, u64 data);
    void end_sequence(Vcpu &vcpu, aarch64::AccessStep step);
    [[nodiscard]] Outcome on_walk_fault(Vcpu &vcpu, Event &event);
    [[nodiscard]] std::optional<u32> instruction_of(Vcpu &vcpu);
    [[nodiscard]] u32 zva_bytes(Vcpu &vcpu);
    void inject(Vcpu &vcpu, aarch64::GuestException fault);

    // Hot fields first.
    std::atomic<u32> attention_{1}; ///< not zero: look around before waiting
    std::atomic<u32> waiting_{0};   ///< the executor waits for a message, or is about to
    Vcpu *answered_ = nullptr;      ///< whose exit the next answer is about
    Vcpu *reply_to_ = nullptr;      ///< whose fault is the last message, and shall be answered
    std::atomic<const seL4_IPCBuffer *> turn_of_{nullptr};
    seL4_CPtr endpoint_ = 0;
    seL4_CPtr reply_ = 0; ///< MCS: the reply object
    std::array<Vcpu *, kMaxVcpus> vcpus_{};

    vka_t &vka_;
    Clock &clock_;
    TimeoutSource *timeout_source_ = nullptr;
    BadgeTable badges_; ///< of signals; vCPUs' badges are values, and looked for in vcpus_
    std::atomic<Vcpu *> inbox_{nullptr};
    std::atomic<u64> signalled_{0};
    u64 timeout_ = ~u64{0};
    u64 programmed_ = ~u64{0};
    bool chosen_badges_ = false;
    bool turn_is_next_ = false; ///< before the next message is looked for
    CapSlot wake_cap_;
    OwnedObject reply_object_;
    NodeThreads node_threads_;
};

} // namespace sel4vm::sel4
