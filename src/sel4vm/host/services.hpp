// SPDX-License-Identifier: BSD-2-Clause
//
// The small ports: time, console bytes, log lines, random bytes. Each is one idea of a few functions.
#pragma once

#include <sel4vm/base/types.hpp>
#include <sel4vm/host/host_error.hpp>

#include <span>
#include <string_view>

namespace sel4vm {

/// Monotonic time. AArch64 hosts: the physical counter, or on seL4 the virtual one where the kernel lets user code read that, and CNTFRQ_EL0.
class Clock {
public:
    [[nodiscard]] virtual u64 now_ticks() = 0;
    /// 0: this host has no counter, now_ticks() is always 0, and there are no timeouts.
    [[nodiscard]] virtual u64 ticks_per_second() = 0;
    /// Seconds since 1970-01-01 UTC, or not_available.
    [[nodiscard]] virtual Result<u64, HostError> wall_clock_seconds() = 0;

protected:
    ~Clock() = default;
};

/// Where a device's output bytes go. Never blocks for long; bytes that cannot be taken are dropped by the sink.
class ByteSink {
public:
    virtual void put(std::span<const u8> bytes) = 0;

protected:
    ~ByteSink() = default;
};

/// What becomes of bytes that nobody reads.
enum class InputFlow : u8 {
    held,  ///< they wait with their sender, such as a file: nothing may be lost
    typed, ///< a person sends them, or a line that does not wait
};

/// Where bytes for devices come from: what somebody types, what a host was sent. How more is announced is the maker's business, such as a
/// badge of ProgramHost::listen(). Back-pressure: what nobody reads stays in the source. On the executor of whoever reads.
class ByteSource {
public:
    /// Takes up to `out.size()` bytes; fewer mean that there are no more now.
    [[nodiscard]] virtual usize read(std::span<u8> out) = 0;
    [[nodiscard]] virtual InputFlow flow() const { return InputFlow::held; }

protected:
    ~ByteSource() = default;
};

enum class LogLevel : u8 { error, warning, info, debug };

class Log {
public:
    /// One line without its end; `source` is the VM's name or "host".
    virtual void line(LogLevel level, std::string_view source, std::string_view text) = 0;

protected:
    ~Log() = default;
};

class Entropy {
public:
    /// Fills all of `out` with bytes fit for keys, or not_available and leaves it as it was.
    [[nodiscard]] virtual Status<HostError> fill(std::span<u8> out) = 0;

protected:
    ~Entropy() = default;
};

} // namespace sel4vm
