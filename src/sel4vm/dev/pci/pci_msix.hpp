// SPDX-License-Identifier: BSD-2-Clause
//
// MSI-X: PCI 3.0, 6.8.2. A table of vectors in memory of the function's, and their pending bits. A vector that is raised while it or the function is masked
// is sent once when that is over, as is one that is raised while the function may not write to memory (bus master); while MSI-X is off it is not raised at all.
//
// Threads: its function's lock.
#pragma once

#include <sel4vm/dev/pci/pci_bus.hpp>
#include <sel4vm/dev/pci/pci_config.hpp>
#include <sel4vm/vm/device.hpp>

namespace sel4vm::dev {

class PciMsix {
public:
    static constexpr u16 kMaxVectors = 16;
    /// Bytes of memory for the table, and as many for the pending bits behind it.
    static constexpr u64 kTableBytes = 4096;

    struct Vector {
        u64 address = 0;
        u32 data = 0;
        bool masked = true;
        bool pending = false;
        friend bool operator==(const Vector &, const Vector &) = default;
    };
    using Vectors = std::array<Vector, kMaxVectors>;

    PciMsix(PciPlace place, u16 count) : place_(place), count_(count) {}

    /// The capability, for a table at the start of BAR `bar`.
    void add_to(PciConfig &config, u8 bar);
    /// Software has written configuration space: whether it is on may have changed.
    void config_written(const PciConfig &config);

    [[nodiscard]] u16 count() const { return count_; }
    [[nodiscard]] bool is_on() const { return enabled_; }
    /// An interrupt of this vector. Of one that does not exist: nothing.
    void raise(u16 vector);
    void reset();

    /// The memory: 2 * kTableBytes. 32 or 64 bits at a time.
    [[nodiscard]] Result<u64, BusFault> read(const Access &access) const;
    [[nodiscard]] Status<BusFault> write(const Access &access, u64 value);

    [[nodiscard]] const Vectors &vectors() const { return vectors_; }
    void restore(const Vectors &vectors) { vectors_ = vectors; }

private:
    [[nodiscard]] u32 read_word(u64 offset) const;
    void write_word(u64 offset, u32 value);
    void send_if_unmasked(Vector &vector);

    PciPlace place_;
    u16 count_;
    u32 at_ = 0; ///< of the capability
    bool enabled_ = false;
    bool function_masked_ = false; ///< or no bus master
    Vectors vectors_{};
};

} // namespace sel4vm::dev
