// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/drivers/virtio/virtio_transport.hpp>

namespace sel4vm::drivers {

namespace {

// Virtio 1.2, 4.2.2
namespace reg {
constexpr u32 kMagic = 0x000;
constexpr u32 kVersion = 0x004;
constexpr u32 kDeviceId = 0x008;
constexpr u32 kDeviceFeatures = 0x010;
constexpr u32 kDeviceFeaturesSel = 0x014;
constexpr u32 kDriverFeatures = 0x020;
constexpr u32 kDriverFeaturesSel = 0x024;
constexpr u32 kQueueSel = 0x030;
constexpr u32 kQueueSizeMax = 0x034;
constexpr u32 kQueueSize = 0x038;
constexpr u32 kQueueReady = 0x044;
constexpr u32 kQueueNotify = 0x050;
constexpr u32 kInterruptStatus = 0x060;
constexpr u32 kInterruptAck = 0x064;
constexpr u32 kStatus = 0x070;
constexpr u32 kQueueDescriptors = 0x080;
constexpr u32 kQueueDriver = 0x090;
constexpr u32 kQueueDevice = 0x0a0;
constexpr u32 kConfiguration = 0x100;
} // namespace reg

constexpr u32 kMagic = 0x7472'6976; // "virt"

// Virtio 1.2, 2.1
namespace status {
constexpr u32 kAcknowledge = 1;
constexpr u32 kDriver = 2;
constexpr u32 kDriverOk = 4;
constexpr u32 kFeaturesOk = 8;
constexpr u32 kNeedsReset = 64;
} // namespace status

constexpr u32 kCauseQueue = 1;
constexpr u32 kCauseConfiguration = 2;
/// A device is reset when its status reads as 0, which takes none of those that there are more than one read.
constexpr u32 kMostResetReads = 1'000'000;

} // namespace

VirtioSlot VirtioTransport::slot() {
    if (registers_.read32(reg::kMagic) != kMagic || device_id() == 0)
        return VirtioSlot::empty;
    return registers_.read32(reg::kVersion) == 2 ? VirtioSlot::device : VirtioSlot::legacy;
}

u32 VirtioTransport::device_id() { return registers_.read32(reg::kDeviceId); }

void VirtioTransport::add_status(u32 bits) { registers_.write32(reg::kStatus, registers_.read32(reg::kStatus) | bits); }

void VirtioTransport::reset() {
    registers_.write32(reg::kStatus, 0);
    for (u32 i = 0; i < kMostResetReads && registers_.read32(reg::kStatus) != 0; ++i) {
    }
}

bool VirtioTransport::begin(u64 wanted, u64 &features) {
    reset();
    add_status(status::kAcknowledge);
    add_status(status::kDriver);
    features = 0;
    for (const u32 half : {0U, 1U}) {
        registers_.write32(reg::kDeviceFeaturesSel, half);
        features |= u64{registers_.read32(reg::kDeviceFeatures)} << (32 * half);
    }
    if ((features & virtio_feature::kVersion1) == 0)
        return false;
    features &= wanted | virtio_feature::kVersion1;
    for (const u32 half : {0U, 1U}) {
        registers_.write32(reg::kDriverFeaturesSel, half);
        registers_.write32(reg::kDriverFeatures, static_cast<u32>(features >> (32 * half)));
    }
    add_status(status::kFeaturesOk);
    return (registers_.read32(reg::kStatus) & status::kFeaturesOk) != 0;
}

u16 VirtioTransport::queue_size_max(u16 queue) {
    registers_.write32(reg::kQueueSel, queue);
    const u32 most = registers_.read32(reg::kQueueSizeMax);
    return most > 0x8000 ? 0 : static_cast<u16>(most);
}

void VirtioTransport::set_queue(u16 queue, u16 size, const QueueAddresses &addresses) {
    registers_.write32(reg::kQueueSel, queue);
    registers_.write32(reg::kQueueSize, size);
    const auto put = [this](u32 offset, u64 address) {
        registers_.write32(offset, static_cast<u32>(address));
        registers_.write32(offset + 4, static_cast<u32>(address >> 32));
    };
    put(reg::kQueueDescriptors, addresses.descriptors);
    put(reg::kQueueDriver, addresses.driver);
    put(reg::kQueueDevice, addresses.device);
    registers_.write32(reg::kQueueReady, 1);
}

void VirtioTransport::start() { add_status(status::kDriverOk); }

bool VirtioTransport::has_failed() { return (registers_.read32(reg::kStatus) & status::kNeedsReset) != 0; }

void VirtioTransport::notify(u16 queue) { registers_.write32(reg::kQueueNotify, queue); }

VirtioTransport::Causes VirtioTransport::take_causes() {
    const u32 causes = registers_.read32(reg::kInterruptStatus);
    registers_.write32(reg::kInterruptAck, causes);
    return {(causes & kCauseQueue) != 0, (causes & kCauseConfiguration) != 0};
}

u8 VirtioTransport::configuration8(u32 offset) { return registers_.read8(reg::kConfiguration + offset); }

u32 VirtioTransport::configuration32(u32 offset) { return registers_.read32(reg::kConfiguration + offset); }

} // namespace sel4vm::drivers
