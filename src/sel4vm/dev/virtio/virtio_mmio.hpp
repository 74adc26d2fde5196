// SPDX-License-Identifier: BSD-2-Clause
//
// Virtio over MMIO, version 2: Virtio 1.2, 4.2. One slot of registers and one interrupt line, a level that is high while InterruptStatus has a bit.
//
// Registers take accesses of 32 bits, the configuration space from 0x100 on such of 8, 16 and 32: others are refused, as everywhere (docs/devices.md). There are
// no shared memory regions: their length and base read as all ones.
//
// Reset state: status 0, no queue, no interrupt.
// Threads: the lock of its function.
#pragma once

#include <sel4vm/dev/virtio/virtio_function.hpp>
#include <sel4vm/vm/device.hpp>
#include <sel4vm/vm/irq.hpp>

namespace sel4vm::dev {

class RegisterUse;

class VirtioMmio : public MmioDevice, private VirtioInterrupts {
public:
    static constexpr u64 kRangeBytes = 0x200;

    /// Everything a guest can see that is the transport's.
    struct State {
        u32 device_features_sel = 0;
        u32 driver_features_sel = 0;
        u32 queue_sel = 0;
        u32 interrupts = 0; ///< InterruptStatus
        friend bool operator==(const State &, const State &) = default;
    };

    /// `model` need not be made before its first use.
    VirtioMmio(VirtioModel &model, IrqLine line, const VirtioSite &site) : function_(model, *this, site), line_(line) {}

    [[nodiscard]] VirtioFunction &function() { return function_; }

    [[nodiscard]] const char *name() const override { return name_; }
    [[nodiscard]] Result<u64, BusFault> read(const Access &access) override;
    [[nodiscard]] Status<BusFault> write(const Access &access, u64 value) override;
    void reset() override;
    [[nodiscard]] LockedBy locked_by() const override { return LockedBy::device; }

    /// Both while no vCPU of the VM runs; beside the function's and the model's.
    [[nodiscard]] State state() const { return state_; }
    void restore(const State &state);

protected:
    ~VirtioMmio() = default;
    void set_name(const char *name) { name_ = name; }

private:
    struct Registers;

    u32 read_device_id() { return function_.model().device_id(); }
    u32 read_device_features();
    void write_device_features_sel(u32 value) { state_.device_features_sel = value; }
    void write_driver_features(u32 value);
    void write_driver_features_sel(u32 value) { state_.driver_features_sel = value; }
    void write_queue_sel(u32 value) { state_.queue_sel = value; }
    u32 read_queue_size_max() { return function_.queue_size_max(state_.queue_sel); }
    void write_queue_size(u32 value);
    u32 read_queue_ready() { return function_.queue_ready(state_.queue_sel) ? 1 : 0; }
    void write_queue_ready(u32 value);
    void write_queue_notify(RegisterUse use, u32 value);
    u32 read_interrupt_status() { return state_.interrupts; }
    void write_interrupt_ack(u32 value) { set_interrupts(state_.interrupts & ~value); }
    u32 read_status() { return function_.status(); }
    void write_status(u32 value) { function_.set_status(static_cast<u8>(value)); }
    void write_address(RegisterUse use, u32 value);
    void write_descriptors(RegisterUse use, u32 value);
    void write_driver(RegisterUse use, u32 value);
    void write_device(RegisterUse use, u32 value);
    u32 read_queue_reset() { return 0; }
    void write_queue_reset(u32 value);
    u32 read_config_generation() { return function_.config_generation(); }

    // VirtioInterrupts
    void queue_used(u32 queue) override;
    void config_changed() override;
    void reset_interrupts() override;
    void set_interrupts(u32 value);

    VirtioFunction function_;
    IrqLine line_;
    const char *name_ = "virtio";
    Level driven_ = Level::low;
    State state_;
};

/// A model with this transport.
template <class Model>
class VirtioOnMmio final : public VirtioMmio {
public:
    template <class... Args>
    VirtioOnMmio(IrqLine line, const VirtioSite &site, Args &&...args)
        : VirtioMmio(model_, line, site), model_(std::forward<Args>(args)...) {
        set_name(model_.name());
    }
    [[nodiscard]] Model &model() { return model_; }

private:
    Model model_;
};

} // namespace sel4vm::dev
