// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/sel4/vcpu.hpp>

#include <hosts/sel4/counter.h>
#include <hosts/sel4/endpoint_port.hpp>
#include <hosts/sel4/invocation.hpp>

#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/arch/aarch64/system_registers.hpp>
#include <sel4vm/arch/aarch64/timer_registers.hpp>

#include <array>
#include <optional>

namespace sel4vm::sel4 {

namespace {

namespace sysreg = aarch64::sysreg;
using aarch64::TimerControl;

std::optional<seL4_VCPUReg> vcpu_register_of(u32 id) {
    switch (id) {
    case sysreg::kSctlrEl1: return seL4_VCPUReg_SCTLR;
    case sysreg::kCpacrEl1: return seL4_VCPUReg_CPACR;
    case sysreg::kTtbr0El1: return seL4_VCPUReg_TTBR0;
    case sysreg::kTtbr1El1: return seL4_VCPUReg_TTBR1;
    case sysreg::kTcrEl1: return seL4_VCPUReg_TCR;
    case sysreg::kMairEl1: return seL4_VCPUReg_MAIR;
    case sysreg::kAmairEl1: return seL4_VCPUReg_AMAIR;
    case sysreg::kContextidrEl1: return seL4_VCPUReg_CIDR;
    case sysreg::kActlrEl1: return seL4_VCPUReg_ACTLR;
    case sysreg::kAfsr0El1: return seL4_VCPUReg_AFSR0;
    case sysreg::kAfsr1El1: return seL4_VCPUReg_AFSR1;
    case sysreg::kEsrEl1: return seL4_VCPUReg_ESR;
    case sysreg::kFarEl1: return seL4_VCPUReg_FAR;
    case sysreg::kParEl1: return seL4_VCPUReg_PAR;
    case sysreg::kVbarEl1: return seL4_VCPUReg_VBAR;
    case sysreg::kTpidrEl1: return seL4_VCPUReg_TPIDR_EL1;
    case sysreg::kSpEl1: return seL4_VCPUReg_SP_EL1;
    case sysreg::kElrEl1: return seL4_VCPUReg_ELR_EL1;
    case sysreg::kSpsrEl1: return seL4_VCPUReg_SPSR_EL1;
    case sysreg::kCntvCtlEl0: return seL4_VCPUReg_CNTV_CTL;
    case sysreg::kCntvCvalEl0: return seL4_VCPUReg_CNTV_CVAL;
    case sysreg::kCntkctlEl1: return seL4_VCPUReg_CNTKCTL_EL1;
    default: return std::nullopt;
    }
}

std::optional<unsigned> thread_word_of(u32 id) {
    switch (id) {
    case sysreg::kSpEl0: return kWordSp;
    case sysreg::kSpsrEl2: return kWordPstate; // the kernel lets no guest be in a mode of its own
    case sysreg::kTpidrEl0: return kWordTpidrEl0;
    case sysreg::kTpidrroEl0: return kWordTpidrroEl0;
    default: return std::nullopt;
    }
}

// Registers that EL0 may read, the same for every CPU that the guest can be on.
std::optional<u64> shared_register(u32 id) {
    u64 value = 0;
#if defined(__aarch64__)
    if (id == sysreg::kCtrEl0)
        asm("mrs %0, ctr_el0" : "=r"(value));
    else if (id == sysreg::kDczidEl0)
        asm("mrs %0, dczid_el0" : "=r"(value));
    else if (id == sysreg::kCntfrqEl0 && sel4vm_counter_frequency() != 0)
        value = sel4vm_counter_frequency();
    else
        return std::nullopt;
#else
    // Beside AArch64 (the test double): 64-byte lines and blocks.
    if (id == sysreg::kCtrEl0)
        value = 0x8444'c004;
    else if (id == sysreg::kDczidEl0)
        value = 4;
    else
        return std::nullopt;
#endif
    return value;
}

} // namespace

Vcpu::Vcpu(EndpointPort &endpoint, GuestSpace &space, const VcpuSetup &setup)
    : endpoint_(endpoint), exit_source_{EventKind::exit, 0, setup.vm, setup.vcpu, 0}, setup_(setup), space_(space) {}

Vcpu::~Vcpu() {
    if (tcb_ != 0)
        static_cast<void>(seL4_TCB_Suspend(tcb_));
    clear_object();
    endpoint_.detach(*this);
}

Status<HostError> Vcpu::create(vka_t &vka, seL4_CPtr tcb) {
    badge_ = SEL4VM_TRY(endpoint_.attach(*this));
    if (auto done = memory_.allocate(vka, seL4_UntypedObject, seL4_VCPUBits); !done)
        return done;
    if (!object_.allocate(vka))
        return Err{out_of_memory()};
    tcb_ = tcb;
    registers_.bind(tcb);
    if (auto done = make_object(); !done)
        return done;
    return list_registers_.learn_count();
}

// A CPU that holds it would go on saving into it: it is deleted there.
void Vcpu::clear_object() {
    if (kSeveralNodes && there_ != nullptr && started_)
        there_->erase(object_.path());
    else
        object_.clear();
    started_ = false;
}

Status<HostError> Vcpu::leave_cpu() {
    if (!started_)
        return Ok{};
    clear_object();
    return make_object();
}

Status<HostError> Vcpu::make_object() {
    if (auto done = object_.retype(memory_.object(), seL4_ARM_VCPUObject, seL4_VCPUBits); !done)
        return done;
    if (const int error = seL4_ARM_VCPU_SetTCB(object_.cap(), tcb_); error != 0)
        return Err{host_error(error)};
    write_vcpu(seL4_VCPUReg_VMPIDR_EL2, setup_.affinity | aarch64::MpidrEl1::Res1::mask);
    timer_port_.set_counter_offset(timer_port_.counter_offset());
    return Ok{};
}

void Vcpu::request(u32 what) {
    const u32 before = requests_.fetch_or(what | kRequestQueued, std::memory_order_acq_rel);
    if ((before & kRequestQueued) == 0)
        endpoint_.queue_request(*this);
}

void Vcpu::stop_running() {
    static_cast<void>(seL4_TCB_Suspend(tcb_));
    wake_ = Wake::resume;
    registers_.begin();
}

// ---------------------------------------------------------------- Registers

// These the kernel saves whenever a thread stops, so that they are right everywhere.
NodeThread *Vcpu::holder_of(seL4_VCPUReg which) const {
    if (!kSeveralNodes || there_ == nullptr || !started_)
        return nullptr;
    switch (which) {
    case seL4_VCPUReg_SCTLR:
    case seL4_VCPUReg_CPACR:
    case seL4_VCPUReg_CNTV_CTL:
    case seL4_VCPUReg_CNTV_CVAL:
    case seL4_VCPUReg_CNTVOFF:
    case seL4_VCPUReg_CNTKCTL_EL1: return nullptr;
    default: return there_;
    }
}

u64 Vcpu::read_vcpu(seL4_VCPUReg which) const {
    if (NodeThread *const holder = holder_of(which))
        return holder->read(object_.cap(), which);
    return seL4_ARM_VCPU_ReadRegs(object_.cap(), which).value;
}

void Vcpu::write_vcpu(seL4_VCPUReg which, u64 value) const {
    if (NodeThread *const holder = holder_of(which))
        return holder->write(object_.cap(), which, value);
    static_cast<void>(seL4_ARM_VCPU_WriteRegs(object_.cap(), which, value));
}

u64 Vcpu::general_register(unsigned n) {
    SEL4VM_ASSERT(n <= 31);
    if (n == 31)
        return 0;
    ensure_stopped();
    return registers_.get(word_of_x(n));
}

void Vcpu::set_general_register(unsigned n, u64 value) {
    SEL4VM_ASSERT(n <= 31);
    if (n == 31)
        return;
    ensure_stopped();
    registers_.set(word_of_x(n), value);
}

u64 Vcpu::program_counter() {
    ensure_stopped();
    return registers_.get(kWordPc);
}

void Vcpu::set_program_counter(u64 value) {
    ensure_stopped();
    if (value != registers_.get(kWordPc))
        due_ &= ~u32{kDuePart}; // not of another instruction
    registers_.set(kWordPc, value);
}

Result<u64, HostError> Vcpu::system_register(u32 id) {
    if (const auto which = vcpu_register_of(id))
        return read_vcpu(*which);
    if (const auto word = thread_word_of(id)) {
        ensure_stopped();
        return u64{registers_.get(*word)};
    }
    if (id == sysreg::kMpidrEl1)
        return setup_.affinity | aarch64::MpidrEl1::Res1::mask;
    if (id == sysreg::kEsrEl2 && esr_ != 0)
        return u64{esr_};
    if (const auto value = shared_register(id))
        return u64{*value};
    return Err{HostError{HostErrorKind::not_available, 0}};
}

Status<HostError> Vcpu::set_system_register(u32 id, u64 value) {
    if (const auto which = vcpu_register_of(id)) {
        write_vcpu(*which, id == sysreg::kCntvCtlEl0 ? value & TimerControl::kWritable : value);
        return Ok{};
    }
    if (const auto word = thread_word_of(id)) {
        ensure_stopped();
        registers_.set(*word, value);
        answer_by_call();
        return Ok{};
    }
    if (id == sysreg::kMpidrEl1) {
        setup_.affinity = value & aarch64::kMpidrAffinityMask;
        write_vcpu(seL4_VCPUReg_VMPIDR_EL2, setup_.affinity | aarch64::MpidrEl1::Res1::mask);
        return Ok{};
    }
    return Err{HostError{HostErrorKind::not_available, 0}};
}

// List registers cannot be cleared, so the object is made again. Its memory is ours, so that only a kernel without free
// slots could refuse, and the slot is ours, too.
void Vcpu::reset(const VcpuStart &start) {
    SEL4VM_ASSERT(state_ == State::stopped);
    endpoint_.forget(*this);
    static_cast<void>(seL4_TCB_Suspend(tcb_));
    clear_object();
    SEL4VM_ASSERT(make_object());
    std::array<u64, kRegisterWords> words{};
    words[kWordPc] = start.entry;
    words[kWordPstate] = aarch64::kResetPstate;
    words[kWordX0] = start.argument;
    registers_.replace(words);
    pending_ = Pending::nothing;
    wake_ = Wake::resume;
    due_ = 0;
    esr_ = 0;
    wakes_at_ = kNever;
    list_registers_.reset();
    timer_port_.reset();
    sequence_ = {};
}

// ---------------------------------------------------------------- Virtual timer

void VcpuTimer::unmask() {
    if (!masked_)
        return;
    masked_ = false;
    send_ack_vppi(vcpu_.object_.cap(), aarch64::kTimerIntidVirtual);
}

aarch64::VirtualTimerState VcpuTimer::state() {
    return {static_cast<u32>(vcpu_.read_vcpu(seL4_VCPUReg_CNTV_CTL)), vcpu_.read_vcpu(seL4_VCPUReg_CNTV_CVAL)};
}

void VcpuTimer::set_state(const aarch64::VirtualTimerState &state) {
    vcpu_.write_vcpu(seL4_VCPUReg_CNTV_CVAL, state.compare_value);
    vcpu_.write_vcpu(seL4_VCPUReg_CNTV_CTL, u64{state.control} & TimerControl::kWritable);
}

u64 VcpuTimer::counter_offset() { return offset_; }

void VcpuTimer::set_counter_offset(u64 ticks) {
    offset_ = ticks;
    vcpu_.write_vcpu(seL4_VCPUReg_CNTVOFF, ticks);
}

// ---------------------------------------------------------------- List registers

namespace {

constexpr unsigned kPriorityBits = 5;
constexpr u16 kMaxIntid = 1019;

} // namespace

Status<HostError> VcpuListRegisters::learn_count() {
    // No kernel has that many. The reply to a range error names the limits.
    constexpr seL4_Uint8 kTooLarge = 255;
    const int error = seL4_ARM_VCPU_InjectIRQ(vcpu_.object_.cap(), 0, 0, 0, kTooLarge);
    if (error != seL4_RangeError)
        return Err{host_error(error)};
    const seL4_Word last = seL4_GetMR(1);
    count_ = last < 16 ? static_cast<u8>(last + 1) : u8{16};
    return Ok{};
}

aarch64::ListRegisterAbilities VcpuListRegisters::abilities() const {
    aarch64::ListRegisterAbilities abilities;
    abilities.count = count_;
    abilities.priority_bits = kPriorityBits;
    abilities.max_intid = kMaxIntid;
    abilities.any_time = true;
    return abilities;
}

bool VcpuListRegisters::write(unsigned index, const aarch64::ListRegister &value) {
    if (index >= count_ || value.state != aarch64::ListRegisterState::pending || value.intid > kMaxIntid)
        return false;
    const u32 mask = u32{1} << index;
    // The kernel would overwrite one that is pending, and refuse one that is active: which this knows to be free only if the guest has
    // forged a message about it. The interrupt is lost to that guest then.
    if ((busy_ & mask) != 0)
        return false;
    send_inject_irq(vcpu_.object_.cap(), value.intid, value.priority >> (8U - kPriorityBits), value.group1 ? 1 : 0,
                    index);
    busy_ |= mask;
    finished_ &= ~mask;
    ++filled_;
    return true;
}

// The kernel puts it into the list register of a vCPU on any CPU. In an exit of the vCPU's own, the end of the exit is soon enough.
bool VcpuListRegisters::can_write_now() {
    return vcpu_.endpoint_.is_turn_of_caller() && vcpu_.state_ == Vcpu::State::running &&
           vcpu_.wake_ == Vcpu::Wake::none;
}

void VcpuListRegisters::finished(u64 index) {
    if (index >= count_ || (busy_ & u32{1} << index) == 0)
        return;
    finished_ |= u32{1} << index;
}

u32 VcpuListRegisters::take_finished() {
    const u32 finished = finished_;
    finished_ = 0;
    busy_ &= ~finished;
    return finished;
}

// Not among this host's abilities, so nobody asks.
aarch64::ListRegister VcpuListRegisters::read(unsigned) { return {}; }
void VcpuListRegisters::set_maintenance(u32) {}

u32 VcpuListRegisters::take_unlisted_ends() { return 0; }

bool VcpuListRegisters::priority_runs(u8, bool) { return false; }

void VcpuListRegisters::set_deactivation(aarch64::Deactivation) {}
u32 VcpuListRegisters::interface_control() { return 0; }
void VcpuListRegisters::set_interface_control(u32) {}

} // namespace sel4vm::sel4
