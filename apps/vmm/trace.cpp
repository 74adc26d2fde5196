// SPDX-License-Identifier: BSD-2-Clause
#include <apps/vmm/trace.hpp>

namespace sel4vm::vmm {

void Trace::print(Log &log, std::string_view source, Open open) const {
    EventRecord records[kLines + 1];
    usize count = trace_.ring().latest(std::span(records).first(kLines));
    if (open == Open::shown && recorder_.open())
        records[count++] = *recorder_.open();
    for (usize i = 0; i < count; ++i) {
        Text<200> line;
        line << "trace " << describe(records[i], &names_).view();
        log.line(LogLevel::info, source, line.view());
    }
}

} // namespace sel4vm::vmm
