// SPDX-License-Identifier: BSD-2-Clause
//
// The ITS's commands, and messages, which are an INT by a device.
//
// A command that makes no sense is ignored. One that needs what is not in memory (the command itself, an entry of a table) stalls the queue until
// the guest writes GITS_CWRITER with Retry. Both are the architecture's choices (IHI 0069, "ITS command errors").
#include <sel4vm/dev/arm/gic/its.hpp>

namespace sel4vm::dev {

using aarch64::GitsCbaser;
using aarch64::ItsCommand;
using aarch64::kFirstLpi;
using aarch64::kItsCommandBytes;

namespace {

constexpr u64 kValid = u64{1} << 63;
constexpr u64 kQueueAddress = (u64{1} << 52) - kPageBytes; // 51 to 12
constexpr u64 kTranslations = (u64{1} << 52) - 0x100;      // 51 to 8
constexpr u32 kMostEventBits = 16;

u32 device_of(const std::array<u64, 4> &command) { return static_cast<u32>(command[0] >> 32); }
u32 event_of(const std::array<u64, 4> &command) { return static_cast<u32>(command[1]); }
u32 collection_of(const std::array<u64, 4> &command) { return static_cast<u32>(command[2] & 0xffff); }
/// The redistributor that a doubleword names: by number, in bits 51 to 16.
u64 redistributor_of(u64 doubleword) { return doubleword >> 16 & 0xf'ffff'ffff; }

} // namespace

// -- the queue

u32 Its::queue_bytes() const {
    const GitsCbaser queue{state_.command_queue};
    return queue.get<GitsCbaser::Valid>() ? (queue.get<GitsCbaser::Pages>() + 1u) * static_cast<u32>(kPageBytes) : 0;
}

bool Its::has_commands() const { return state_.enabled != 0 && state_.stalled == 0 && state_.read != state_.written; }

/// A batch; the vCPU is inside an exit of its own.
[[gnu::noinline]] void Its::carry_out(Vcpu &vcpu) {
    const u32 self = vcpu.id().value();
    bool more = false;
    {
        LockGuard guard(lock_);
        if (worker_.load(std::memory_order_relaxed) != self)
            return;
        u32 left = kBatch;
        Outcome outcome = Outcome::done;
        while (has_commands() && left != 0 && outcome != Outcome::later)
            outcome = next_command(self, left);
        more = has_commands();
        if (!more)
            worker_ = kNobody;
    }
    if (more && vcpu.request_sync())
        vcpu.port().kick();
}

Its::Outcome Its::next_command(u32 caller, u32 &left) {
    const u32 bytes = queue_bytes();
    if (state_.read >= bytes) { // restored so
        state_.stalled = 1;
        return Outcome::fault;
    }
    Command command{};
    Outcome outcome = read_table((state_.command_queue & kQueueAddress) + state_.read, command);
    if (outcome == Outcome::done)
        outcome = execute(command, caller, left);
    if (outcome == Outcome::later)
        return outcome;
    if (outcome == Outcome::fault) {
        state_.stalled = 1;
        return outcome;
    }
    --left;
    state_.read += kItsCommandBytes;
    if (state_.read == bytes)
        state_.read = 0;
    return outcome;
}

Its::Outcome Its::execute(const Command &command, u32 caller, u32 &left) {
    switch (static_cast<ItsCommand>(command[0] & 0xff)) {
    case ItsCommand::mapd: return map_device(command);
    case ItsCommand::mapc: return map_collection(command);
    case ItsCommand::mapti: return map_event(command, static_cast<u32>(command[1] >> 32));
    case ItsCommand::mapi: return map_event(command, event_of(command));
    case ItsCommand::movi:
    case ItsCommand::int_:
    case ItsCommand::clear:
    case ItsCommand::discard:
    case ItsCommand::inv: return on_event(command, caller);
    case ItsCommand::invall:
        left -= left > kLongCommand ? kLongCommand : left - 1;
        return find_collection(collection_of(command)).outcome == Outcome::done ? reload_all() : Outcome::ignored;
    case ItsCommand::movall: left -= left > kLongCommand ? kLongCommand : left - 1; return move_all(command);
    case ItsCommand::sync: break; // everything has happened already
    }
    return Outcome::ignored;
}

Its::Outcome Its::map_device(const Command &command) {
    const u32 bits = static_cast<u32>(command[1] & 0x1f) + 1;
    const bool valid = (command[2] & kValid) != 0;
    if (valid && bits > kMostEventBits)
        return Outcome::ignored;
    return put(entry_of(state_.devices, device_of(command)),
               valid ? kValid | (command[2] & kTranslations) | (bits - 1) : 0);
}

Its::Outcome Its::map_collection(const Command &command) {
    const bool valid = (command[2] & kValid) != 0;
    const u64 cpu = redistributor_of(command[2]);
    if (valid && cpu >= gic_.vcpu_count())
        return Outcome::ignored;
    return put(entry_of(state_.collections, collection_of(command)), valid ? kValid | cpu : 0);
}

Its::Outcome Its::map_event(const Command &command, u32 intid) {
    const Event event = find_event(device_of(command), event_of(command), false);
    if (event.outcome != Outcome::done)
        return event.outcome;
    const Entry collection = entry_of(state_.collections, collection_of(command));
    if (collection.outcome != Outcome::done)
        return collection.outcome;
    if (intid - kFirstLpi >= configured_lpis())
        return Outcome::ignored;
    return put({Outcome::done, event.at}, kValid | u64{collection_of(command)} << 32 | intid);
}

Its::Outcome Its::on_event(const Command &command, u32 caller) {
    const Event event = find_event(device_of(command), event_of(command), true);
    if (event.outcome != Outcome::done)
        return event.outcome;
    const Entry target = find_collection(event.collection);
    if (target.outcome != Outcome::done)
        return target.outcome;
    const u32 cpu = static_cast<u32>(target.value);
    switch (static_cast<ItsCommand>(command[0] & 0xff)) {
    case ItsCommand::int_:
        if (cpus_[cpu].enabled != 0)
            gic_.pend_lpi(cpu, event.intid, caller);
        return Outcome::done;
    case ItsCommand::inv: return reload(event.intid - kFirstLpi);
    case ItsCommand::movi: return move_event(event, cpu, collection_of(command));
    case ItsCommand::discard: {
        const Outcome outcome = put({Outcome::done, event.at}, 0);
        if (outcome != Outcome::done)
            return outcome;
        break;
    }
    default: break;
    }
    gic_.clear_lpi(cpu, event.intid, caller);
    return Outcome::done;
}

Its::Outcome Its::move_event(const Event &event, u32 from, u32 collection) {
    const Entry to = find_collection(collection);
    if (to.outcome != Outcome::done)
        return to.outcome;
    const Outcome outcome = put({Outcome::done, event.at}, kValid | u64{collection} << 32 | event.intid);
    if (outcome == Outcome::done)
        gic_.move_lpi(from, static_cast<u32>(to.value), event.intid);
    return outcome;
}

Its::Outcome Its::move_all(const Command &command) {
    const u64 from = redistributor_of(command[2]);
    const u64 to = redistributor_of(command[3]);
    if (from >= gic_.vcpu_count() || to >= gic_.vcpu_count())
        return Outcome::ignored;
    gic_.move_all_lpis(static_cast<u32>(from), static_cast<u32>(to));
    return Outcome::done;
}

// -- messages

void Its::send(u32 device, u32 data) {
    LockGuard guard(lock_);
    if (state_.enabled == 0)
        return;
    for (u32 n = 0; n < kMostParts; ++n) {
        const Event event = find_event(device, data, true);
        const Entry target = event.outcome == Outcome::done ? find_collection(event.collection) : Entry{event.outcome};
        if (target.outcome == Outcome::later)
            continue;
        const u32 cpu = static_cast<u32>(target.value);
        if (target.outcome == Outcome::done && cpus_[cpu].enabled != 0)
            gic_.pend_lpi(cpu, event.intid, kNobody);
        return;
    }
}

// -- what is left of the commands, by turns of the vCPU that wrote them

void Its::sync(Vcpu &vcpu) {
    if (worker_.load(std::memory_order_relaxed) == vcpu.id().value()) [[unlikely]]
        carry_out(vcpu);
    gic_.sync(vcpu);
}

bool Its::has_deliverable(Vcpu &vcpu) {
    return worker_.load(std::memory_order_relaxed) == vcpu.id().value() || gic_.has_deliverable(vcpu);
}

void Its::turned_on(Vcpu &vcpu) {
    gic_.turned_on(vcpu);
    LockGuard guard(lock_);
    // None of the others was on to take it over.
    if (has_commands() && worker_.load(std::memory_order_relaxed) == kNobody) {
        worker_ = vcpu.id().value();
        static_cast<void>(vcpu.request_sync());
    }
}

void Its::turned_off(Vcpu &vcpu) {
    gic_.turned_off(vcpu);
    leave_commands(vcpu);
}

// It will carry out nothing until it is on again.
void Its::lost_power(Vcpu &vcpu) {
    gic_.lost_power(vcpu);
    leave_commands(vcpu);
}

void Its::leave_commands(const Vcpu &vcpu) {
    LockGuard guard(lock_);
    if (worker_.load(std::memory_order_relaxed) == vcpu.id().value())
        hand_over(vcpu.id().value());
}

/// Another vCPU than this one goes on. The caller holds the lock.
void Its::hand_over(u32 from) {
    for (u32 n = 0; n < gic_.vcpu_count(); ++n) {
        Vcpu &other = vm_.vcpu(VcpuId{static_cast<u16>(n)});
        if (n == from || other.power_state() != PowerState::on)
            continue;
        worker_ = n;
        if (other.request_sync())
            other.port().kick();
        return;
    }
    worker_ = kNobody;
}

} // namespace sel4vm::dev
