// SPDX-License-Identifier: BSD-2-Clause
//
// The last events of the run loop, for those who asked (`trace` on the host's command line): printed when a VM stops with
// an error, and by a panic of the host.
#pragma once

#include <hosts/el2/host.hpp>
#include <sel4vm/vm/recording.hpp>

namespace sel4vm::vmm {

class Trace final : private el2::PanicPrinter::Report {
public:
    /// Registers itself with `host` for panics, for as long as it lives.
    Trace(el2::Host &host, EventPort &port, const BusNames &names);
    ~Trace() { host_.set_panic_report(nullptr); }
    Trace(const Trace &) = delete;
    Trace &operator=(const Trace &) = delete;

    /// What the executor uses instead of the port.
    [[nodiscard]] EventPort &port() { return recorder_; }
    /// One line for each event, as of VM `source`.
    void print(Log &log, std::string_view source) const;

private:
    static constexpr usize kLines = 24; ///< few enough for the stack of a panic

    void print(el2::PanicPrinter &printer) override;

    el2::Host &host_;
    const BusNames &names_;
    EventTrace trace_;
    RecordingPort recorder_;
};

} // namespace sel4vm::vmm
