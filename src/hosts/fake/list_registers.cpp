// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/fake/list_registers.hpp>

#include <sel4vm/base/assert.hpp>

#include <algorithm>

namespace sel4vm::fake {

namespace {
using State = aarch64::ListRegisterState;
constexpr u32 kEoiMode = 1u << 9;

State without(State state, State part) { return static_cast<State>(static_cast<u8>(state) & ~static_cast<u8>(part)); }
bool has(State state, State part) { return (static_cast<u8>(state) & static_cast<u8>(part)) != 0; }
} // namespace

bool ListRegisters::write(unsigned index, const Register &value) {
    SEL4VM_ASSERT(index < abilities_.count);
    ++writes_;
    const u32 b = bit<u32>(index);
    if (!abilities_.clear && (busy_ & b) != 0) {
        violate("a busy list register was written");
        return false;
    }
    if (value.state != State::empty) {
        ++filled_;
        if (value.intid > abilities_.max_intid)
            violate("an INTID that the host cannot deliver");
        if (!abilities_.optional_eoi && !value.eoi_maintenance)
            violate("no EOI maintenance on a host that cannot leave it out");
        if (!abilities_.read_back && value.state != State::pending)
            violate("a state that an injecting host cannot load");
        if ((value.priority & low_mask<u32>(8u - abilities_.priority_bits)) != 0)
            violate("a priority bit that the hardware lacks");
        if (value.hardware_linked && (!abilities_.hardware_link || value.eoi_maintenance || value.physical_intid == 0 ||
                                      value.state == State::pending_and_active))
            violate("a link that the hardware does not define");
        for (unsigned other = 0; other < abilities_.count; ++other) {
            const Register &held = registers_[other];
            if (other != index && held.state != State::empty && held.intid == value.intid &&
                held.source_cpu == value.source_cpu)
                violate("an interrupt in two list registers");
        }
    }
    registers_[index] = value;
    finished_ &= ~b;
    busy_ |= b;
    return true;
}

ListRegisters::Register ListRegisters::read(unsigned index) {
    if (!abilities_.read_back)
        violate("read without the ability");
    ++reads_;
    return registers_[index];
}

u32 ListRegisters::take_finished() {
    const u32 finished = finished_;
    finished_ = 0;
    busy_ &= ~finished;
    return finished;
}

void ListRegisters::set_maintenance(u32 causes) {
    if (!abilities_.maintenance_control)
        violate("maintenance without the ability");
    causes_ = causes;
}

u32 ListRegisters::take_unlisted_ends() {
    if (!abilities_.unlisted_ends)
        violate("ends of unlisted interrupts without the ability");
    return std::exchange(unlisted_ends_, 0u);
}

bool ListRegisters::priority_runs(u8 priority, bool) {
    return std::find(running_.begin(), running_.end(), priority) != running_.end();
}

void ListRegisters::set_deactivation(aarch64::Deactivation how) {
    if (!abilities_.deactivation_trap)
        violate("a trap of deactivations without the ability");
    deactivation_ = how;
}

u32 ListRegisters::interface_control() {
    if (!abilities_.read_back)
        violate("interface control without the ability");
    return control_;
}

void ListRegisters::set_interface_control(u32 value) {
    if (!abilities_.read_back)
        violate("interface control without the ability");
    control_ = value;
}

std::optional<unsigned> ListRegisters::best() const {
    std::optional<unsigned> best;
    u32 below = control_ >> 24 & 0xf8;
    if (!running_.empty())
        below = std::min<u32>(below, running_.back());
    for (unsigned n = 0; n < abilities_.count; ++n) {
        const Register &held = registers_[n];
        if (held.state != State::pending || held.priority >= below || (control_ & (held.group1 ? 2 : 1)) == 0)
            continue;
        // Among equals the lowest INTID, so that tests repeat.
        if (!best || held.priority < registers_[*best].priority ||
            (held.priority == registers_[*best].priority && held.intid < registers_[*best].intid))
            best = n;
    }
    return best;
}

std::optional<ListRegisters::Acknowledged> ListRegisters::signalled() const {
    const auto index = best();
    if (!index)
        return std::nullopt;
    const Register &held = registers_[*index];
    return Acknowledged{held.intid, held.source_cpu, held.priority};
}

std::optional<ListRegisters::Acknowledged> ListRegisters::acknowledge() {
    const auto index = best();
    if (!index)
        return std::nullopt;
    Register &held = registers_[*index];
    held.state = State::active;
    running_.push_back(held.priority);
    return Acknowledged{held.intid, held.source_cpu, held.priority};
}

void ListRegisters::end(u32 intid, u8 source) {
    const bool dropped = !running_.empty();
    if (dropped)
        running_.pop_back();
    // An end without a running priority is not counted.
    if ((control_ & kEoiMode) == 0 && !end_listed(intid, source) && dropped)
        count_unlisted_end();
}

void ListRegisters::deactivate(u32 intid, u8 source) {
    if (!end_listed(intid, source))
        count_unlisted_end();
}

bool ListRegisters::end_listed(u32 intid, u8 source) {
    for (unsigned n = 0; n < abilities_.count; ++n) {
        Register &held = registers_[n];
        if (!has(held.state, State::active) || held.intid != intid || held.source_cpu != source)
            continue;
        held.state = without(held.state, State::active);
        if (held.hardware_linked)
            ended_physical_ = held.physical_intid;
        if (held.state == State::empty)
            finished_ |= bit<u32>(n);
        return true;
    }
    return false;
}

bool ListRegisters::maintenance_asserted() const {
    for (unsigned n = 0; n < abilities_.count; ++n) {
        if ((finished_ & bit<u32>(n)) != 0 && registers_[n].eoi_maintenance)
            return true;
    }
    namespace cause = aarch64::maintenance;
    const bool group0 = (control_ & 1) != 0;
    const bool group1 = (control_ & 2) != 0;
    const u32 true_now = (unlisted_ends_ != 0 ? cause::kUnlistedEnd : 0) | (in_use() <= 1 ? cause::kUnderflow : 0) |
                         (any_pending() ? 0 : cause::kNoPending) |
                         (group0 ? cause::kGroup0Enabled : cause::kGroup0Disabled) |
                         (group1 ? cause::kGroup1Enabled : cause::kGroup1Disabled);
    return (causes_ & true_now) != 0;
}

bool ListRegisters::any_pending() const {
    return std::any_of(registers_.begin(), registers_.begin() + abilities_.count,
                       [](const Register &held) { return held.state == State::pending; });
}

unsigned ListRegisters::in_use() const {
    return static_cast<unsigned>(std::count_if(registers_.begin(), registers_.begin() + abilities_.count,
                                               [](const Register &held) { return held.state != State::empty; }));
}

} // namespace sel4vm::fake
