// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/fake/event_port.hpp>

namespace sel4vm::fake {

Vcpu *EventPort::find(VmId vm, VcpuId id) {
    for (const Known &known : vcpus_) {
        if (known.vm == vm && known.id == id)
            return known.vcpu;
    }
    return nullptr;
}

void EventPort::script(VmId vm, VcpuId vcpu, const Exit &exit) {
    SEL4VM_ASSERT(find(vm, vcpu) != nullptr);
    Event event;
    event.kind = EventKind::exit;
    event.vm = vm;
    event.vcpu = vcpu;
    event.exit = exit;
    script_.push_back(event);
}

void EventPort::script_notification(u64 badge, u64 message) {
    Event event;
    event.kind = EventKind::notification;
    event.badge = badge;
    event.message = message;
    script_.push_back(event);
}

void EventPort::apply(Answer answer) {
    if (!open_) {
        SEL4VM_ASSERT(answer.kind() == AnswerKind::none);
        return;
    }
    SEL4VM_ASSERT(answer.kind() != AnswerKind::none);
    open_ = false;
    answers_.push_back({last_.vm, last_.vcpu, last_.exit, answer});
    Vcpu *vcpu = find(last_.vm, last_.vcpu);
    if (answer.kind() == AnswerKind::complete)
        vcpu->set_program_counter(vcpu->program_counter() + 4);
    if (answer.next() == Next::stop)
        vcpu->set_state(Vcpu::State::stopped);
    else if (answer.next() == Next::block && !vcpu->kicked())
        vcpu->set_state(Vcpu::State::blocked);
}

bool EventPort::pending_kick() const {
    for (const Known &known : vcpus_) {
        if ((known.vcpu->state() == Vcpu::State::runnable && known.vcpu->kicked()) || known.vcpu->turn_wanted())
            return true;
    }
    return false;
}

void EventPort::deliver(const Event &from, Event &event) {
    event = from;
    last_ = from;
    open_ = from.kind == EventKind::exit;
}

void EventPort::resume_and_wait(Answer answer, Event &event) {
    if (open_)
        apply(answer);
    Event next;
    if (signalled_ != 0) {
        next.kind = EventKind::notification;
        next.badge = signalled_;
        signalled_ = 0;
        return deliver(next, event);
    }
    for (const Known &known : vcpus_) {
        if (known.vcpu->state() != Vcpu::State::runnable || !known.vcpu->take_kick())
            continue;
        next.kind = EventKind::exit;
        next.vm = known.vm;
        next.vcpu = known.id;
        next.exit = Exit{ExitKind::kicked};
        return deliver(next, event);
    }
    for (const Known &known : vcpus_) {
        if (!known.vcpu->take_turn())
            continue;
        next.kind = EventKind::turn;
        next.vm = known.vm;
        next.vcpu = known.id;
        return deliver(next, event);
    }
    for (auto it = script_.begin(); it != script_.end(); ++it) {
        if (it->kind == EventKind::exit && find(it->vm, it->vcpu)->state() != Vcpu::State::runnable)
            continue;
        next = *it;
        script_.erase(it);
        return deliver(next, event);
    }
    if (fire_timeouts_ && timeout_set_) {
        timeout_set_ = false;
        next.kind = EventKind::timeout;
        return deliver(next, event);
    }
    next.kind = EventKind::idle;
    deliver(next, event);
}

} // namespace sel4vm::fake
