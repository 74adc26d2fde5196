// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/boot/panic.hpp>

#include <hosts/el2/boot/cpu_local.hpp>
#include <hosts/el2/boot/image_layout.hpp>
#include <hosts/el2/host_exception.hpp>
#include <hosts/el2/platform/gic.hpp>
#include <hosts/el2/platform/machine_exit.hpp>

#include <sel4vm/arch/aarch64/esr.hpp>
#include <sel4vm/arch/aarch64/psci.hpp>
#include <sel4vm/base/assert.hpp>
#include <sel4vm/base/printable.hpp>
#include <sel4vm/base/text.hpp>

namespace sel4vm::el2 {
namespace {

// docs/console.md lists them.
constexpr u64 kFailed = 1;
constexpr u64 kCannotStart = 2;
constexpr u8 kMark = 0x1e;

/// At EL1 the machine is somebody's VM, as a rule, and one that switches itself off has ended well. A VM without a CPU has not.
[[noreturn]] void leave(PsciConduit psci) {
    if (at_el2())
        system_off(psci);
    (void)firmware_call(psci, aarch64::psci::kCpuOff);
    halt();
}

/// Nothing is said and nothing tried twice: a panic inside a panic only stops.
PanicPrinter *begin() {
    asm volatile("msr daifset, #0xf" ::: "memory");
    CpuLocal *local = CpuLocal::current();
    if (local == nullptr || local->printer == nullptr)
        halt();
    switch (local->printer->take(*local)) {
    case PanicPrinter::Turn::first: break;
    case PanicPrinter::Turn::again: leave(local->printer->psci());
    case PanicPrinter::Turn::another_cpu: halt();
    }
    if (local->gic != nullptr)
        local->gic->send_sgi_to_others(kCallSgi); // they see who has the printer, and halt
    return local->printer;
}

/// A status can only be carried by semihosting; where nobody implements it the attempt faults, and begin() leaves.
[[noreturn]] void end(PanicPrinter &printer, u64 status) {
    if (auto *report = printer.report())
        report->print(printer);
    printer.end(status);
    semihosting_exit(status);
}

/// An address inside the image also as the ELF file names it, for addr2line.
void print_address(PanicPrinter &printer, u64 address) {
    Text<64> text;
    text << Hex{address};
    const u64 image = address_of_symbol(__image_start);
    if (address >= image && address < address_of_symbol(__rodata_start))
        text << " (image+" << Hex{address - image} << ")";
    printer.print(text.view());
}

/// The frame records from `frame` (x29) up: previous record, return address. Any word of the stack may be damaged.
void print_callers(PanicPrinter &printer, u64 frame) {
    constexpr unsigned kMost = 24;
    const CpuLocal &local = *CpuLocal::current();
    for (unsigned depth = 0; depth < kMost; ++depth) {
        if (frame < local.stack_limit || frame > local.stack_top - 16 || frame % 16 != 0)
            return;
        // SAFETY: inside the host's own stack.
        const auto *record = reinterpret_cast<const volatile u64 *>(frame);
        printer.print("  called from ");
        print_address(printer, record[1] - 4);
        printer.print("\n");
        if (record[0] <= frame)
            return;
        frame = record[0];
    }
}

const char *abort_name(u64 status) {
    switch (status & 0x3f) {
    case 0x04:
    case 0x05:
    case 0x06:
    case 0x07: return "translation fault: nothing is mapped there";
    case 0x08:
    case 0x09:
    case 0x0a:
    case 0x0b: return "access flag fault";
    case 0x0c:
    case 0x0d:
    case 0x0e:
    case 0x0f: return "permission fault";
    case 0x10: return "synchronous external abort: no such device or memory";
    case 0x21: return "alignment fault";
    case 0x30: return "TLB conflict";
    default: return "fault";
    }
}

void print_class(PanicPrinter &printer, u64 esr) {
    using aarch64::Ec;
    constexpr u64 kWrite = 1U << 6;
    const Ec ec = aarch64::EsrEl2{esr}.ec();
    const bool data = ec == Ec::data_abort_lower || ec == Ec::data_abort_same;
    printer.print(to_string(ec));
    if (data || ec == Ec::instruction_abort_lower || ec == Ec::instruction_abort_same) {
        printer.print(", ");
        printer.print(abort_name(esr));
    }
    if (data)
        printer.print((esr & kWrite) != 0 ? ", on a write" : ", on a read");
    printer.print("\n");
}

void print_registers(PanicPrinter &printer, const HostExceptionFrame &frame) {
    for (unsigned n = 0; n < 31; ++n) {
        Text<64> text;
        text << (n % 4 == 0 ? "  x" : " x") << n << (n < 10 ? "  " : " ");
        for (int shift = 60; shift >= 0; shift -= 4)
            text << "0123456789abcdef"[frame.x[n] >> shift & 0xf];
        if (n % 4 == 3 || n == 30)
            text << '\n';
        printer.print(text.view());
    }
}

} // namespace

PanicPrinter::Turn PanicPrinter::take(const CpuLocal &cpu) {
    const CpuLocal *before = nullptr;
    if (cpu_.compare_exchange_strong(before, &cpu, std::memory_order_relaxed))
        return Turn::first;
    return before == &cpu ? Turn::again : Turn::another_cpu;
}

void PanicPrinter::print(std::string_view text) {
    while (!text.empty()) {
        if (at_start_ && lines_ == PanicLines::marked)
            console_.put({&kMark, 1});
        const usize newline = text.find('\n');
        at_start_ = newline != std::string_view::npos;
        const usize count = at_start_ ? newline + 1 : text.size();
        console_.print(text.substr(0, count));
        text.remove_prefix(count);
    }
}

void PanicPrinter::begin() { console_.print("\n"); }

void PanicPrinter::end(u64 status) {
    if (!at_start_)
        print("\n");
    if (lines_ == PanicLines::marked) {
        Text<32> text;
        text << "sel4vm: exit " << status << "\n";
        print(text.view());
    }
    console_.flush();
}

void give_up(std::string_view why) {
    PanicPrinter &printer = *begin();
    printer.print("sel4vm: error: host: ");
    show(why, [&printer](std::string_view part) { printer.print(part); }); // may quote the device tree
    printer.print("\n");
    end(printer, kCannotStart);
}

} // namespace sel4vm::el2

