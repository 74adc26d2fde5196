// SPDX-License-Identifier: BSD-2-Clause
//
// Virtio over PCI, modern devices only: Virtio 1.2, 4.1. The structures that capabilities name (common, notifications, ISR, the device's
// configuration) are in BAR 0, 64 bits wide, MSI-X is in BAR 2, and there is the window in configuration space (VIRTIO_PCI_CAP_PCI_CFG). MSI-X has a vector for each queue
// and one for changes of the configuration; without it the pin is a level until the ISR is read.
//
// Each field of the common structure takes accesses of its own width; those of 64 bits also two of 32. The device's configuration takes 8, 16 and 32 bits, a
// notification 16 or 32, the ISR 8. What is wrong otherwise is judged by VirtioFunction, as over every transport. An access to a BAR while the bus
// master bit is off is served as ever; messages wait until it is on.
//
// Deliberately not there: the transitional interface (0.9.5), NOTIFICATION_DATA, notification of a queue's own address (all are one), shared memory.
//
// Reset state: power-on of PCI and of virtio; a reset by the driver (status 0) leaves PCI as it is, and takes the queues' vectors away.
// Threads: the lock of its VirtioFunction.
#pragma once

#include <sel4vm/dev/pci/pci_function.hpp>
#include <sel4vm/dev/virtio/virtio_function.hpp>

namespace sel4vm::dev {

/// What PCI wants to know of a model before it is made.
struct VirtioPciType {
    u32 device_id = 0;  ///< VirtioModel::device_id()
    u32 queues = 1;     ///< VirtioModel::queue_count()
    u32 class_code = 0; ///< PCI's, 24 bits
};

class VirtioPci : public PciFunction, private VirtioInterrupts {
public:
    static constexpr u16 kNoVector = 0xffff;

    /// Everything a guest can see that is the transport's, beside PciFunction's.
    struct State {
        u32 device_features_sel = 0;
        u32 driver_features_sel = 0;
        u16 queue_sel = 0;
        u16 config_vector = kNoVector;
        u8 interrupts = 0; ///< ISR
        std::array<u16, VirtioFunction::kMaxQueues> queue_vectors = no_vectors();
        friend bool operator==(const State &, const State &) = default;
    };

    [[nodiscard]] VirtioFunction &function() { return function_; }
    [[nodiscard]] Mutex &lock() override { return function_.lock(); }

    /// Both while no vCPU of the VM runs; beside PciFunction's, the function's and the model's.
    [[nodiscard]] State transport_state() const { return state_; }
    void restore_transport(const State &state);

protected:
    /// `model` need not be made before its first use.
    VirtioPci(VirtioModel &model, PciPlace place, const VirtioSite &site, const VirtioPciType &type);
    ~VirtioPci() = default;

private:
    static constexpr std::array<u16, VirtioFunction::kMaxQueues> no_vectors() {
        std::array<u16, VirtioFunction::kMaxQueues> none{};
        none.fill(kNoVector);
        return none;
    }

    // PciFunction
    [[nodiscard]] Result<u64, BusFault> read_own(u8 bar, const Access &access) override;
    [[nodiscard]] Status<BusFault> write_own(u8 bar, const Access &access, u64 value) override;
    void reset_own() override;
    void before_config_read(u32 offset, u32 bytes, VcpuId by) override;
    void after_config_write(u32 offset, u32 bytes, VcpuId by) override;

    // VirtioInterrupts
    void queue_used(u32 queue) override;
    void config_changed() override;
    void reset_interrupts() override;

    [[nodiscard]] Result<u64, BusFault> read_common(const Access &access);
    [[nodiscard]] Status<BusFault> write_common(const Access &access, u64 value);
    [[nodiscard]] u64 *queue_address(u64 offset);
    [[nodiscard]] u16 queue_size() const;
    void enable_queue();
    [[nodiscard]] u16 checked_vector(u64 value) const;
    [[nodiscard]] u64 take_isr();
    void tell(u16 vector, u8 cause);
    void add_capabilities();
    /// The window in configuration space as an access to a BAR; nothing: it is none.
    struct CfgAccess {
        u8 bar;
        Access access;
    };
    [[nodiscard]] std::optional<CfgAccess> cfg_access(VcpuId by);

    VirtioFunction function_;
    State state_;
    u32 cfg_at_ = 0; ///< of the capability VIRTIO_PCI_CAP_PCI_CFG
};

/// A model with this transport.
template <class Model>
class VirtioOnPci final : public VirtioPci {
public:
    template <class... Args>
    VirtioOnPci(PciPlace place, const VirtioSite &site, const VirtioPciType &type, Args &&...args)
        : VirtioPci(model_, place, site, type), model_(std::forward<Args>(args)...) {}
    [[nodiscard]] Model &model() { return model_; }

private:
    Model model_;
};

} // namespace sel4vm::dev
