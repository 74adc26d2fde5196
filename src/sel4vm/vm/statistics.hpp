// SPDX-License-Identifier: BSD-2-Clause
//
// What a vCPU has done since it was made, gathered for people and for supervision: the one place that sel4vm/statistics.h, programs in C++ and the
// console's menu have it from. Deliberately no rates and no history.
//
// Threads: the vCPU's executor, or any while it is stopped; from elsewhere each number is one that it had, or nearly.
#pragma once

#include <sel4vm/host/exit.hpp>
#include <sel4vm/host/services.hpp>
#include <sel4vm/vm/vcpu.hpp>

#include <array>
#include <optional>

namespace sel4vm {

/// VcpuTimes in nanoseconds.
struct VcpuNanoseconds {
    u64 running = 0;
    u64 waiting = 0;
    u64 stolen = 0;
};

struct VcpuStatistics {
    std::array<u64, kExitKinds> exits{};  ///< by ExitKind
    std::optional<VcpuNanoseconds> times; ///< where the host counts them
    std::optional<u64> interrupts;        ///< put before its guest, where the host counts that; see VcpuCounts
    u64 kicks = 0;                        ///< that have reached it: somebody wanted it to look

    [[nodiscard]] u64 exits_of(ExitKind kind) const { return exits[static_cast<usize>(kind)]; }
    [[nodiscard]] u64 all_exits() const;
};

[[nodiscard]] VcpuStatistics statistics_of(const Vcpu &vcpu, Clock &clock);

} // namespace sel4vm
