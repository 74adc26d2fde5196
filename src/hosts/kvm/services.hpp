// SPDX-License-Identifier: BSD-2-Clause
//
// The small ports of a Linux process: the counter, random bytes, and messages on standard error.
#pragma once

#include <sel4vm/host/services.hpp>

namespace sel4vm::kvm {

/// The counter that guests' timers count with: CNTVCT_EL0, which Linux lets programs read and does not shift for them. Elsewhere nanoseconds.
class Clock final : public sel4vm::Clock {
public:
    [[nodiscard]] u64 now_ticks() override;
    [[nodiscard]] u64 ticks_per_second() override;
    [[nodiscard]] Result<u64, HostError> wall_clock_seconds() override;
};

class Entropy final : public sel4vm::Entropy {
public:
    [[nodiscard]] Status<HostError> fill(std::span<u8> out) override;
};

class Log final : public sel4vm::Log {
public:
    void line(LogLevel level, std::string_view source, std::string_view text) override;
};

} // namespace sel4vm::kvm
