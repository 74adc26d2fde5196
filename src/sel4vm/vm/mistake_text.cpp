// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/vm/mistake_text.hpp>

namespace sel4vm {

namespace {

using Phrase = Text<160>;

void add_bytes(Phrase &text, Width width) { text << bytes_of(width) << (width == Width::b1 ? " byte" : " bytes"); }

void add_access(Phrase &text, const MemoryExit &memory) {
    if (memory.table_walk) {
        text << "translation table walk that " << (memory.access == MemoryAccess::write ? "updates" : "reads")
             << " the entry at " << memory.gpa;
        return;
    }
    if (memory.access == MemoryAccess::fetch) {
        text << "instruction fetch at " << memory.gpa;
    } else if (!memory.emulatable) {
        // Which way, and how much of it, is not known.
        text << "access at " << memory.gpa << " by an instruction that cannot be emulated";
    } else {
        text << (memory.access == MemoryAccess::write ? "write of " : "read of ");
        add_bytes(text, memory.width);
        text << " at " << memory.gpa;
    }
}

void add_place(Phrase &text, Mistake mistake, std::string_view device) {
    switch (mistake) {
    case Mistake::read_only_write: text << ", which is read-only memory"; return;
    case Mistake::unreachable_memory: text << ", which is memory that the host keeps refusing"; return;
    case Mistake::bad_device_access: text << ", which the device refuses"; break;
    case Mistake::unmapped_access:
        text << (device.empty() ? ", where nothing answers" : ", part of it behind the end of a device");
        break;
    default: text << ", which is a device"; break;
    }
    if (!device.empty())
        text << " (" << device << ')';
}

} // namespace

Text<160> describe(Mistake mistake, const Exit &exit, std::string_view device, const Architecture *architecture) {
    Phrase text;
    switch (exit.kind) {
    case ExitKind::memory:
        add_access(text, exit.memory);
        add_place(text, mistake, device);
        break;
    case ExitKind::system_register:
        text << (exit.system_register.write ? "write of" : "read of") << " the unknown system register ";
        if (architecture != nullptr)
            text << architecture->register_name(exit.system_register.id).view();
        else
            text << Hex{exit.system_register.id};
        break;
    case ExitKind::hypercall:
        text << "unknown call " << Hex{exit.hypercall.function};
        if (architecture != nullptr)
            text << " by " << architecture->call_name(exit.hypercall).view();
        break;
    case ExitKind::port:
        text << (exit.port.write ? "write of " : "read of ");
        add_bytes(text, exit.port.width);
        text << " at I/O port " << Hex{exit.port.port}
             << (device.empty() ? ", where nothing answers" : ", which the device refuses");
        if (!device.empty())
            text << " (" << device << ')';
        break;
    case ExitKind::undefined: text << "undefined instruction"; break;
    case ExitKind::debug: text << "debug exception"; break;
    case ExitKind::unknown:
        text << "unknown exit, reason " << Hex{exit.unknown.reason} << ", syndrome " << Hex{exit.unknown.syndrome};
        break;
    case ExitKind::kicked:
    case ExitKind::wait:
    case ExitKind::irq_service: text << "unexpected exit: " << to_string(exit.kind); break;
    }
    return text;
}

} // namespace sel4vm
