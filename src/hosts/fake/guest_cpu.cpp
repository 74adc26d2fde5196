// SPDX-License-Identifier: BSD-2-Clause
//
// Everything around instructions: exits, answers, exceptions, the timer, the CPU interface. Instructions are in
// guest_cpu_execute.cpp.
#include <hosts/fake/guest_cpu.hpp>

#include <sel4vm/arch/aarch64/irq_service.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/arch/aarch64/system_registers.hpp>

#include <cstring>

namespace sel4vm::fake {

namespace {

namespace sysreg = aarch64::sysreg;
constexpr u64 kIrqMask = 0x80;
constexpr u64 kSyncVector = 0x200;
constexpr u64 kIrqVector = 0x280;
constexpr u32 kTranslationFault = 7; // at level 3
constexpr u32 kPermissionFault = 15;

constexpr u64 kIar = 0x0c;
constexpr u64 kEoir = 0x10;
constexpr u64 kControl = 0x00;
constexpr u64 kDir = 0x1000;
constexpr u32 kSpuriousIntid = 1023;

} // namespace

// ---------------------------------------------------------------- timer

aarch64::VirtualTimerState GuestTimer::state() {
    aarch64::VirtualTimerState now = state_;
    if (counter() >= now.compare_value && (now.control & 1) != 0)
        now.control |= 4;
    return now;
}

bool GuestTimer::fires() {
    if (masked_ || (state().control & 7) != 5)
        return false;
    masked_ = true;
    return true;
}

std::optional<u64> GuestTimer::deadline() const {
    if (masked_ || (state_.control & 3) != 1)
        return std::nullopt;
    return state_.compare_value + offset_;
}

// ---------------------------------------------------------------- registers

void GuestCpu::reset(const VcpuStart &start) {
    SEL4VM_ASSERT(state_ == State::stopped);
    x_ = {};
    x_[0] = start.argument;
    pc_ = start.entry;
    sp_ = 0;
    pstate_ = aarch64::kResetPstate;
    system_.clear();
    system_[sysreg::kSctlrEl1] = aarch64::kSctlrEl1Reset;
    timer_.reset();
}

Result<u64, HostError> GuestCpu::system_register(u32 id) {
    if (id == sysreg::kEsrEl2 && trap_ != 0)
        return u64{trap_};
    if (const auto value = own_register(id))
        return *value;
    return Err{HostError{HostErrorKind::not_available}};
}

Status<HostError> GuestCpu::set_system_register(u32 id, u64 value) {
    if (id == sysreg::kMpidrEl1) {
        affinity_ = value;
        return Ok{};
    }
    if (set_own_register(id, value))
        return Ok{};
    return Err{HostError{HostErrorKind::not_available}};
}

std::optional<u64> GuestCpu::own_register(u32 id) {
    switch (id) {
    case sysreg::kMpidrEl1: return affinity_ | u64{1} << 31;
    case sysreg::kSpsrEl2: return pstate_;
    case sysreg::kDaif: return pstate_ & aarch64::kSpsrDaif;
    case sysreg::kSpEl1: return sp_;
    case sysreg::kCntfrqEl0: return clock_.ticks_per_second();
    case sysreg::kCntvctEl0: return timer_.counter();
    case sysreg::kCntvCtlEl0: return u64{timer_.state().control};
    case sysreg::kCntvCvalEl0: return timer_.state().compare_value;
    case sysreg::kSctlrEl1:
    case sysreg::kCpacrEl1:
    case sysreg::kTtbr0El1:
    case sysreg::kTtbr1El1:
    case sysreg::kTcrEl1:
    case sysreg::kMairEl1:
    case sysreg::kAmairEl1:
    case sysreg::kContextidrEl1:
    case sysreg::kAfsr0El1:
    case sysreg::kAfsr1El1:
    case sysreg::kEsrEl1:
    case sysreg::kFarEl1:
    case sysreg::kParEl1:
    case sysreg::kVbarEl1:
    case sysreg::kTpidrEl1:
    case sysreg::kElrEl1:
    case sysreg::kSpsrEl1:
    case sysreg::kSpEl0:
    case sysreg::kTpidrEl0:
    case sysreg::kTpidrroEl0:
    case sysreg::kCntkctlEl1: return system_[id];
    default: return std::nullopt;
    }
}

bool GuestCpu::set_own_register(u32 id, u64 value) {
    switch (id) {
    case sysreg::kSpsrEl2: pstate_ = value; return true;
    case sysreg::kDaif: pstate_ = (pstate_ & ~aarch64::kSpsrDaif) | (value & aarch64::kSpsrDaif); return true;
    case sysreg::kSpEl1: sp_ = value; return true;
    case sysreg::kCntvCtlEl0:
        timer_.set_state({static_cast<u32>(value & 3), timer_.state().compare_value});
        return true;
    case sysreg::kCntvCvalEl0: timer_.set_state({timer_.state().control & 3, value}); return true;
    case sysreg::kMpidrEl1:
    case sysreg::kCntfrqEl0:
    case sysreg::kCntvctEl0: return false;
    default: break;
    }
    if (!own_register(id))
        return false;
    system_[id] = value;
    return true;
}

// ---------------------------------------------------------------- exits

std::optional<Exit> GuestCpu::run(unsigned budget) {
    for (unsigned n = 0; n < budget; ++n) {
        std::optional<Exit> exit;
        trap_ = 0;
        if (timer_.fires()) {
            exit = Exit{aarch64::irq_service(aarch64::IrqService::virtual_timer)};
        } else if (lists_.maintenance_asserted()) {
            exit = Exit{aarch64::irq_service(aarch64::IrqService::maintenance)};
        } else {
            if ((pstate_ & kIrqMask) == 0 && lists_.signalled())
                enter_exception(kIrqVector, system_[sysreg::kEsrEl1], system_[sysreg::kFarEl1]);
            clock_.advance(1);
            exit = step();
        }
        if (exit) {
            exit_ = *exit;
            return exit;
        }
    }
    return std::nullopt;
}

void GuestCpu::put(const Transfer &transfer, u64 data) {
    const unsigned bits = 8 * bytes_of(transfer.width);
    if (transfer.sign && bits < 64 && (data >> (bits - 1) & 1) != 0)
        data |= ~u64{0} << bits;
    set(transfer.rt, !transfer.narrow, data);
}

void GuestCpu::finish(Answer answer) {
    switch (answer.kind()) {
    case AnswerKind::none:
    case AnswerKind::go_on:
    case AnswerKind::retry: break;
    case AnswerKind::complete:
        if ((exit_.kind == ExitKind::memory && exit_.memory.access == MemoryAccess::read) ||
            (exit_.kind == ExitKind::system_register && !exit_.system_register.write))
            put(transfer_, answer.data());
        pc_ += 4;
        break;
    case AnswerKind::inject: {
        const bool fetch = exit_.kind == ExitKind::memory && exit_.memory.access == MemoryAccess::fetch;
        const u64 exception_class = answer.fault() == GuestFault::instruction ? 0 : fetch ? 0x21 : 0x25;
        const u64 status = answer.fault() == GuestFault::access ? 0x10 : 0x21;
        enter_exception(kSyncVector, exception_class << 26 | 1U << 25 | (exception_class == 0 ? 0 : status),
                        fault_address_);
        break;
    }
    }
    if (answer.next() == Next::stop)
        state_ = State::stopped;
    else if (answer.next() == Next::block && !kicked_)
        state_ = State::blocked;
}

void GuestCpu::enter_exception(u64 vector, u64 syndrome, u64 address) {
    system_[sysreg::kEsrEl1] = syndrome;
    system_[sysreg::kFarEl1] = address;
    system_[sysreg::kElrEl1] = pc_;
    system_[sysreg::kSpsrEl1] = pstate_;
    pstate_ = aarch64::kResetPstate;
    pc_ = system_[sysreg::kVbarEl1] + vector;
}

// ---------------------------------------------------------------- memory

std::optional<Exit> GuestCpu::access(Gpa at, MemoryAccess kind, Width width, u64 &data) {
    const std::optional<GuestMemory::Page> page = memory_.look_up(at);
    const bool read_only =
        page && (page->protection == Protection::read_only || page->protection == Protection::read_execute);
    fault_address_ = at.value();
    if (!page || (read_only && kind == MemoryAccess::write) || (page->device && kind == MemoryAccess::fetch)) {
        fault_status_ = page ? kPermissionFault : kTranslationFault;
        return Exit{MemoryExit{at, kind == MemoryAccess::write ? data & mask_of(width) : 0, kind, width, true}};
    }
    const u64 phys = page->phys + at.value() % kPageBytes;
    if (page->device) {
        if (kind == MemoryAccess::write)
            cpu_interface_write(phys - kVirtualCpuInterface.value(), data);
        else
            data = cpu_interface_read(phys - kVirtualCpuInterface.value());
        return std::nullopt;
    }
    // SAFETY: the fake host's physical address of RAM is where this process sees it.
    void *bytes = reinterpret_cast<void *>(phys);
    if (kind == MemoryAccess::write) {
        std::memcpy(bytes, &data, bytes_of(width));
    } else {
        data = 0;
        std::memcpy(&data, bytes, bytes_of(width));
    }
    return std::nullopt;
}

u64 GuestCpu::cpu_interface_read(u64 offset) {
    if (offset != kIar)
        return 0;
    const auto acknowledged = lists_.acknowledge();
    return acknowledged ? acknowledged->intid | u64{acknowledged->source} << 10 : kSpuriousIntid;
}

void GuestCpu::cpu_interface_write(u64 offset, u64 value) {
    const u32 intid = static_cast<u32>(value & 0x3ff);
    const u8 source = static_cast<u8>(value >> 10 & 7);
    if (offset == kEoir)
        lists_.end(intid, source);
    else if (offset == kDir)
        lists_.deactivate(intid, source);
    else if (offset == kControl)
        lists_.set_control(ListRegisters::kOpen | static_cast<u32>(value & 0x200));
}

bool GuestCpu::move_gic_register(u32 id, bool write, unsigned rt) {
    constexpr u32 kIar1 = aarch64::sysreg_id(3, 0, 12, 12, 0);
    constexpr u32 kEoir1 = aarch64::sysreg_id(3, 0, 12, 12, 1);
    constexpr u32 kIgrpen1 = aarch64::sysreg_id(3, 0, 12, 12, 7);
    constexpr u32 kPmr = aarch64::sysreg_id(3, 0, 4, 6, 0);
    switch (id) {
    case kIar1: set(rt, true, cpu_interface_read(kIar)); return !write;
    case kEoir1:
        if (write)
            cpu_interface_write(kEoir, general_register(rt));
        return write;
    case kIgrpen1:
    case kPmr: return write; // always open
    default: return false;
    }
}

} // namespace sel4vm::fake
