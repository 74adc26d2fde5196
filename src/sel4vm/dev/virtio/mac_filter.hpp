// SPDX-License-Identifier: BSD-2-Clause
//
// Which frames a driver wants: those for its own address, for one of a table that it has set, for all; or every one. Virtio 1.2, 5.1.6.5.1 and 5.1.6.5.2. A
// table that is longer than there is room for wants all addresses of its kind. Until a driver says anything it gets every frame.
//
// Threads: none of its own.
#pragma once

#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/host/net_device.hpp>

namespace sel4vm::dev {

struct MacFilter {
    static constexpr usize kMaxAddresses = 32;

    struct Table {
        FixedVector<u64, kMaxAddresses> addresses{}; ///< MacAddress::value()
        bool any = false;
        [[nodiscard]] bool has(u64 mac) const {
            for (const u64 one : addresses)
                if (one == mac)
                    return true;
            return any;
        }
    };

    bool promiscuous = true;
    bool all_multicast = false;
    Table unicast{};
    Table multicast{};

    [[nodiscard]] bool wants(const MacAddress &own, const MacAddress &to) const {
        if (promiscuous || to == own)
            return true;
        if (!to.is_group())
            return unicast.has(to.value());
        return all_multicast || to.is_broadcast() || multicast.has(to.value());
    }
};

} // namespace sel4vm::dev
