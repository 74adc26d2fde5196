// SPDX-License-Identifier: BSD-2-Clause
//
// The machine's RAM, as a file that is mapped once for the kernel and page by page for the VMM, so that guest and VMM share
// bytes; and which parts of it are taken.
#pragma once

#include <sel4vm/base/types.hpp>

#include <map>
#include <optional>

namespace sel4vm::sel4_double {

class PhysicalMemory {
public:
    static constexpr u64 kRamBase = u64{1} << 30;
    static constexpr u64 kRamBytes = u64{8} << 30;
    /// Where devices are; they have memory behind the RAM's in the file.
    static constexpr u64 kDeviceBase = 0x0800'0000;
    static constexpr u64 kDeviceBytes = 0x0800'0000;

    PhysicalMemory();
    ~PhysicalMemory();
    PhysicalMemory(const PhysicalMemory &) = delete;
    PhysicalMemory &operator=(const PhysicalMemory &) = delete;

    /// A free piece, aligned to its size.
    [[nodiscard]] std::optional<u64> take(unsigned bits);
    [[nodiscard]] bool take_at(u64 phys, unsigned bits);
    void give_back(u64 phys) { taken_.erase(phys); }
    /// How many are taken.
    [[nodiscard]] usize pieces() const { return taken_.size(); }
    [[nodiscard]] static bool is_ram(u64 phys) { return phys - kRamBase < kRamBytes; }
    [[nodiscard]] static bool is_device(u64 phys) { return phys - kDeviceBase < kDeviceBytes; }

    [[nodiscard]] int file() const { return file_; }
    [[nodiscard]] static u64 offset_of(u64 phys) {
        return is_ram(phys) ? phys - kRamBase : kRamBytes + phys - kDeviceBase;
    }
    [[nodiscard]] u8 *bytes(u64 phys) { return whole_ + offset_of(phys); }
    void clear(u64 phys, u64 size_bytes);

private:
    [[nodiscard]] bool overlaps(u64 phys, u64 size_bytes, u64 &end) const;
    int file_;
    u8 *whole_;
    std::map<u64, u64> taken_; // start -> size
};

} // namespace sel4vm::sel4_double
