// SPDX-License-Identifier: BSD-2-Clause
//
// Where a switch has seen addresses: so many, in sets of a few, of which the one that was seen longest ago makes room for a new one. Whoever
// sends with ever new addresses makes the switch forget others, for which frames go everywhere until they send again. What was not seen for
// kMaxAgeSeconds counts as unknown.
//
// Threads: whoever has the switch's lock.
#pragma once

#include <sel4vm/host/net_device.hpp>

#include <optional>

namespace sel4vm::dev {

class AddressTable {
public:
    static constexpr usize kSets = 64;
    static constexpr usize kWays = 4;
    /// IEEE 802.1Q, 8.8.3, recommends it.
    static constexpr u64 kMaxAgeSeconds = 300;

    explicit AddressTable(u64 ticks_per_second) : max_age_ticks_(kMaxAgeSeconds * ticks_per_second) {}

    /// This port has sent with this address: it belongs to no other any more.
    void learn(const MacAddress &mac, u8 port, u64 now_ticks);
    [[nodiscard]] std::optional<u8> find(const MacAddress &mac, u64 now_ticks) const;
    void forget_port(u8 port);

private:
    struct Entry {
        u64 mac = 0; ///< MacAddress::value(); 0, which is nobody's: empty
        u64 seen_ticks = 0;
        u8 port = 0;
    };
    using Set = std::array<Entry, kWays>;
    [[nodiscard]] static usize set_of(u64 mac) {
        const u64 folded = mac ^ mac >> 24;
        return static_cast<usize>((folded ^ folded >> 12 ^ folded >> 6) % kSets);
    }

    u64 max_age_ticks_;
    std::array<Set, kSets> sets_{};
};

} // namespace sel4vm::dev
