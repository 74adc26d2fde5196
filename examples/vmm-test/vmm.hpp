// SPDX-License-Identifier: BSD-2-Clause
//
// A small VMM to be tested: one guest with a doorbell, a device that counts what the guest writes to it. It names no host, so that it runs
// on el2 and on seL4, too.
#pragma once

#include <sel4vm/program/host.hpp>

class Doorbell final : public sel4vm::MmioDevice {
public:
    const char *name() const override { return "doorbell"; }
    sel4vm::Result<sel4vm::u64, sel4vm::BusFault> read(const sel4vm::Access &) override { return rings_; }
    sel4vm::Status<sel4vm::BusFault> write(const sel4vm::Access &, sel4vm::u64 value) override {
        rings_ += static_cast<sel4vm::u32>(value);
        return sel4vm::Ok{};
    }
    void reset() override { rings_ = 0; }
    sel4vm::u32 rings() const { return rings_; }

private:
    sel4vm::u32 rings_ = 0;
};

/// Runs the guest in the file "kernel" to its end, and says why it stopped; none when it could not be made.
inline sel4vm::StopReason run_vmm(sel4vm::program::Host &host, Doorbell &doorbell) {
    using namespace sel4vm;
    const auto guest = host.make_guest({.name = "ringing",
                                        .memory = {{.base = Gpa{0x4000'0000}, .size_bytes = 2 * kMiB}},
                                        .gic = {.version = host.gic_version()},
                                        .images = {{.kind = machine::ImageKind::firmware, .source = "kernel"}}});
    const auto range = GpaRange::make(Gpa{0x0a10'0000}, 0x1000);
    if (!guest || !range || !(*guest)->vm().attach(*range, doorbell) || !(*guest)->start())
        return StopReason::none;
    host.run();
    return (*guest)->stop_reason();
}
