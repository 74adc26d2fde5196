// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/frame_switch/address_table.hpp>

namespace sel4vm::dev {

void AddressTable::learn(const MacAddress &mac, u8 port, u64 now_ticks) {
    const u64 value = mac.value();
    Set &set = sets_[set_of(value)];
    Entry *place = &set[0];
    for (Entry &entry : set) {
        if (entry.mac == value) {
            place = &entry;
            break;
        }
        if (entry.seen_ticks < place->seen_ticks || (entry.mac == 0 && place->mac != 0))
            place = &entry;
    }
    *place = {value, now_ticks, port};
}

std::optional<u8> AddressTable::find(const MacAddress &mac, u64 now_ticks) const {
    const u64 value = mac.value();
    for (const Entry &entry : sets_[set_of(value)])
        if (entry.mac == value && value != 0 && now_ticks - entry.seen_ticks <= max_age_ticks_)
            return entry.port;
    return std::nullopt;
}

void AddressTable::forget_port(u8 port) {
    for (Set &set : sets_)
        for (Entry &entry : set)
            if (entry.port == port)
                entry = {};
}

} // namespace sel4vm::dev
