// SPDX-License-Identifier: BSD-2-Clause
//
// The exit path: the answer to the last exit, the system call that sends it and waits, and what came back.
#include <hosts/sel4/endpoint_port.hpp>

#include <sel4vm/arch/aarch64/coprocessor_access.hpp>
#include <sel4vm/arch/aarch64/next_instruction.hpp>

namespace sel4vm::sel4 {

namespace {

using aarch64::EsrEl2;
using aarch64::IssDataAbort;

constexpr seL4_Word kSlotMask = EndpointPort::kMaxVcpus - 1;

/// Words of an answer to an unknown system call that carry x0-x7 and PC.
constexpr unsigned kSyscallReplyWords = seL4_UnknownSyscall_FaultIP + 1;

constexpr u32 kWord = static_cast<u32>(aarch64::AccessSize::word) << IssDataAbort::Sas::shift;

} // namespace

Status<HostError> EndpointPort::create(seL4_CPtr endpoint) {
    endpoint_ = endpoint;
#ifdef CONFIG_KERNEL_MCS
    if (auto done = reply_object_.allocate(vka_, seL4_ReplyObject, seL4_ReplyBits); !done)
        return done;
    reply_ = reply_object_.cap();
#endif
    if (!wake_cap_.allocate(vka_))
        return Err{out_of_memory()};
    cspacepath_t from{};
    vka_cspace_make_path(&vka_, endpoint, &from);
    const cspacepath_t to = wake_cap_.path();
    if (const int error = vka_cnode_mint(&to, &from, seL4_AllRights, kWakeBadge); error != 0)
        return Err{host_error(error)};
    return Ok{};
}

void EndpointPort::set_timeout_source(TimeoutSource &source) {
    timeout_source_ = &source;
    const bool added = badges_.add(source.badge(), "the source of timeouts", this).has_value();
    SEL4VM_ASSERT(added); // it was nobody's
}

std::string_view EndpointPort::owner_of(seL4_Word badge) const {
    for (const Vcpu *vcpu : vcpus_)
        if (vcpu != nullptr && (vcpu->setup_.badge & badge) != 0)
            return "a vCPU";
    return (badge & kBadgeMark) != 0 ? "the endpoint" : badges_.owner_of(badge);
}

void EndpointPort::signalled(u64, u64) {
    programmed_ = kNever;
    attention_.store(1, std::memory_order_relaxed);
}

Result<seL4_Word, HostError> EndpointPort::attach(Vcpu &vcpu) {
    for (usize slot = 0; slot < kMaxVcpus; ++slot) {
        if (vcpus_[slot] != nullptr)
            continue;
        vcpus_[slot] = &vcpu;
        if (vcpu.setup_.badge == 0)
            return kBadgeMark | slot;
        chosen_badges_ = true;
        return vcpu.setup_.badge;
    }
    return Err{out_of_memory()};
}

void EndpointPort::detach(Vcpu &vcpu) {
    read_inbox();
    forget(vcpu);
    for (Vcpu *&known : vcpus_) {
        if (known == &vcpu)
            known = nullptr;
    }
}

// It gets no answer any more.
void EndpointPort::forget(Vcpu &vcpu) {
    if (answered_ == &vcpu)
        answered_ = nullptr;
    if (reply_to_ == &vcpu)
        reply_to_ = nullptr;
}

// ---------------------------------------------------------------- The answer

// Where it takes more than adding 4.
[[gnu::noinline, gnu::cold]] void EndpointPort::advance_carefully(Vcpu &vcpu) {
    RegisterWords &registers = vcpu.registers_;
    const u64 pstate = registers.get(kWordPstate);
    const aarch64::Position next = aarch64::after_instruction({registers.get(kWordPc), pstate}, EsrEl2{vcpu.esr_});
    // The kernel would turn an AArch32 state into an AArch64 one; what is lost is the rest of an IT block.
    if (!aarch64::is_aarch32(pstate)) {
        registers.set(kWordPstate, next.pstate);
        vcpu.answer_by_call();
    }
    registers.set(kWordPc, next.pc);
}

// PSTATE is looked at where it is known, that is, whenever a register of the guest was read or written: the accesses that do
// without are stores of xzr, which only AArch64 has.
[[gnu::always_inline]] inline void EndpointPort::advance_inline(Vcpu &vcpu) {
    RegisterWords &registers = vcpu.registers_;
    if (registers.knows(kWordPstate) && (registers.words()[kWordPstate] & aarch64::kCarefulAdvance) != 0) [[unlikely]]
        return advance_carefully(vcpu);
    registers.set(kWordPc, registers.get(kWordPc) + 4);
}

void EndpointPort::advance(Vcpu &vcpu) { advance_inline(vcpu); }

// In the order of how much an instruction more would matter; a switch would look its way up in a table.
[[gnu::always_inline]] inline void EndpointPort::complete(Vcpu &vcpu, u64 data) {
    const Vcpu::Pending pending = vcpu.pending_;
    if (pending == Vcpu::Pending::nothing)
        return;
    if (pending == Vcpu::Pending::load) {
        const u64 esr = vcpu.esr_;
        const auto rt = static_cast<unsigned>(esr >> IssDataAbort::Srt::shift & IssDataAbort::Srt::max);
        if (rt != 31) {
            const bool plain_word = (esr & (IssDataAbort::Sas::mask | IssDataAbort::Sse::mask)) == kWord;
            vcpu.registers_.set(word_of_x(rt), plain_word
                                                   ? static_cast<u32>(data)
                                                   : aarch64::load_result(EsrEl2{esr}.iss_as<IssDataAbort>(), data));
        }
    } else if (pending == Vcpu::Pending::mrs) {
        const unsigned rt = EsrEl2{vcpu.esr_}.iss_as<aarch64::IssSysreg>().get<aarch64::IssSysreg::Rt>();
        if (rt != 31)
            vcpu.registers_.set(word_of_x(rt), data);
    } else if (pending == Vcpu::Pending::sequence) {
        continue_sequence(vcpu, data);
        return;
    } else if (pending == Vcpu::Pending::coprocessor) {
        set_read_value(aarch64::coprocessor_access(EsrEl2{vcpu.esr_}), data,
                       [&](unsigned n, u64 value) { vcpu.registers_.set(word_of_x(n), value); });
    }
    advance_inline(vcpu);
}

// The vCPU's exit is answered and it may run.
[[gnu::always_inline]] inline void EndpointPort::go_on_inline(Vcpu &vcpu) {
    if (vcpu.wake_ == Vcpu::Wake::reply) [[likely]] {
        vcpu.registers_.flush();
        reply_to_ = &vcpu;
        return;
    }
    if (vcpu.wake_ == Vcpu::Wake::message) {
        // The answer carries what fits; when more has changed, all of it goes the long way.
        if (vcpu.registers_.dirty() > word_of_x(7) + 1) {
            vcpu.wake_ = Vcpu::Wake::reply;
            vcpu.registers_.flush();
        }
        reply_to_ = &vcpu;
        return;
    }
    if (vcpu.wake_ == Vcpu::Wake::resume)
        resume_thread(vcpu);
}

void EndpointPort::go_on(Vcpu &vcpu) { go_on_inline(vcpu); }

[[gnu::noinline]] void EndpointPort::resume_thread(Vcpu &vcpu) {
    vcpu.registers_.flush();
    if ((vcpu.due_ & Vcpu::kDuePart) != 0)
        return; // there is more to come of the same instruction
    static_cast<void>(seL4_TCB_Resume(vcpu.tcb_));
    vcpu.wake_ = Vcpu::Wake::none;
    vcpu.started_ = true;
}

[[gnu::always_inline]] inline void EndpointPort::finish(Answer answer) {
    Vcpu *const vcpu = answered_;
    if (vcpu == nullptr)
        return;
    answered_ = nullptr;
    if (answer.kind() == AnswerKind::complete) [[likely]]
        complete(*vcpu, answer.data());
    else if (answer.kind() == AnswerKind::inject)
        inject(*vcpu, aarch64::exception_of(answer.fault()));
    if (answer.next() == Next::run) [[likely]] {
        vcpu->state_ = Vcpu::State::running;
        go_on_inline(*vcpu);
    } else if (answer.next() == Next::block) {
        block(*vcpu);
    } else {
        stop(*vcpu, answer);
    }
}

void EndpointPort::apply(Answer answer) { finish(answer); }

// ---------------------------------------------------------------- The system call

[[gnu::always_inline]] inline void EndpointPort::receive(Message &message) {
    Vcpu *const vcpu = reply_to_;
    if (vcpu == nullptr) [[unlikely]] {
        wait_for(endpoint_, reply_, message);
        return;
    }
    reply_to_ = nullptr;
    seL4_Word words = vcpu->answer_words_;
    message.mr = {};
    if (vcpu->wake_ == Vcpu::Wake::message) {
        const auto &registers = vcpu->registers_.words();
        for (unsigned i = 0; i < message.mr.size(); ++i)
            message.mr[i] = registers[kWordX0 + i];
        seL4_Word *const buffer = &seL4_GetIPCBuffer()->msg[0];
        for (usize i = message.mr.size(); i < seL4_UnknownSyscall_FaultIP; ++i)
            buffer[i] = registers[kWordX0 + i];
        buffer[seL4_UnknownSyscall_FaultIP] = registers[kWordPc];
        words = kSyscallReplyWords;
        vcpu->registers_.discard_changes();
    }
    vcpu->wake_ = Vcpu::Wake::none;
    answer_and_wait(endpoint_, reply_, words, message);
}

[[gnu::always_inline]] inline EndpointPort::Outcome EndpointPort::on_message(const Message &message, Event &event) {
    Vcpu *vcpu = nullptr;
    if ((message.badge & kBadgeMark) != 0) [[likely]] {
        if (message.badge == kWakeBadge)
            return Outcome::go_on;
        vcpu = vcpus_[message.badge & kSlotMask];
    } else {
        if (chosen_badges_)
            vcpu = vcpu_of_badge(message.badge);
        if (vcpu == nullptr)
            return on_client(message, event);
    }
    if (vcpu == nullptr || vcpu->state_ == Vcpu::State::stopped) [[unlikely]]
        return Outcome::go_on; // nobody to speak for
    vcpu->state_ = Vcpu::State::running;
    vcpu->wake_ = Vcpu::Wake::reply;
    vcpu->answer_words_ = 0;
    // What comes most often, before a search among all.
    Outcome outcome = Outcome::go_on;
    const seL4_Word label = message.label();
    if (label == seL4_Fault_VMFault && message.length() >= seL4_VMFault_Length)
        outcome = on_memory_fault(*vcpu, message, event);
    else if (label == seL4_Fault_VPPIEvent)
        outcome = on_timer(*vcpu, message, event);
    else if (label == seL4_Fault_VGICMaintenance)
        outcome = on_maintenance(*vcpu, message, event);
    else
        outcome = on_fault(*vcpu, message, event);
    if (outcome == Outcome::go_on)
        go_on(*vcpu);
    return outcome;
}

// Away from the exit path.
[[gnu::noinline, gnu::cold]] EndpointPort::Outcome EndpointPort::on_polled(const Message &message, Event &event) {
    return on_message(message, event);
}

// Where clients chose the badges of vCPUs, only a search tells them from other badges.
Vcpu *EndpointPort::vcpu_of_badge(seL4_Word badge) const {
    for (Vcpu *vcpu : vcpus_) {
        if (vcpu != nullptr && vcpu->badge_ == badge)
            return vcpu;
    }
    return nullptr;
}

// The client's own notification or message; its callback may look at the message registers.
EndpointPort::Outcome EndpointPort::on_client(const Message &message, Event &event) {
    const seL4_Word badge = badges_.dispatch(message.badge, 0);
    if (badge == 0 && message.badge != 0)
        return Outcome::go_on;
    for (unsigned i = 0; i < message.mr.size(); ++i)
        seL4_SetMR(static_cast<int>(i), message.mr[i]);
    turn_of_.store(seL4_GetIPCBuffer(), std::memory_order_relaxed);
    event.kind = EventKind::notification;
    event.badge = badge;
    event.message = message.tag.words[0];
    return Outcome::deliver;
}

void EndpointPort::resume_and_wait(Answer answer, Event &event) {
    turn_of_.store(nullptr, std::memory_order_relaxed);
    finish(answer);
    Message message;
    for (;;) {
        // Whoever asks for attention before this is seen below; whoever does so later sees it, and sends a message.
        waiting_.store(1, std::memory_order_seq_cst);
        while (attention_.load(std::memory_order_seq_cst) != 0)
            [[unlikely]] {
                waiting_.store(0, std::memory_order_relaxed);
                if (look_around(event))
                    return;
                waiting_.store(1, std::memory_order_seq_cst);
            }
        receive(message);
        waiting_.store(0, std::memory_order_relaxed);
        if (on_message(message, event) == Outcome::deliver) [[likely]]
            return;
    }
}

} // namespace sel4vm::sel4
