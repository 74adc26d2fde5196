// SPDX-License-Identifier: BSD-2-Clause
//
// Faults: from an exit to the client's callback, and from its result to the answer. Registers are in guest_vcpu_registers.cpp.
#include <sel4vm/capi/guest_vcpu.hpp>

#include <sel4vm/arch/aarch64/architecture.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/capi/machine.hpp>
#include <sel4vm/capi/syndrome.hpp>

#include <sel4vm/guest_vm_exits.h>

namespace sel4vm::capi {

namespace {

constexpr bool cannot_finish(const MemoryExit &exit) { return !exit.emulatable || exit.access == MemoryAccess::fetch; }

} // namespace

void GuestVcpu::begin(const Exit &exit) {
    kind_ = FaultKind::vcpu;
    kept_ = {};
    memory_ = &kept_;
    exit_ = exit;
    data_ = 0;
    verdict_ = Verdict::none;
    data_set_ = false;
    // The host knows it exactly, or it is put together again from what the exit says.
    const auto exact = port().system_register(aarch64::sysreg::kEsrEl2);
    syndrome_ = exact ? static_cast<u32>(*exact) : syndrome_of(exit);
}

// Nobody asks for the syndrome of a call.
void GuestVcpu::begin_call(const HypercallExit &exit) {
    kind_ = FaultKind::vcpu;
    memory_ = &kept_;
    exit_.kind = ExitKind::hypercall;
    exit_.hypercall = exit;
    data_ = 0;
    verdict_ = Verdict::none;
    data_set_ = false;
}

[[gnu::noinline, gnu::cold]] std::optional<Answer> GuestVcpu::take_decision(FaultKind kind, u64 gpa) {
    const Decision decision = *decision_;
    const bool same = decision.kind == kind && decision.gpa == gpa && decision.pc == port().program_counter();
    const bool undecided = decision.answer.next() == Next::stop;
    if (same && undecided && verdict_ == Verdict::none)
        return decision.answer; // paused and resumed meanwhile
    if (same && undecided) {    // and decided while it was on its way back
        const Answer answer = verdict_ == Verdict::advance ? finished() : Answer::retry();
        decision_.reset();
        awaits_client_ = false;
        held_ = false;
        kind_ = FaultKind::none;
        return answer;
    }
    decision_.reset();
    awaits_client_ = false;
    held_ = false;
    if (!same)
        return std::nullopt; // the client sent it elsewhere
    return decision.answer;
}

void GuestVcpu::keep_fault() {
    held_ = true;
    kept_ = *memory_;
    memory_ = &kept_;
}

[[gnu::noinline, gnu::cold]] Answer GuestVcpu::hold(int exit_reason) {
    keep_fault();
    machine_.set_fault_outcome(exit_reason);
    return Answer::retry().then(Next::stop);
}

[[gnu::noinline, gnu::cold]] Answer GuestVcpu::wait_for_client() {
    constexpr Answer kWait = Answer::retry().then(Next::stop);
    keep_fault();
    awaits_client_ = true;
    remember(kWait);
    return kWait;
}

Answer GuestVcpu::by_policy(int exit_reason) {
    if (machine_.policy() == VM_FAULT_POLICY_RETURN)
        return hold(exit_reason);
    kind_ = FaultKind::none;
    return Answer::none();
}

/// The answer for an instruction that the client has finished.
[[gnu::always_inline]] inline Answer GuestVcpu::finished() const {
    if (kind_ == FaultKind::memory) {
        if (cannot_finish(*memory_))
            return Answer::inject(GuestFault::access);
        if (memory_->access == MemoryAccess::write)
            return Answer::complete();
        return Answer::complete((data_ & fault_mask()) >> lane_shift() & mask_of(memory_->width));
    }
    // A trapped read gets what the client has set, and otherwise leaves the register as the client left it.
    if (exit_.kind == ExitKind::system_register && !exit_.system_register.write)
        return Answer::complete(data_set_ ? data_ : port().general_register(transfer_register(syndrome_)));
    return Answer::complete();
}

/// `last`: nobody comes after this callback. Inline, because devices of clients live on this path.
[[gnu::always_inline]] inline Answer GuestVcpu::decide(memory_fault_result_t result, bool last) {
    Answer answer = Answer::retry();
    switch (result) {
    case FAULT_HANDLED:
        if (verdict_ == Verdict::advance) [[likely]]
            answer = finished();
        else if (verdict_ == Verdict::none)
            return wait_for_client();
        break;
    case FAULT_RESTART: break;
    case FAULT_IGNORE:
        answer = cannot_finish(*memory_) ? Answer::inject(GuestFault::access) : Answer::complete();
        break;
    case FAULT_UNHANDLED:
        if (last)
            return hold(VM_GUEST_MMIO_EXIT);
        answer = Answer::none();
        break;
    case FAULT_ERROR: return hold(VM_GUEST_ERROR_EXIT);
    default:
        machine_.complain("a memory fault callback", "returned no memory_fault_result_t");
        return hold(VM_GUEST_ERROR_EXIT);
    }
    kind_ = FaultKind::none;
    return answer;
}

Answer GuestVcpu::reservation_fault(const MemoryExit &exit, MemoryCallback callback) {
    if (decision_) [[unlikely]] {
        if (const auto decided = take_decision(FaultKind::memory, exit.gpa.value()))
            return *decided;
    }
    begin(exit);
    return decide(callback.function(&machine_.c(), &c_, exit.gpa.value(), fault_bytes(), callback.cookie), false);
}

Answer GuestVcpu::unowned_fault(const MemoryExit &exit) {
    if (decision_) {
        if (const auto decided = take_decision(FaultKind::memory, exit.gpa.value()))
            return *decided;
    }
    begin(exit);
    const vm_mem &mem = machine_.c().mem;
    if (mem.unhandled_mem_fault_handler == nullptr)
        return by_policy(VM_GUEST_MMIO_EXIT);
    return decide(mem.unhandled_mem_fault_handler(&machine_.c(), &c_, exit.gpa.value(), fault_bytes(),
                                                  mem.unhandled_mem_fault_cookie),
                  true);
}

Answer GuestVcpu::mapping_failed(const MemoryExit &exit) {
    begin(exit);
    return hold(VM_GUEST_ERROR_EXIT);
}

Answer GuestVcpu::vcpu_fault(Mistake mistake, const Exit &exit) {
    const bool memory = exit.kind == ExitKind::memory;
    if (!memory && decision_) {
        if (const auto decided = take_decision(FaultKind::vcpu, 0))
            return *decided;
    }
    if (memory)
        begin(exit.memory);
    else
        begin(exit);
    // What a device of the library refuses is decided by the policy; so is a store to read-only memory.
    static_cast<void>(mistake);
    const vm_vcpu_arch &arch = c_.vcpu_arch;
    if (memory || arch.unhandled_vcpu_callback == nullptr)
        return by_policy(memory ? VM_GUEST_MMIO_EXIT : VM_GUEST_UNKNOWN_EXIT);
    const int result = arch.unhandled_vcpu_callback(&c_, syndrome_, arch.unhandled_vcpu_callback_cookie);
    if (result == VM_VCPU_FAULT_UNHANDLED)
        return by_policy(VM_GUEST_UNKNOWN_EXIT);
    if (result != 0)
        return hold(VM_GUEST_UNKNOWN_EXIT);
    if (verdict_ == Verdict::none)
        return wait_for_client();
    const Answer answer = verdict_ == Verdict::advance ? finished() : Answer::retry();
    kind_ = FaultKind::none;
    return answer;
}

// ---------------------------------------------------------------- SMC

Answer GuestVcpu::client_smc(const HypercallExit &exit, smc_handler_callback_fn handler) {
    if (decision_) {
        if (const auto decided = take_decision(FaultKind::vcpu, 0))
            return *decided;
    }
    begin_call(exit);
    ChangingContext context(registers());
    smc_ = &exit;
    smc_context_ = &context;
    smc_answer_ = Answer::complete();
    const u64 pc = context.now().pc;
    const int result = handler(&c_, &context.now());
    smc_ = nullptr;
    smc_context_ = nullptr;
    if (result != 0)
        return hold(VM_GUEST_UNKNOWN_EXIT);
    put_changes(context);
    kind_ = FaultKind::none;
    if (context.now().pc != pc)
        return Answer::retry(); // it goes on where the handler said
    return smc_answer_;
}

bool GuestVcpu::serve_smc(seL4_UserContext &regs) {
    if (smc_ == nullptr)
        return false;
    constexpr unsigned kArguments = 8;
    UserContextWords words(regs);
    for (unsigned n = 0; n < kArguments; ++n)
        port().set_general_register(n, words.words[UserContextLayout::kX0 + n]);
    HypercallExit call = *smc_;
    call.function = static_cast<u32>(words.words[UserContextLayout::kX0]);
    smc_answer_ = machine_.library_call(*core_, call);
    if (smc_answer_.kind() == AnswerKind::none) {
        aarch64::architecture().refuse_call(port());
        smc_answer_ = Answer::complete();
    }
    // What the callback gives back is compared with what it is now, not with what the guest had called with.
    const UserContextArray &now = registers();
    for (unsigned n = 0; n < kArguments; ++n)
        words.words[UserContextLayout::kX0 + n] = now[UserContextLayout::kX0 + n];
    copy_context(words.words.data(), &regs);
    return true;
}

// ---------------------------------------------------------------- the client's side

u64 GuestVcpu::fault_address() const { return kind_ == FaultKind::memory ? memory_->gpa.value() : 0; }

bool GuestVcpu::fault_is_read() const { return kind_ == FaultKind::memory && memory_->access != MemoryAccess::write; }

u64 GuestVcpu::emulate(u64 old) const {
    const u64 mask = fault_mask();
    const unsigned shift = lane_shift();
    if (fault_is_read())
        return (old & ~(mask >> shift)) | (data_ & mask) >> shift;
    return (old & ~mask) | (data_ << shift & mask);
}

// A vCPU that a pause and a resume have let go is on its way back to the fault: its registers are out of reach until then.
bool GuestVcpu::is_on_its_way_back() const { return awaits_client_ && !is_reachable(); }

void GuestVcpu::decide_later() {
    if (is_on_its_way_back())
        return;
    remember(finished());
    if (awaits_client_)
        release();
}

void GuestVcpu::restart() {
    verdict_ = Verdict::restart;
    if (is_on_its_way_back())
        return;
    decision_.reset();
    if (awaits_client_)
        release();
}

void GuestVcpu::release() {
    held_ = false;
    awaits_client_ = false;
    kind_ = FaultKind::none;
    static_cast<void>(core_->vm().release(*core_)); // not held any more when the VM was stopped or reset meanwhile
}

} // namespace sel4vm::capi
