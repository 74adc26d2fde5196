// SPDX-License-Identifier: BSD-2-Clause
//
// From an exit to its answer: the hot path of every VM, as a part of the loop that includes it. What is rarer is in dispatch.cpp.
#pragma once

#include <sel4vm/vm/vm.hpp>

namespace sel4vm {

[[gnu::always_inline]] inline Answer Vm::on_hypercall(Vcpu &vcpu, const Exit &exit) {
    if (HypercallHandler *handler = hypercalls_.find(exit.hypercall.function)) [[likely]] {
        const Answer answer = handler->call(vcpu, exit.hypercall);
        if (answer.kind() != AnswerKind::none) [[likely]]
            return answer;
    }
    return mistake(vcpu, Mistake::unknown_hypercall, exit);
}

[[gnu::always_inline]] inline Answer Vm::on_irq_service(Vcpu &vcpu, const IrqServiceExit &service) {
    if (irq_delivery_ != nullptr)
        irq_delivery_->service(vcpu, service.source);
    return Answer::go_on();
}

[[gnu::always_inline]] inline Answer Vm::on_device(Vcpu &vcpu, const Exit &exit, const MapSlot &slot, u64 offset) {
    const MemoryExit &memory = exit.memory;
    if (memory.access == MemoryAccess::fetch) [[unlikely]]
        return mistake(vcpu, Mistake::fetch_from_device, exit);
    if (!memory.emulatable) [[unlikely]]
        return mistake(vcpu, Mistake::unemulatable_access, exit);
    const Width width = memory.width;
    if (slot.range.size() - offset < bytes_of(width)) [[unlikely]]
        return mistake(vcpu, Mistake::unmapped_access, exit);

    const Access access{offset, width, vcpu.id()};
    if (memory.access == MemoryAccess::read) {
        slot.enter();
        const Result<u64, BusFault> value = slot.device->read(access);
        slot.leave();
        if (value) [[likely]]
            return Answer::complete(*value & mask_of(width));
    } else {
        slot.enter();
        const Status<BusFault> done = slot.device->write(access, memory.data);
        slot.leave();
        if (done) [[likely]]
            return Answer::complete();
    }
    return mistake(vcpu, Mistake::bad_device_access, exit);
}

[[gnu::always_inline]] inline Answer Vm::on_memory(Vcpu &vcpu, const Exit &exit) {
    const Gpa gpa = exit.memory.gpa;
    MapSlot *slot = vcpu.last_slot_;
    if (slot == nullptr || !slot->range.contains(gpa)) [[unlikely]] {
        slot = map_.search(gpa);
        if (slot == nullptr)
            return on_ram(vcpu, exit);
        vcpu.last_slot_ = slot;
    }
    if (slot->device != nullptr) [[likely]]
        return on_device(vcpu, exit, *slot, gpa.value() - slot->range.base().value());
    const Answer answer = slot->reservation->fault(vcpu, exit.memory);
    return answer.kind() == AnswerKind::none ? mistake(vcpu, Mistake::unmapped_access, exit) : answer;
}

[[gnu::always_inline]] inline Answer Vm::dispatch(Vcpu &vcpu, const Exit &exit) {
    if (exit.kind == ExitKind::memory)
        return on_memory(vcpu, exit);
    if (exit.kind == ExitKind::irq_service)
        return on_irq_service(vcpu, exit.irq_service);
    if (exit.kind == ExitKind::hypercall)
        return on_hypercall(vcpu, exit);
    if (exit.kind == ExitKind::system_register)
        return on_system_register(vcpu, exit);
    return on_other(vcpu, exit);
}

[[gnu::always_inline]] inline Answer Vm::handle_here(Vcpu &vcpu, const Exit &exit) {
    vcpu.counters_.count(exit.kind);
    vcpu.in_exit_.store(true, std::memory_order_relaxed);
    const Answer answer = dispatch(vcpu, exit);
    vcpu.in_exit_.store(false, std::memory_order_seq_cst);
    if (vcpu.has_request() || answer.next() != Next::run) [[unlikely]]
        return settle_answer(vcpu, answer);
    return answer;
}

} // namespace sel4vm
