// SPDX-License-Identifier: BSD-2-Clause
//
// Message-signalled interrupts as devices send them: a write of a number to an address, the doorbell, that the guest has given the device.
// Who knows the machine's addresses compares the address with the doorbell's; an interrupt controller knows the two numbers only.
#pragma once

#include <sel4vm/base/types.hpp>

namespace sel4vm {

/// The part of an interrupt controller that takes them. It locks itself and wakes vCPUs by itself.
class MsiTarget {
public:
    /// `device` wrote `data` to the doorbell; from any thread. `device` is what the device tree's msi-map makes of a PCI requester, and means
    /// nothing to a controller that tells devices apart by data alone. What the guest has not set up is ignored, as by hardware.
    virtual void send(u32 device, u32 data) = 0;

protected:
    ~MsiTarget() = default;
};

/// Where a VM's devices reach it.
struct MsiDoorbell {
    Gpa at{};                    ///< of the 32-bit register that they write
    MsiTarget *target = nullptr; ///< nullptr: the VM has none
};

} // namespace sel4vm
