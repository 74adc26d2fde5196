// SPDX-License-Identifier: BSD-2-Clause
//
// The configuration space of a PCI function: PCI 3.0, 6, and PCI Express 3.0, 7. Bytes, and which of their bits software may write; what a write
// means beyond that is the function's business. The 4 KiB of PCI Express have no extended capabilities: they read as zero.
//
// Threads: its function's lock.
#pragma once

#include <sel4vm/base/types.hpp>

#include <array>
#include <span>

namespace sel4vm::dev {

/// Offsets, of the header of type 0.
namespace pci_reg {
inline constexpr u32 kVendor = 0x00;
inline constexpr u32 kDevice = 0x02;
inline constexpr u32 kCommand = 0x04;
inline constexpr u32 kStatus = 0x06;
inline constexpr u32 kRevision = 0x08;
inline constexpr u32 kClass = 0x09; ///< three bytes
inline constexpr u32 kCacheLine = 0x0c;
inline constexpr u32 kBars = 0x10;
inline constexpr u32 kSubsystemVendor = 0x2c;
inline constexpr u32 kSubsystem = 0x2e;
inline constexpr u32 kCapabilities = 0x34;
inline constexpr u32 kInterruptLine = 0x3c;
inline constexpr u32 kInterruptPin = 0x3d;
inline constexpr u32 kFirstCapability = 0x40;
} // namespace pci_reg

namespace pci_command {
inline constexpr u16 kMemory = 1U << 1;
inline constexpr u16 kBusMaster = 1U << 2;
inline constexpr u16 kNoPin = 1U << 10;
} // namespace pci_command

namespace pci_status {
inline constexpr u16 kInterrupt = 1U << 3;
inline constexpr u16 kHasCapabilities = 1U << 4;
} // namespace pci_status

namespace pci_capability {
inline constexpr u8 kVendorSpecific = 0x09;
inline constexpr u8 kExpress = 0x10;
inline constexpr u8 kMsix = 0x11;
} // namespace pci_capability

class PciConfig {
public:
    static constexpr u32 kBytes = 256;
    using Bytes = std::array<u8, kBytes>;

    // -- how it is made
    /// `bytes` (1, 2 or 4) at `offset`, and which bits of them software may write.
    void define(u32 offset, u32 bytes, u32 value, u32 writable = 0);
    /// Adds a capability of so many bytes, its header included, behind the last one; where it is.
    [[nodiscard]] u32 add_capability(u8 id, u32 bytes);
    /// Now is power-on.
    void keep_as_reset() { reset_ = bytes_; }

    // -- what the function does with it
    [[nodiscard]] u32 get(u32 offset, u32 bytes) const;
    void set(u32 offset, u32 bytes, u32 value);
    /// Software's, 1, 2 or 4 bytes that are inside.
    void write(u32 offset, u32 bytes, u32 value);
    void reset() { bytes_ = reset_; }

    [[nodiscard]] const Bytes &bytes() const { return bytes_; }
    /// What software could have written of `saved`.
    void restore(const Bytes &saved);

private:
    Bytes bytes_{};
    Bytes writable_{};
    Bytes reset_{};
    u32 next_capability_ = pci_reg::kFirstCapability;
    u32 last_link_ = pci_reg::kCapabilities;
};

} // namespace sel4vm::dev
