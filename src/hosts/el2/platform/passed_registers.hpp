// SPDX-License-Identifier: BSD-2-Clause
//
// Registers of devices that VMs are given and that are in a page with others'. Whoever passes such a device maps its registers first (HostMap).
#pragma once

#include <hosts/el2/vcpu/forwarded_access.hpp>

#include <sel4vm/arch/aarch64/ports/passed_device.hpp>

namespace sel4vm::el2 {

class PassedRegisters final : public aarch64::PassedRegisterPort {
public:
    [[nodiscard]] std::optional<u64> read(HostPhys at, Width width) override {
        const ForwardedRead done = sel4vm_el2_forwarded_read(at.value(), bytes_of(width));
        return done.failed == 0 ? std::optional(done.value) : std::nullopt;
    }
    [[nodiscard]] bool write(HostPhys at, Width width, u64 value) override {
        return sel4vm_el2_forwarded_write(at.value(), bytes_of(width), value).failed == 0;
    }
};

} // namespace sel4vm::el2
