// SPDX-License-Identifier: BSD-2-Clause
//
// The registers of a virtio device over MMIO, from the driver's side: Virtio 1.2, 4.2.2, version 2 only. How a device is reset, asked for its
// features and started, which is the same for every type.
#pragma once

#include <sel4vm/host/device_registers.hpp>

namespace sel4vm::drivers {

namespace virtio_feature {
inline constexpr u64 kVersion1 = u64{1} << 32;
} // namespace virtio_feature

/// What is there, before anybody drives it.
enum class VirtioSlot : u8 {
    empty,  ///< no device, or none of virtio's
    legacy, ///< of the version before 1.0, which is not driven
    device,
};

class VirtioTransport {
public:
    /// Why the device said that it wants attention.
    struct Causes {
        bool queue = false;
        bool configuration = false;
    };

    /// `registers` outlive it.
    explicit VirtioTransport(DeviceRegisters &registers) : registers_(registers) {}

    [[nodiscard]] VirtioSlot slot();
    /// Virtio 1.2, 5: 1 is a network card, 2 a disk.
    [[nodiscard]] u32 device_id();

    /// Resets it, and takes of its features those in `wanted`. False: it has no VERSION_1, or refuses them.
    [[nodiscard]] bool begin(u64 wanted, u64 &features);
    /// 0: there is no such queue.
    [[nodiscard]] u16 queue_size_max(u16 queue);
    /// Addresses as the device has them.
    struct QueueAddresses {
        u64 descriptors;
        u64 driver;
        u64 device;
    };
    void set_queue(u16 queue, u16 size, const QueueAddresses &addresses);
    /// From now on it works.
    void start();
    /// It forgets everything, and touches no memory any more.
    void reset();
    /// It has given up, and needs a reset.
    [[nodiscard]] bool has_failed();

    void notify(u16 queue);
    /// Takes the causes back, so that the interrupt ends.
    [[nodiscard]] Causes take_causes();
    [[nodiscard]] u8 configuration8(u32 offset);
    [[nodiscard]] u32 configuration32(u32 offset);

private:
    void add_status(u32 bits);

    DeviceRegisters &registers_;
};

} // namespace sel4vm::drivers
