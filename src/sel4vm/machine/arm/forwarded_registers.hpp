// SPDX-License-Identifier: BSD-2-Clause
//
// Registers of a device of the machine, carried out one access at a time: for a device that has no pages of its own. What the device does is
// not known here, so that nothing of it is reset. Widths are the guest's; what is not aligned never reaches the device, and a device's error is the
// guest's.
//
// Threads: any; the device sees accesses as from several CPUs.
#pragma once

#include <sel4vm/arch/aarch64/ports/passed_device.hpp>
#include <sel4vm/vm/device.hpp>

namespace sel4vm::machine {

class ForwardedRegisters final : public MmioDevice {
public:
    ForwardedRegisters(aarch64::PassedRegisterPort &port, HostPhys base) : port_(&port), base_(base) {}

    [[nodiscard]] const char *name() const override { return "device of the machine"; }
    [[nodiscard]] Result<u64, BusFault> read(const Access &access) override {
        const HostPhys at{base_.value() + access.offset};
        if (at.value() % bytes_of(access.width) != 0)
            return Err{BusFault::alignment};
        if (const auto value = port_->read(at, access.width))
            return *value;
        return Err{BusFault::failed};
    }
    [[nodiscard]] Status<BusFault> write(const Access &access, u64 value) override {
        const HostPhys at{base_.value() + access.offset};
        if (at.value() % bytes_of(access.width) != 0)
            return Err{BusFault::alignment};
        if (port_->write(at, access.width, value))
            return Ok{};
        return Err{BusFault::failed};
    }
    void reset() override {}
    [[nodiscard]] LockedBy locked_by() const override { return LockedBy::device; }

private:
    aarch64::PassedRegisterPort *port_;
    HostPhys base_;
};

} // namespace sel4vm::machine
