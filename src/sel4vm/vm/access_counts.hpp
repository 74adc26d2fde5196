// SPDX-License-Identifier: BSD-2-Clause
//
// How often guests accessed each device: the sink of a RecordingPort, so that a run which nobody counts pays nothing.
//
// Threads: that of the port that is recorded.
#pragma once

#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/vm/bus_names.hpp>
#include <sel4vm/vm/recording.hpp>

namespace sel4vm {

class AccessCounts final : public EventSink {
public:
    /// Ranges that were accessed; accesses of further ones are not counted.
    static constexpr usize kMaxRanges = 64;
    struct Count {
        VmId vm;
        BusNames::Place place;
        u64 accesses = 0;
    };

    explicit AccessCounts(const BusNames &names) : names_(names) {}
    void record(const EventRecord &record) override;
    /// In the order of each one's first access.
    [[nodiscard]] std::span<const Count> counts() const { return counts_.view(); }

private:
    const BusNames &names_;
    FixedVector<Count, kMaxRanges> counts_;
};

} // namespace sel4vm
