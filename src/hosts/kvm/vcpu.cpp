// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/kvm/vcpu.hpp>

#include <hosts/kvm/event_port.hpp>
#include <hosts/kvm/exit_decoding.hpp>

#include <sel4vm/arch/aarch64/exception.hpp>
#include <sel4vm/arch/aarch64/id_register_layouts.hpp>
#include <sel4vm/base/assert.hpp>

#include <csignal>

namespace sel4vm::kvm {

namespace sysreg = aarch64::sysreg;

namespace {

/// Ends a KVM_RUN. The handler does nothing: that the call was interrupted is all.
constexpr int kKickSignal = SIGUSR1;

void prepare_signal() {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    sigaction(kKickSignal, &action, nullptr);
}

} // namespace

// ---------------------------------------------------------------- the thread

Status<HostError> Vcpu::start_thread() {
    prepare_signal();
    if (const int error = pthread_create(&thread_, nullptr, &enter_thread, this); error != 0)
        return Err{host_error(error)};
    has_thread_ = true;
    return Ok{};
}

Status<HostError> Vcpu::bind(u32 cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (cpu >= CPU_SETSIZE)
        return Err{HostError{HostErrorKind::invalid}};
    CPU_SET(cpu, &set);
    if (const int error = pthread_setaffinity_np(thread_, sizeof set, &set); error != 0)
        return Err{host_error(error)};
    return Ok{};
}

Vcpu::~Vcpu() {
    if (has_thread_) {
        {
            const std::scoped_lock guard(lock_);
            leave_ = true;
            kicked_.store(true);
            set_immediate_exit(1);
            if (phase_ == Phase::running)
                pthread_kill(thread_, kKickSignal);
            to_thread_.notify_one();
        }
        pthread_join(thread_, nullptr);
    }
    if (phase_ == Phase::running || phase_ == Phase::open)
        events_.pauses();
    events_.forget(*this);
}

void *Vcpu::enter_thread(void *self) {
    static_cast<Vcpu *>(self)->serve();
    return nullptr;
}

void Vcpu::serve() {
    std::unique_lock guard(lock_);
    for (;;) {
        to_thread_.wait(guard, [this] { return leave_ || phase_ == Phase::running || phase_ == Phase::finishing; });
        if (leave_)
            return;
        const Answer answer = std::exchange(answer_, Answer::none());
        const bool stops = phase_ == Phase::finishing;
        guard.unlock();
        if (stops) {
            apply(answer);
            finish_instruction();
            guard.lock();
            phase_ = Phase::stopped;
            from_thread_.notify_one();
            continue;
        }
        const Exit exit = run_until_exit(answer);
        guard.lock();
        if (leave_)
            return;
        exit_ = exit;
        phase_ = Phase::open;
        events_.post(*this);
    }
}

void Vcpu::set_immediate_exit(u8 value) {
    std::atomic_ref<u8>(kernel_.shared().immediate_exit).store(value, std::memory_order_seq_cst);
}

Exit Vcpu::run_until_exit(Answer answer) {
    apply(answer);
    for (;;) {
        // A kick sets its flag first and this one second. If it comes before the store here, the question finds it; if after, KVM_RUN does.
        set_immediate_exit(0);
        if (kicked_.exchange(false)) {
            finish_instruction();
            return Exit{ExitKind::kicked};
        }
        const int error = kernel_.run();
        const auto exit = error == 0 ? decode_exit(kernel_.shared()) : decode_error(error);
        access_is_open_ = error == 0 && kernel_.shared().exit_reason == KVM_EXIT_MMIO;
        abort_is_pending_ = false;
        if (exit)
            return *exit;
    }
}

/// The kernel finishes an access, and enters an exception, when it is entered again; this makes it do nothing else.
void Vcpu::finish_instruction() {
    if (!access_is_open_ && !abort_is_pending_)
        return;
    set_immediate_exit(1);
    static_cast<void>(kernel_.run());
    set_immediate_exit(0);
    access_is_open_ = false;
    abort_is_pending_ = false;
}

// ---------------------------------------------------------------- answers

void Vcpu::apply(Answer answer) {
    switch (answer.kind()) {
    case AnswerKind::none:
    case AnswerKind::go_on: break;
    case AnswerKind::complete:
        if (access_is_open_)
            put_read_data(kernel_.shared(), answer.data());
        else if (exit_.kind == ExitKind::memory) // one that the kernel does not finish
            set(abi::kPc, get(abi::kPc) + 4);
        break;
    case AnswerKind::retry: undo_access(); break;
    case AnswerKind::inject:
        undo_access();
        inject(answer.fault());
        break;
    }
}

/// The vCPU before the access again: the kernel insists on finishing it, so what that changes is put back.
void Vcpu::undo_access() {
    if (!access_is_open_)
        return;
    std::array<u64, 31> general{};
    for (unsigned n = 0; n < general.size(); ++n)
        general[n] = get(abi::general_register(n));
    const u64 pc = get(abi::kPc);
    const u64 pstate = get(abi::kPstate);
    put_read_data(kernel_.shared(), 0);
    finish_instruction();
    for (unsigned n = 0; n < general.size(); ++n)
        set(abi::general_register(n), general[n]);
    set(abi::kPc, pc);
    set(abi::kPstate, pstate);
}

void Vcpu::inject(GuestFault fault) {
    if (fault == GuestFault::access && exit_.kind == ExitKind::memory) {
        // The kernel knows the faulting address and does not tell it, so it is the one to raise it.
        const auto raised = kernel_.raise_external_abort();
        SEL4VM_ASSERT(raised);
        abort_is_pending_ = true;
        finish_instruction();
        // Linux up to 6.1 at least extends the syndrome's top bit into the upper half, where there is nothing.
        constexpr u64 kSyndrome = abi::encoded_register(sysreg::kEsrEl1);
        set(kSyndrome, get(kSyndrome) & 0xffff'ffff);
        return;
    }
    const auto read = [&](u32 id) { return system_register(id).value_or(0); };
    const aarch64::PstateFeatures features = aarch64::pstate_features(
        aarch64::IdAa64pfr0{read(sysreg::kIdAa64pfr0El1)}, aarch64::IdAa64pfr1{read(sysreg::kIdAa64pfr1El1)},
        aarch64::IdAa64mmfr1{read(sysreg::kIdAa64mmfr1El1)}, aarch64::IdAa64mmfr2{read(sysreg::kIdAa64mmfr2El1)});
    const aarch64::ExceptionContext context{get(abi::kPstate), get(abi::kPc), read(sysreg::kVbarEl1),
                                            read(sysreg::kSctlrEl1), read(sysreg::kFarEl1)};
    const aarch64::ExceptionEntry entry = aarch64::enter_el1(
        context, features, aarch64::fault_syndrome(aarch64::exception_of(fault), aarch64::EsrEl2{}, 0, context.pstate));
    set(abi::kPc, entry.pc);
    set(abi::kPstate, entry.pstate);
    set(abi::kElrEl1, entry.elr_el1);
    set(abi::kSpsrEl1, entry.spsr_el1);
    set(abi::encoded_register(sysreg::kEsrEl1), entry.esr_el1);
    set(abi::encoded_register(sysreg::kFarEl1), entry.far_el1);
}

void Vcpu::answer(Answer answer) {
    std::unique_lock guard(lock_);
    SEL4VM_ASSERT(phase_ == Phase::open);
    answer_ = answer;
    switch (answer.next()) {
    case Next::run: phase_ = Phase::running; break;
    case Next::block:
        if (!kicked_) {
            phase_ = Phase::blocked;
            events_.pauses();
            return;
        }
        phase_ = Phase::running;
        break;
    case Next::stop:
        phase_ = Phase::finishing;
        events_.pauses();
        break;
    }
    to_thread_.notify_one();
    if (answer.next() == Next::stop)
        from_thread_.wait(guard, [this] { return phase_ == Phase::stopped; });
}

// ---------------------------------------------------------------- the port

u64 Vcpu::get(u64 name) {
    const auto value = kernel_.get(name);
    SEL4VM_ASSERT(value);
    return *value;
}

void Vcpu::set(u64 name, u64 value) {
    const auto done = kernel_.set(name, value);
    SEL4VM_ASSERT(done);
}

u64 Vcpu::general_register(unsigned n) {
    SEL4VM_ASSERT(n <= 31);
    return n == 31 ? 0 : get(abi::general_register(n));
}

void Vcpu::set_general_register(unsigned n, u64 value) {
    SEL4VM_ASSERT(n <= 31);
    if (n < 31)
        set(abi::general_register(n), value);
}

Result<u64, HostError> Vcpu::system_register(u32 id) {
    const auto name = abi::system_register(id);
    if (!name)
        return Err{HostError{HostErrorKind::not_available}};
    return kernel_.get(*name);
}

Status<HostError> Vcpu::set_system_register(u32 id, u64 value) {
    const auto name = abi::system_register(id);
    if (!name)
        return Err{HostError{HostErrorKind::not_available}};
    return kernel_.set(*name, value);
}

void Vcpu::reset(const VcpuStart &start) {
    // The others were reset with the boot vCPU, and PSCI says where they start.
    if (!boots())
        return;
    siblings_.reset_others();
    const auto done = kernel_.reset(PowerOn::running);
    SEL4VM_ASSERT(done);
    set(abi::kPc, start.entry);
    set(abi::general_register(0), start.argument);
}

void Vcpu::resume() {
    const std::scoped_lock guard(lock_);
    if (phase_ != Phase::stopped)
        return;
    turn_wanted_ = false;
    phase_ = Phase::running;
    events_.goes_on();
    to_thread_.notify_one();
}

void Vcpu::kick() {
    kicks_.fetch_add(1, std::memory_order_relaxed);
    kicked_.store(true, std::memory_order_seq_cst);
    set_immediate_exit(1);
    const std::scoped_lock guard(lock_);
    if (phase_ == Phase::blocked) {
        phase_ = Phase::running;
        events_.goes_on();
        to_thread_.notify_one();
    } else if (phase_ == Phase::running) {
        pthread_kill(thread_, kKickSignal);
    }
}

void Vcpu::request_turn() {
    const std::scoped_lock guard(lock_);
    if (phase_ != Phase::stopped || turn_wanted_.exchange(true))
        return;
    events_.post(*this);
}

bool Vcpu::has_exit() {
    const std::scoped_lock guard(lock_);
    return phase_ == Phase::open;
}

bool Vcpu::take_turn() {
    const std::scoped_lock guard(lock_);
    return turn_wanted_.exchange(false) && phase_ == Phase::stopped;
}

} // namespace sel4vm::kvm
