// SPDX-License-Identifier: BSD-2-Clause
//
// What a VM does about its guest's mistakes, and what it says about them. Rare, or at least worth nobody's haste.
#include <sel4vm/vm/mistake_text.hpp>
#include <sel4vm/vm/vm.hpp>

#include <utility>

namespace sel4vm {

namespace {

/// What a read finds on a bus that nobody drives.
Answer open_bus(const Exit &exit) {
    switch (exit.kind) {
    case ExitKind::memory:
        return Answer::complete(exit.memory.access == MemoryAccess::read ? mask_of(exit.memory.width) : 0);
    case ExitKind::port: return Answer::complete(exit.port.write ? 0 : mask_of(exit.port.width));
    case ExitKind::system_register: return Answer::complete(exit.system_register.write ? 0 : ~u64{0});
    case ExitKind::kicked:
    case ExitKind::hypercall:
    case ExitKind::wait:
    case ExitKind::irq_service:
    case ExitKind::undefined:
    case ExitKind::debug:
    case ExitKind::unknown: break; // read nothing
    }
    return Answer::complete();
}

} // namespace

Answer Vm::mistake(Vcpu &vcpu, Mistake what, const Exit &exit) {
    if (mistake_handler_ != nullptr) {
        const Answer answer = mistake_handler_->decide(vcpu, what, exit);
        if (answer.kind() != AnswerKind::none)
            return answer;
    }
    report(vcpu, what, exit);
    return respond(vcpu, what, exit);
}

Answer Vm::respond(Vcpu &vcpu, Mistake what, const Exit &exit) {
    switch (policy_.of(what)) {
    case Response::access_fault:
        return Answer::inject(exit.kind == ExitKind::memory ? GuestFault::access : GuestFault::instruction);
    case Response::instruction_fault: return Answer::inject(GuestFault::instruction);
    case Response::not_supported:
        if (exit.kind != ExitKind::hypercall || config_.architecture == nullptr)
            return Answer::inject(GuestFault::instruction);
        config_.architecture->refuse_call(vcpu.port());
        return Answer::complete();
    case Response::ignore:
        // Skipping needs to know the instruction: where the host does not, hardware's answer is the fault.
        if (exit.kind == ExitKind::memory && (!exit.memory.emulatable || exit.memory.access == MemoryAccess::fetch))
            return Answer::inject(GuestFault::access);
        return Answer::complete();
    case Response::open_bus:
        if (exit.kind == ExitKind::memory && (!exit.memory.emulatable || exit.memory.access == MemoryAccess::fetch))
            return Answer::inject(GuestFault::access);
        return open_bus(exit);
    case Response::stop_vm: break;
    }
    stop_because(StopReason::guest_error, describe_mistake(vcpu, what, exit).view());
    return Answer::retry();
}

Text<240> Vm::describe_mistake(const Vcpu &vcpu, Mistake what, const Exit &exit) {
    const MapSlot *slot = nullptr;
    if (exit.kind == ExitKind::memory)
        slot = map_.search(exit.memory.gpa);
    else if (exit.kind == ExitKind::port && ports_)
        slot = ports_->search(Gpa{exit.port.port});
    const bool is_device = slot != nullptr && slot->device != nullptr;
    Text<240> text;
    text << "vCPU " << vcpu.id().value() << ": "
         << describe(what, exit, is_device ? slot->device->name() : std::string_view(), config_.architecture).view()
         << ", pc " << Hex{vcpu.port().program_counter()};
    return text;
}

/// Where it cannot fetch an instruction is where the exception about that goes. So it is until somebody puts memory there.
bool Vm::is_stuck(const Vcpu &vcpu, Mistake what, const Exit &exit) const {
    return exit.kind == ExitKind::memory && exit.memory.access == MemoryAccess::fetch &&
           policy_.of(what) == Response::access_fault && config_.architecture != nullptr &&
           config_.architecture->is_where_exceptions_go(vcpu.port());
}

void Vm::report(Vcpu &vcpu, Mistake what, const Exit &exit) {
    // Unknown hypercalls are how guests probe for services: not worth a warning.
    if (what == Mistake::unknown_hypercall)
        return;
    if (is_stuck(vcpu, what, exit)) {
        if (std::exchange(vcpu.told_stuck_, true))
            return;
        Text<320> line;
        line << describe_mistake(vcpu, what, exit).view()
             << ": its own exceptions go there, so that it is stuck (has it set its vectors?)";
        log_.line(LogLevel::warning, name(), line.view());
        return;
    }
    u32 left = reports_left_.load(std::memory_order_relaxed);
    if (left == 0)
        return;
    reports_left_.store(left - 1, std::memory_order_relaxed);
    Text<280> line;
    line << describe_mistake(vcpu, what, exit).view();
    if (left == 1)
        line << " (further ones are not shown)";
    log_.line(LogLevel::warning, name(), line.view());
}

Answer Vm::cannot_map(const Vcpu &vcpu, const MemoryExit &memory) {
    Text<160> why;
    why << "the host could not map the guest's memory at " << memory.gpa << ", which vCPU " << vcpu.id().value()
        << " uses first, pc " << Hex{vcpu.port().program_counter()};
    stop_because(StopReason::host_error, why.view());
    return Answer::retry();
}

} // namespace sel4vm
