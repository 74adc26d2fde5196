// SPDX-License-Identifier: BSD-2-Clause
//
// What an ITS and its LPIs do, said as plainly as possible: maps instead of tables in memory, sets instead of list registers.
#pragma once

#include <sel4vm/base/types.hpp>

#include <map>
#include <optional>
#include <set>
#include <vector>

namespace sel4vm::test {

class ItsReference {
public:
    static constexpr u32 kDevices = 512;     // a table of one page
    static constexpr u32 kCollections = 512; // the same
    static constexpr u32 kFirst = 8192;
    static constexpr u32 kEnd = 16384;

    explicit ItsReference(u32 cpus) : pending(cpus), running(cpus) {}

    // -- commands
    void mapd(u32 device, u32 bits) {
        if (device < kDevices && bits <= 16)
            devices[device] = bits;
    }
    void unmapd(u32 device) { devices.erase(device); }
    void mapc(u32 collection, u64 cpu) {
        if (collection < kCollections && cpu < pending.size())
            collections[collection] = static_cast<u32>(cpu);
    }
    void unmapc(u32 collection) { collections.erase(collection); }
    void mapti(u32 device, u32 event, u32 intid, u32 collection) {
        if (has_event(device, event) && collection < kCollections && intid >= kFirst && intid < kEnd)
            events[{device, event}] = {intid, collection};
    }
    void movi(u32 device, u32 event, u32 collection) {
        const auto where = target(device, event);
        const auto to = collections.find(collection);
        if (!where || to == collections.end())
            return;
        Translation &translation = events[{device, event}];
        translation.collection = collection;
        if (to->second != *where && pending[*where].erase(translation.intid) != 0)
            pending[to->second].insert(translation.intid);
    }
    void movall(u64 from, u64 to) {
        if (from >= pending.size() || to >= pending.size() || from == to)
            return;
        pending[to].insert(pending[from].begin(), pending[from].end());
        pending[from].clear();
    }
    void interrupt(u32 device, u32 event) {
        if (const auto cpu = target(device, event))
            pending[*cpu].insert(events[{device, event}].intid);
    }
    void clear(u32 device, u32 event) {
        if (const auto cpu = target(device, event))
            pending[*cpu].erase(events[{device, event}].intid);
    }
    void discard(u32 device, u32 event) {
        if (const auto cpu = target(device, event)) {
            pending[*cpu].erase(events[{device, event}].intid);
            events.erase({device, event});
        }
    }
    void inv(u32 device, u32 event) {
        if (target(device, event))
            known[events[{device, event}].intid] = table[events[{device, event}].intid];
    }
    void invall(u32 collection) {
        if (collections.contains(collection))
            known = table;
    }

    // -- the CPU interfaces
    [[nodiscard]] bool deliverable(u32 cpu, u32 intid) {
        return pending[cpu].contains(intid) && (known[intid] & 1) != 0;
    }
    [[nodiscard]] u8 priority(u32 intid) { return known[intid] & 0xf8; }
    /// The priority of the next acknowledgement; none when it is spurious.
    std::optional<u8> next(u32 cpu) {
        std::optional<u8> best;
        for (const u32 intid : pending[cpu]) {
            if (deliverable(cpu, intid) && (!best || priority(intid) < *best))
                best = priority(intid);
        }
        if (best && !running[cpu].empty() && *best >= running[cpu].back().second)
            return std::nullopt;
        return best;
    }
    void acknowledged(u32 cpu, u32 intid) {
        running[cpu].emplace_back(intid, priority(intid));
        pending[cpu].erase(intid);
    }
    u32 end(u32 cpu) {
        const u32 intid = running[cpu].back().first;
        running[cpu].pop_back();
        return intid;
    }

    std::map<u32, u8> table; ///< in memory
    std::map<u32, u8> known; ///< as of the last INV
    std::vector<std::set<u32>> pending;
    std::vector<std::vector<std::pair<u32, u8>>> running;

private:
    struct Translation {
        u32 intid;
        u32 collection;
    };
    [[nodiscard]] bool has_event(u32 device, u32 event) const {
        const auto found = devices.find(device);
        return found != devices.end() && u64{event} >> found->second == 0;
    }
    [[nodiscard]] std::optional<u32> target(u32 device, u32 event) const {
        const auto found = events.find({device, event});
        if (!has_event(device, event) || found == events.end())
            return std::nullopt;
        const auto collection = collections.find(found->second.collection);
        return collection == collections.end() ? std::nullopt : std::optional(collection->second);
    }
    std::map<u32, u32> devices;
    std::map<u32, u32> collections;
    std::map<std::pair<u32, u32>, Translation> events; ///< also those of devices that are not mapped now
};

} // namespace sel4vm::test
