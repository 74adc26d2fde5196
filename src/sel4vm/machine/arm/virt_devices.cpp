// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/arm/virt_devices.hpp>

#include <sel4vm/dev/pl011/pl011_kind.hpp>
#include <sel4vm/dev/pl031/pl031_kind.hpp>
#include <sel4vm/dev/pl061/pl061_kind.hpp>
#include <sel4vm/dev/virtio/virtio_kinds.hpp>

namespace sel4vm::machine {

dev::DeviceKinds virt_devices() {
    static constexpr const dev::DeviceKind *kTable[] = {
        &dev::kPl011, &dev::kPl031, &dev::kPl061, &dev::kVirtioRng, &dev::kVirtioBlk, &dev::kVirtioNet,
    };
    return kTable;
}

} // namespace sel4vm::machine
