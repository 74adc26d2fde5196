// SPDX-License-Identifier: BSD-2-Clause
#include <apps/vmm/trace.hpp>

namespace sel4vm::vmm {

Trace::Trace(el2::Host &host, EventPort &port) : host_(host), recorder_(port, host.clock(), trace_) {
    host_.set_panic_report(this);
}

template <class Line>
void Trace::for_each_line(const Line &line) const {
    EventRecord records[kLines];
    const usize count = trace_.ring().latest(records);
    for (usize i = 0; i < count; ++i)
        line(describe(records[i]).view());
    if (recorder_.open())
        line(describe(*recorder_.open()).view());
}

void Trace::print(Log &log, std::string_view source) const {
    for_each_line([&](std::string_view text) {
        Text<200> line;
        line << "trace " << text;
        log.line(LogLevel::info, source, line.view());
    });
}

void Trace::print(el2::PanicPrinter &printer) {
    for_each_line([&](std::string_view text) {
        printer.print("  trace ");
        printer.print(text);
        printer.print("\n");
    });
}

} // namespace sel4vm::vmm
