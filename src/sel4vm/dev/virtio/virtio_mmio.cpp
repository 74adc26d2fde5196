// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/virtio/virtio_mmio.hpp>

#include <sel4vm/dev/register_bank.hpp>

namespace sel4vm::dev {

namespace {

constexpr u32 kMagic = 0x7472'6976;    ///< "virt" in memory
constexpr u32 kVersion = 2;            ///< not a legacy transport
constexpr u32 kVendor = 0x6d76'3473;   ///< "s4vm": a subsystem number of ours
constexpr u32 kNoRegion = 0xffff'ffff; ///< of shared memory
constexpr u64 kConfig = 0x100;
constexpr u32 kUsedBuffer = 1; ///< InterruptStatus
constexpr u32 kConfigChange = 2;

/// One half of a 64-bit value that is written in two.
void set_half(u64 &whole, u32 half, u32 value) {
    const u32 shift = half * 32;
    whole = (whole & ~(u64{0xffff'ffff} << shift)) | u64{value} << shift;
}

} // namespace

struct VirtioMmio::Registers {
    using D = VirtioMmio;
    static constexpr auto kBank = register_bank<D, static_cast<u32>(kConfig), RowSearch::bisection>(std::array{
        constant<D>("MagicValue", 0x000, kMagic, kWidth4),
        constant<D>("Version", 0x004, kVersion, kWidth4),
        reg<D, &D::read_device_id, nullptr>("DeviceID", 0x008),
        constant<D>("VendorID", 0x00c, kVendor, kWidth4),
        reg<D, &D::read_device_features, nullptr>("DeviceFeatures", 0x010),
        reg<D, nullptr, &D::write_device_features_sel>("DeviceFeaturesSel", 0x014),
        reg<D, nullptr, &D::write_driver_features>("DriverFeatures", 0x020),
        reg<D, nullptr, &D::write_driver_features_sel>("DriverFeaturesSel", 0x024),
        reg<D, nullptr, &D::write_queue_sel>("QueueSel", 0x030),
        reg<D, &D::read_queue_size_max, nullptr>("QueueSizeMax", 0x034),
        reg<D, nullptr, &D::write_queue_size>("QueueSize", 0x038),
        reg<D, &D::read_queue_ready, &D::write_queue_ready>("QueueReady", 0x044),
        reg<D, nullptr, &D::write_queue_notify>("QueueNotify", 0x050),
        reg<D, &D::read_interrupt_status, nullptr>("InterruptStatus", 0x060),
        reg<D, nullptr, &D::write_interrupt_ack>("InterruptACK", 0x064),
        reg<D, &D::read_status, &D::write_status>("Status", 0x070),
        family(reg<D, nullptr, &D::write_descriptors>("QueueDescLow, QueueDescHigh", 0x080), 2),
        family(reg<D, nullptr, &D::write_driver>("QueueDriverLow, QueueDriverHigh", 0x090), 2),
        family(reg<D, nullptr, &D::write_device>("QueueDeviceLow, QueueDeviceHigh", 0x0a0), 2),
        constant<D>("SHMLenLow", 0x0b0, kNoRegion, kWidth4),
        constant<D>("SHMLenHigh", 0x0b4, kNoRegion, kWidth4),
        constant<D>("SHMBaseLow", 0x0b8, kNoRegion, kWidth4),
        constant<D>("SHMBaseHigh", 0x0bc, kNoRegion, kWidth4),
        reg<D, &D::read_queue_reset, &D::write_queue_reset>("QueueReset", 0x0c0),
        reg<D, &D::read_config_generation, nullptr>("ConfigGeneration", 0x0fc),
    });
};

namespace {

/// Why an access to the configuration space is refused; nothing: it is not.
Status<BusFault> check_config(const Access &access) {
    if (access.width == Width::b8)
        return Err{BusFault::width};
    if (access.offset % bytes_of(access.width) != 0)
        return Err{BusFault::alignment};
    return Ok{};
}

} // namespace

Result<u64, BusFault> VirtioMmio::read(const Access &access) {
    LockGuard guard(function_.lock());
    if (access.offset < kConfig)
        return Registers::kBank.read(*this, access);
    SEL4VM_TRY(check_config(access));
    return function_.read_config(access.offset - kConfig, bytes_of(access.width));
}

Status<BusFault> VirtioMmio::write(const Access &access, u64 value) {
    LockGuard guard(function_.lock());
    if (access.offset < kConfig)
        return Registers::kBank.write(*this, access, value);
    SEL4VM_TRY(check_config(access));
    function_.write_config(access.offset - kConfig, bytes_of(access.width), value);
    return Ok{};
}

void VirtioMmio::reset() {
    LockGuard guard(function_.lock());
    function_.reset();
    state_ = {};
}

void VirtioMmio::restore(const State &state) {
    LockGuard guard(function_.lock());
    state_ = state;
    set_interrupts(state.interrupts & (kUsedBuffer | kConfigChange));
}

// -- features: 32 of them at a time

u32 VirtioMmio::read_device_features() {
    const u32 half = state_.device_features_sel;
    return half < 2 ? static_cast<u32>(function_.offered_features() >> (32 * half)) : 0;
}

void VirtioMmio::write_driver_features(u32 value) {
    u64 features = function_.driver_features();
    if (state_.driver_features_sel < 2)
        set_half(features, state_.driver_features_sel, value);
    function_.set_driver_features(features);
}

// -- queues

void VirtioMmio::write_queue_size(u32 value) {
    constexpr u32 kImpossible = 0xffff;
    if (VirtioQueue::State *queue = function_.queue_to_set_up(state_.queue_sel))
        queue->size = static_cast<u16>(std::min(value, kImpossible));
}

void VirtioMmio::write_queue_ready(u32 value) {
    if ((value & 1) != 0)
        function_.make_ready(state_.queue_sel);
    else
        function_.stop_queue(state_.queue_sel);
}

void VirtioMmio::write_queue_notify(RegisterUse use, u32 value) { function_.notify(value, use.vcpu()); }

void VirtioMmio::write_descriptors(RegisterUse use, u32 value) {
    if (VirtioQueue::State *queue = function_.queue_to_set_up(state_.queue_sel))
        set_half(queue->descriptors, use.index(), value);
}

void VirtioMmio::write_driver(RegisterUse use, u32 value) {
    if (VirtioQueue::State *queue = function_.queue_to_set_up(state_.queue_sel))
        set_half(queue->driver, use.index(), value);
}

void VirtioMmio::write_device(RegisterUse use, u32 value) {
    if (VirtioQueue::State *queue = function_.queue_to_set_up(state_.queue_sel))
        set_half(queue->device, use.index(), value);
}

// It has happened before the driver can look.
void VirtioMmio::write_queue_reset(u32 value) {
    if ((value & 1) != 0 && function_.has_feature(virtio_feature::kRingReset))
        function_.reset_queue(state_.queue_sel);
}

// -- interrupts

void VirtioMmio::queue_used(u32) { set_interrupts(state_.interrupts | kUsedBuffer); }
void VirtioMmio::config_changed() { set_interrupts(state_.interrupts | kConfigChange); }
void VirtioMmio::reset_interrupts() { set_interrupts(0); }

void VirtioMmio::set_interrupts(u32 value) {
    state_.interrupts = value;
    const Level level = level_of(value != 0);
    if (level == driven_)
        return;
    driven_ = level;
    line_.set(level);
}

} // namespace sel4vm::dev