[[noreturn]] void sel4vm::panic(const char *message, const char *file, unsigned line) {
    using namespace sel4vm::el2;
    PanicPrinter &printer = *begin();
    printer.begin();
    printer.print("sel4vm: panic: ");
    printer.print(message);
    Text<160> where;
    where << "\n  at " << file << ":" << line << "\n";
    printer.print(where.view());
    print_callers(printer, reinterpret_cast<uptr>(__builtin_frame_address(0)));
    end(printer, kFailed);
}

extern "C" [[noreturn]] void sel4vm_el2_host_exception(const sel4vm::el2::HostExceptionFrame &frame,
                                                       sel4vm::u64 vector) {
    using namespace sel4vm;
    using namespace sel4vm::el2;
    constexpr const char *kKinds[4] = {"synchronous exception", "IRQ", "FIQ", "SError"};
    constexpr const char *kFrom[4] = {"the host on SP_EL0", "the host", "a guest", "a 32-bit guest"};
    PanicPrinter &printer = *begin();
    printer.begin();
    printer.print("sel4vm: panic: unexpected ");
    printer.print(kKinds[vector & 3]);
    printer.print(" from ");
    printer.print(kFrom[vector >> 2 & 3]);
    printer.print(": ");
    print_class(printer, frame.esr);
    printer.print("  elr ");
    print_address(printer, frame.elr);
    Text<160> text;
    text << "\n  far " << Hex{frame.far} << "  esr " << Hex{frame.esr} << "  spsr " << Hex{frame.spsr} << "  sp "
         << Hex{frame.sp} << "\n";
    printer.print(text.view());
    const CpuLocal &local = *CpuLocal::current();
    if (frame.far < local.stack_limit && local.stack_limit - frame.far <= kPageBytes)
        printer.print("  the host's stack overflowed into its guard page\n");
    print_registers(printer, frame);
    print_callers(printer, frame.x[29]);
    end(printer, kFailed);
}
