// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/vm/recording.hpp>

#include <sel4vm/vm/bus_names.hpp>

namespace sel4vm {

namespace {

const char *to_string(MemoryAccess access) {
    switch (access) {
    case MemoryAccess::read: return "read";
    case MemoryAccess::write: return "write";
    case MemoryAccess::fetch: return "fetch";
    }
    return "?";
}

const char *to_string(GuestFault fault) {
    switch (fault) {
    case GuestFault::access: return "access fault";
    case GuestFault::instruction: return "instruction fault";
    }
    return "?";
}

void add_address(Text<160> &text, VmId vm, Gpa at, const BusNames *names) {
    text << ' ' << at;
    if (names == nullptr)
        return;
    if (const auto place = names->find(vm, at))
        text << " (" << place->name << '+' << Hex{at.value() - place->base.value()} << ')';
}

void add_exit(Text<160> &text, const Event &event, const BusNames *names) {
    const Exit &exit = event.exit;
    text << to_string(exit.kind);
    switch (exit.kind) {
    case ExitKind::memory:
        text << ' ' << to_string(exit.memory.access);
        add_address(text, event.vm, exit.memory.gpa, names);
        text << " b" << bytes_of(exit.memory.width);
        if (exit.memory.access == MemoryAccess::write)
            text << ' ' << Hex{exit.memory.data};
        if (exit.memory.table_walk)
            text << " of a table walk";
        else if (!exit.memory.emulatable)
            text << " not emulatable";
        break;
    case ExitKind::system_register:
        text << (exit.system_register.write ? " write " : " read ") << Hex{exit.system_register.id};
        if (exit.system_register.write)
            text << ' ' << Hex{exit.system_register.data};
        break;
    case ExitKind::hypercall:
        text << ' ' << Hex{exit.hypercall.function};
        if (exit.hypercall.origin != 0)
            text << " from " << Hex{exit.hypercall.origin};
        break;
    case ExitKind::wait: text << (exit.wait.event ? " for an event" : " for an interrupt"); break;
    case ExitKind::irq_service: text << ' ' << exit.irq_service.source; break;
    case ExitKind::port:
        text << (exit.port.write ? " write " : " read ") << Hex{exit.port.port} << " b" << bytes_of(exit.port.width);
        if (exit.port.write)
            text << ' ' << Hex{exit.port.data};
        break;
    case ExitKind::unknown:
        text << " reason " << Hex{exit.unknown.reason} << " syndrome " << Hex{exit.unknown.syndrome};
        break;
    case ExitKind::kicked:
    case ExitKind::undefined:
    case ExitKind::debug: break;
    }
}

} // namespace

Text<160> describe(u64 ticks, const Event &event, const BusNames *names) {
    Text<160> text;
    text << ticks << ": ";
    switch (event.kind) {
    case EventKind::exit:
        text << event.vm.value() << '.' << event.vcpu.value() << ' ';
        add_exit(text, event, names);
        break;
    case EventKind::notification: text << "notification " << Hex{event.badge}; break;
    case EventKind::timeout: text << "timeout"; break;
    case EventKind::turn: text << event.vm.value() << '.' << event.vcpu.value() << " turn"; break;
    case EventKind::idle: text << "idle"; break;
    }
    return text;
}

Text<160> describe(const EventRecord &record, const BusNames *names) {
    Text<160> text = describe(record.ticks, record.event, names);
    switch (record.answer.kind()) {
    case AnswerKind::none: return text;
    case AnswerKind::complete:
        text << " -> complete";
        if (record.answer.data() != 0)
            text << ' ' << Hex{record.answer.data()};
        break;
    case AnswerKind::go_on: text << " -> go on"; break;
    case AnswerKind::retry: text << " -> retry"; break;
    case AnswerKind::inject: text << " -> inject " << to_string(record.answer.fault()); break;
    }
    switch (record.answer.next()) {
    case Next::run: break;
    case Next::block: text << ", block"; break;
    case Next::stop: text << ", stop"; break;
    }
    return text;
}

void RecordingPort::close(Answer answer) {
    if (!open_)
        return;
    open_->answer = answer;
    sink_.record(*open_);
    open_.reset();
}

void RecordingPort::resume_and_wait(Answer answer, Event &event) {
    close(answer);
    port_.resume_and_wait(answer, event);
    open_.emplace(EventRecord{clock_.now_ticks(), event, Answer::none()});
}

void RecordingPort::apply(Answer answer) {
    close(answer);
    port_.apply(answer);
}

} // namespace sel4vm
