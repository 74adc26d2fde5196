// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/generic_timer.hpp>

#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/base/bits.hpp>

namespace sel4vm::dev {

namespace sysreg = aarch64::sysreg;
using aarch64::TimerControl;

bool GenericTimer::add_vcpu(TimeoutQueue &timeouts) {
    const VcpuId id{static_cast<u16>(channels_.size())};
    return channels_.emplace_back(*this, id, timeouts) != nullptr;
}

Status<RegisterError> GenericTimer::register_all(SystemRegisterTable &table) {
    SEL4VM_TRY(table.add(sysreg::kCntpctEl0, sysreg::kCntpctEl0, *this));
    SEL4VM_TRY(table.add(sysreg::kCntpctssEl0, sysreg::kCntpctssEl0, *this));
    return table.add(sysreg::kCntpTvalEl0, sysreg::kCntpCvalEl0, *this);
}

void GenericTimer::set_counter_offset(u64 ticks) {
    config_.counter_offset_ticks = ticks;
    for (Channel &channel : channels_) {
        LockGuard guard(channel.lock);
        update(channel);
    }
}

void GenericTimer::restore(VcpuId vcpu, const State &state) {
    Channel &channel = channels_[vcpu.value()];
    LockGuard guard(channel.lock);
    channel.state = state;
    channel.state.control &= TimerControl::kWritable;
    update(channel);
}

Result<u64, BusFault> GenericTimer::read(Vcpu &vcpu, u32 id) {
    Channel &channel = channels_[vcpu.id().value()];
    LockGuard guard(channel.lock);
    // One moment for the answer and the line.
    const u64 now = clock_.now_ticks();
    if (channel.driven == Level::low && asserts(channel, now))
        update(channel, now);
    const u64 count = now - config_.counter_offset_ticks;
    switch (id) {
    case sysreg::kCntpctEl0:
    case sysreg::kCntpctssEl0: return u64{count};
    case sysreg::kCntpCvalEl0: return u64{channel.state.compare_value};
    case sysreg::kCntpTvalEl0:
        // A 32-bit register: the upper half of the result is zero.
        return (channel.state.compare_value - count) & 0xffff'ffff;
    case sysreg::kCntpCtlEl0: {
        const TimerControl control{channel.state.control};
        const bool met = count >= channel.state.compare_value;
        return control.with<TimerControl::Istatus>(control.get<TimerControl::Enable>() && met).raw();
    }
    default: return Err{BusFault::unmapped};
    }
}

Status<BusFault> GenericTimer::write(Vcpu &vcpu, u32 id, u64 value) {
    Channel &channel = channels_[vcpu.id().value()];
    LockGuard guard(channel.lock);
    switch (id) {
    case sysreg::kCntpCvalEl0: channel.state.compare_value = value; break;
    case sysreg::kCntpTvalEl0: channel.state.compare_value = counter() + sign_extend(value, 32); break;
    case sysreg::kCntpCtlEl0: channel.state.control = value & TimerControl::kWritable; break;
    default: return Err{BusFault::denied}; // the counters are read-only
    }
    update(channel);
    return Ok{};
}

bool GenericTimer::asserts(const Channel &channel, u64 now) const {
    const TimerControl control{channel.state.control};
    return control.get<TimerControl::Enable>() && !control.get<TimerControl::Imask>() &&
           now - config_.counter_offset_ticks >= channel.state.compare_value;
}

void GenericTimer::update(Channel &channel, u64 now) {
    const TimerControl control{channel.state.control};
    const bool unmasked = control.get<TimerControl::Enable>() && !control.get<TimerControl::Imask>();
    const u64 count = now - config_.counter_offset_ticks;
    const bool met = count >= channel.state.compare_value;

    // The counter counts up to the compare value and not past its own end: a comparison of unsigned numbers.
    u64 deadline = 0;
    if (unmasked && !met && !__builtin_add_overflow(now, channel.state.compare_value - count, &deadline))
        channel.timeouts.arm(channel.deadline, deadline);
    else
        channel.timeouts.cancel(channel.deadline);

    const Level level = level_of(unmasked && met);
    if (level != channel.driven) {
        channel.driven = level;
        irqs_.set_private_level(channel.id, config_.intid, level);
    }
}

} // namespace sel4vm::dev
