// SPDX-License-Identifier: BSD-2-Clause
//
// A PCI Express host bridge with one bus, as a firmware that knows only `pci-host-ecam-generic` has it: configuration space as memory (ECAM, PCI Express
// 3.0, 7.2.2), two windows for functions' BARs, one of I/O ports in which there is nothing, and four interrupt wires among which the pins are dealt
// out by slot. BARs move inside the windows without a change of the VM's bus.
//
// Slot 0 is the bridge itself, without BARs. A slot without a function reads as all ones, as does every address of a window at which no BAR is; writes there
// mean nothing.
//
// Threads: functions are added while the VM is built; afterwards any, each access with the lock of one function. The wires have a lock of their own.
#pragma once

#include <sel4vm/dev/pci/pci_function.hpp>
#include <sel4vm/host/dma_port.hpp>
#include <sel4vm/vm/msi.hpp>

namespace sel4vm::dev {

class PciHost final : private PciBus {
public:
    static constexpr u64 kConfigBytes = kMiB; ///< of one bus
    static constexpr u32 kWires = 4;
    using Wires = std::array<IrqLine, kWires>;

    /// All of it outlives the bridge.
    struct Site {
        Wires wires{};
        MsiDoorbell msi{};
        DmaPort &dma; ///< for messages to elsewhere
        LockMode locks = LockMode::none;
    };

    explicit PciHost(const Site &site) : site_(site), wires_lock_(LockRank::irq_wires, site.locks) {}
    PciHost(const PciHost &) = delete;
    PciHost &operator=(const PciHost &) = delete;

    /// For the function of this slot, 1 to 31.
    [[nodiscard]] PciPlace place(u8 slot) { return {*this, slot}; }
    /// `function` outlives the bridge.
    void add(PciFunction &function) { functions_[function.slot()] = &function; }

    /// What the bus has at the window of configuration space: kConfigBytes.
    [[nodiscard]] MmioDevice &configuration() { return configuration_; }
    /// And at a window for BARs that begins at `base`.
    class Window final : public MmioDevice {
    public:
        Window(PciHost &host, Gpa base) : host_(host), base_(base) {}
        [[nodiscard]] const char *name() const override { return "pci-window"; }
        [[nodiscard]] Result<u64, BusFault> read(const Access &access) override;
        [[nodiscard]] Status<BusFault> write(const Access &access, u64 value) override;
        void reset() override {} // with the configuration
        [[nodiscard]] LockedBy locked_by() const override { return LockedBy::device; }

    private:
        PciHost &host_;
        Gpa base_;
    };

private:
    class Configuration final : public MmioDevice {
    public:
        explicit Configuration(PciHost &host) : host_(host) {}
        [[nodiscard]] const char *name() const override { return "pci-config"; }
        [[nodiscard]] Result<u64, BusFault> read(const Access &access) override;
        [[nodiscard]] Status<BusFault> write(const Access &access, u64 value) override;
        void reset() override;
        [[nodiscard]] LockedBy locked_by() const override { return LockedBy::device; }

    private:
        PciHost &host_;
    };

    // PciBus
    void set_pin(u8 slot, Level level) override;
    void send_message(u8 slot, u64 address, u32 data) override;

    [[nodiscard]] PciFunction *function_at(u64 address, PciFunction::Hit &hit) const;

    Site site_;
    std::array<PciFunction *, kPciSlots> functions_{};
    Configuration configuration_{*this};
    Mutex wires_lock_;
    std::array<u32, kWires> high_{}; ///< bit n: slot n drives it
};

} // namespace sel4vm::dev
