// SPDX-License-Identifier: BSD-2-Clause
//
// A PCI function of any type (function 0 of a slot of bus 0): configuration space, BARs, its pin, MSI-X, and a reset of its own (FLR) as an endpoint
// that is integrated into the root complex. What its BARs hold is a derived class's business.
//
// Where its BARs are is published without a lock: an access that another vCPU makes while they move is one at the old place or at the new one.
//
// Threads: lock() is taken by whoever calls, except for find().
#pragma once

#include <sel4vm/base/mutex.hpp>
#include <sel4vm/dev/pci/pci_msix.hpp>

#include <atomic>
#include <optional>

namespace sel4vm::dev {

/// What a function says it is.
struct PciIdentity {
    u16 vendor = 0;
    u16 device = 0;
    u8 revision = 0;
    u32 class_code = 0; ///< 24 bits
    u16 subsystem_vendor = 0;
    u16 subsystem = 0;
};

class PciFunction {
public:
    static constexpr u32 kBars = 6;
    /// A place in a BAR.
    struct Hit {
        u8 bar;
        u64 offset;
    };
    struct State {
        PciConfig::Bytes config{};
        PciMsix::Vectors vectors{};
        friend bool operator==(const State &, const State &) = default;
    };

    PciFunction(const PciFunction &) = delete;
    PciFunction &operator=(const PciFunction &) = delete;

    [[nodiscard]] virtual Mutex &lock() = 0;
    [[nodiscard]] u8 slot() const { return place_.slot; }

    /// 1, 2 or 4 bytes that are inside PciConfig::kBytes.
    [[nodiscard]] u32 read_config(u32 offset, u32 bytes, VcpuId by);
    void write_config(u32 offset, u32 bytes, u32 value, VcpuId by);
    /// Which BAR has this address, if it may be accessed at all. From any thread.
    [[nodiscard]] std::optional<Hit> find(u64 address) const;
    [[nodiscard]] Result<u64, BusFault> read_bar(u8 bar, const Access &access);
    [[nodiscard]] Status<BusFault> write_bar(u8 bar, const Access &access, u64 value);
    /// Power-on; the pin is low.
    void reset();

    /// Both while no vCPU of the VM runs.
    [[nodiscard]] State state() const { return {config_.bytes(), msix_.vectors()}; }
    void restore(const State &state);

protected:
    PciFunction(PciPlace place, const PciIdentity &identity, u16 vectors);
    ~PciFunction() = default;

    enum class BarKind : u8 { memory32, memory64_prefetchable };
    /// A BAR of so many bytes, a power of two; one of 64 bits takes the next one, too. While it is made.
    void add_bar(u8 bar, BarKind kind, u64 size_bytes);
    /// The last of what is made: MSI-X has its table in `msix_bar`.
    void finish(u8 msix_bar);

    [[nodiscard]] PciConfig &config() { return config_; }
    [[nodiscard]] PciMsix &msix() { return msix_; }
    [[nodiscard]] u16 vectors() const { return msix_.count(); }
    /// What the function asks of its pin, which is low while MSI-X is on or software has switched it off.
    void ask_pin(Level level);

    // -- what a derived class does
    [[nodiscard]] virtual Result<u64, BusFault> read_own(u8 bar, const Access &access) = 0;
    [[nodiscard]] virtual Status<BusFault> write_own(u8 bar, const Access &access, u64 value) = 0;
    virtual void reset_own() = 0;
    /// Before a read of configuration space, and after a write.
    virtual void before_config_read(u32 offset, u32 bytes, VcpuId by);
    virtual void after_config_write(u32 offset, u32 bytes, VcpuId by);

private:
    void publish();
    void drive_pin();

    PciPlace place_;
    PciConfig config_;
    PciMsix msix_;
    u32 express_at_ = 0;
    u8 msix_bar_ = 0;
    Level asked_ = Level::low;
    Level driven_ = Level::low;
    std::array<u64, kBars> sizes_{}; ///< 0: no such BAR, or the upper half of one
    std::array<bool, kBars> wide_{};
    std::array<std::atomic<u64>, kBars> places_{};
};

} // namespace sel4vm::dev
