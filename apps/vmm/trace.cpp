// SPDX-License-Identifier: BSD-2-Clause
#include <apps/vmm/trace.hpp>

namespace sel4vm::vmm {

namespace {

/// A log that is a panic.
class PanicLog final : public Log {
public:
    explicit PanicLog(el2::PanicPrinter &printer) : printer_(printer) {}
    void line(LogLevel, std::string_view, std::string_view text) override {
        printer_.print("  ");
        printer_.print(text);
        printer_.print("\n");
    }

private:
    el2::PanicPrinter &printer_;
};

} // namespace

Trace::Trace(el2::Host &host, EventPort &port, const BusNames &names)
    : host_(host), names_(names), recorder_(port, host.clock(), trace_) {
    host_.set_panic_report(this);
}

void Trace::print(Log &log, std::string_view source) const {
    EventRecord records[kLines + 1];
    usize count = trace_.ring().latest(std::span(records).first(kLines));
    if (recorder_.open())
        records[count++] = *recorder_.open();
    for (usize i = 0; i < count; ++i) {
        Text<200> line;
        line << "trace " << describe(records[i], &names_).view();
        log.line(LogLevel::info, source, line.view());
    }
}

void Trace::print(el2::PanicPrinter &printer) {
    PanicLog log(printer);
    print(log, "host");
}

} // namespace sel4vm::vmm
