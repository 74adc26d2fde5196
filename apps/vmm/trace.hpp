// SPDX-License-Identifier: BSD-2-Clause
//
// The last events of one CPU's run loop, for those who asked (`trace` on the host's command line).
#pragma once

#include <sel4vm/vm/recording.hpp>

namespace sel4vm::vmm {

class Trace {
public:
    Trace(EventPort &port, Clock &clock, const BusNames &names) : names_(names), recorder_(port, clock, trace_) {}
    Trace(const Trace &) = delete;
    Trace &operator=(const Trace &) = delete;

    /// What the executor uses instead of the port.
    [[nodiscard]] EventPort &port() { return recorder_; }
    /// Whether what is being answered is part of it: right when the CPU does nothing meanwhile.
    enum class Open : bool { left_out, shown };
    /// One line for each event, as of VM `source`.
    void print(Log &log, std::string_view source, Open open) const;

private:
    static constexpr usize kLines = 24; ///< few enough for the stack of a panic

    const BusNames &names_;
    EventTrace trace_;
    RecordingPort recorder_;
};

} // namespace sel4vm::vmm
