// SPDX-License-Identifier: BSD-2-Clause
//
// The exits that are rare, and what follows an answer.
#include <sel4vm/vm/dispatch.hpp>

#include <sel4vm/vm/vcpu_work.hpp>

namespace sel4vm {

namespace {

Result<u64, BusFault> written(Status<BusFault> status) {
    if (!status)
        return Err{status.error()};
    return u64{0};
}

} // namespace

Answer Vm::handle(Vcpu &vcpu, const Exit &exit) { return handle_here(vcpu, exit); }

[[gnu::noinline]] Answer Vm::on_other(Vcpu &vcpu, const Exit &exit) {
    switch (exit.kind) {
    case ExitKind::memory:
    case ExitKind::irq_service:
    case ExitKind::hypercall:
    case ExitKind::system_register: break; // dispatch()
    case ExitKind::wait: return on_wait(vcpu, exit.wait);
    case ExitKind::port: return on_port(vcpu, exit);
    case ExitKind::kicked: return Answer::go_on();
    case ExitKind::undefined: return mistake(vcpu, Mistake::undefined_instruction, exit);
    case ExitKind::debug: return mistake(vcpu, Mistake::debug_exception, exit);
    case ExitKind::unknown: break;
    }
    return mistake(vcpu, Mistake::unknown_exit, exit);
}

[[gnu::noinline]] Answer Vm::settle_answer(Vcpu &vcpu, Answer answer) {
    if (vcpu.take_sync_request()) {
        if (const u8 errands = vcpu.errands_.load(std::memory_order_relaxed); errands != 0) [[unlikely]] {
            if (run_errands(vcpu, errands, answer))
                return sleep_on(vcpu, answer);
        }
        if (irq_delivery_ != nullptr)
            irq_delivery_->sync(vcpu);
    }
    if (answer.next() == Next::block && irq_delivery_ != nullptr && irq_delivery_->has_deliverable(vcpu))
        answer = answer.then(Next::run);
    // A request for pause, reset or stop holds the vCPU here, with its instruction finished.
    if (state() != VmState::running) {
        static_cast<void>(vcpu.request_sync());
        answer = answer.then(Next::stop);
    }
    return answer;
}

/// True: it is asleep.
[[gnu::noinline]] bool Vm::run_errands(Vcpu &vcpu, u8 errands, Answer answer) {
    if ((errands & Vcpu::kWork) != 0 && work_ != nullptr) {
        // What it makes pending for this vCPU is looked at below: no need for a kick.
        vcpu.in_exit_.store(true, std::memory_order_relaxed);
        const bool more = work_->run(vcpu);
        vcpu.in_exit_.store(false, std::memory_order_seq_cst);
        if (more && answer.next() == Next::block) // the guest has nothing better to do
            vcpu.port().kick();
        else if (!more)
            static_cast<void>(vcpu.take_sync_request());
        errands = vcpu.errands_.load(std::memory_order_relaxed);
    }
    if ((errands & Vcpu::kLeaveMap) != 0)
        leave_map(vcpu);
    return (errands & Vcpu::kAsleep) != 0;
}

[[gnu::noinline]] Answer Vm::on_port(Vcpu &vcpu, const Exit &exit) {
    const PortExit &port = exit.port;
    const MapSlot *slot = ports_ ? ports_->search(Gpa{port.port}) : nullptr;
    if (slot == nullptr)
        return mistake(vcpu, Mistake::port_access, exit);
    const u64 offset = port.port - slot->range.base().value();
    if (slot->range.size() - offset < bytes_of(port.width))
        return mistake(vcpu, Mistake::port_access, exit);
    const Access access{offset, port.width, vcpu.id()};
    slot->enter();
    const Result<u64, BusFault> done =
        port.write ? written(slot->device->write(access, port.data)) : slot->device->read(access);
    slot->leave();
    if (!done)
        return mistake(vcpu, Mistake::port_access, exit);
    return Answer::complete(*done & mask_of(port.width));
}

[[gnu::noinline]] Answer Vm::on_ram(Vcpu &vcpu, const Exit &exit) {
    const MemoryExit &memory = exit.memory;
    switch (memory_.touch(memory.gpa, memory.access)) {
    case GuestMemory::Touch::not_memory: return mistake(vcpu, Mistake::unmapped_access, exit);
    case GuestMemory::Touch::read_only: return mistake(vcpu, Mistake::read_only_write, exit);
    case GuestMemory::Touch::refused: return cannot_map(vcpu, memory);
    case GuestMemory::Touch::mapped_now: return Answer::retry();
    case GuestMemory::Touch::mapped_before: break;
    }
    // Either another vCPU mapped it in the meantime, or this is the RAM part of an access that also touches a device:
    // performing the access here is right for both, while a retry would repeat the device's part.
    if (memory.access == MemoryAccess::fetch || !memory.emulatable) {
        if (vcpu.retries_.once_more(vcpu.port().program_counter(), memory.gpa.value()))
            return Answer::retry();
        return mistake(vcpu, Mistake::unreachable_memory, exit);
    }
    if (memory.access == MemoryAccess::read) {
        if (const auto value = memory_.load_width(memory.gpa, memory.width))
            return Answer::complete(*value);
    } else if (memory_.store_width(memory.gpa, memory.width, memory.data)) {
        return Answer::complete();
    }
    return mistake(vcpu, Mistake::unmapped_access, exit);
}

Answer Vm::on_system_register(Vcpu &vcpu, const Exit &exit) {
    const SystemRegisterExit &access = exit.system_register;
    if (SystemRegisterHandler *handler = system_registers_.find(access.id)) {
        if (access.write) {
            if (handler->write(vcpu, access.id, access.data))
                return Answer::complete();
        } else if (const auto value = handler->read(vcpu, access.id)) {
            return Answer::complete(*value);
        }
    }
    return mistake(vcpu, Mistake::unknown_system_register, exit);
}

Answer Vm::on_wait(Vcpu &vcpu, const WaitExit &wait) {
    static_cast<void>(vcpu);
    // A wait for an event ends at any time by definition; the host yields to another vCPU.
    return wait.event ? Answer::complete() : Answer::complete().then(Next::block);
}

} // namespace sel4vm
