// SPDX-License-Identifier: BSD-2-Clause
//
// The small ports of the host: time from the generic timer and a PL031, log lines on the console, random bytes.
#pragma once

#include <hosts/el2/lib/sysreg.hpp>
#include <hosts/el2/platform/console.hpp>
#include <hosts/el2/portable/chacha_generator.hpp>
#include <hosts/el2/portable/platform_info.hpp>

#include <sel4vm/base/mutex.hpp>
#include <sel4vm/host/services.hpp>

namespace sel4vm::el2 {

/// Time in ticks of the physical counter.
class CounterClock final : public Clock {
public:
    explicit CounterClock(const PlatformInfo &info);
    [[nodiscard]] u64 now_ticks() override {
        isb(); // the counter may be read early otherwise
        return SEL4VM_READ_SYSREG(cntpct_el0);
    }
    [[nodiscard]] u64 ticks_per_second() override { return frequency_; }
    [[nodiscard]] Result<u64, HostError> wall_clock_seconds() override;

private:
    u64 frequency_;
    Mmio rtc_;
};

/// `sel4vm: <level>: <source>: text`, one line each, on the console.
class ConsoleLog final : public Log {
public:
    explicit ConsoleLog(Console &console) : console_(console) {}
    void line(LogLevel level, std::string_view source, std::string_view text) override;
    /// Lines less important than this are left out; info until set.
    void set_level(LogLevel least) { least_ = least; }

private:
    Console &console_;
    LogLevel least_ = LogLevel::info;
};

/// FEAT_RNG where the CPU has it, else a generator keyed by the boot loader's rng-seed when that has at least 32 bytes, else not_available.
class HostEntropy final : public Entropy {
public:
    explicit HostEntropy(const PlatformInfo &info);
    [[nodiscard]] Status<HostError> fill(std::span<u8> out) override;

private:
    enum class Source : u8 { none, cpu, seed };
    Source source_ = Source::none;
    Mutex lock_{LockRank::host}; ///< of the generator: any CPU asks
    ChaChaGenerator generator_;
};

} // namespace sel4vm::el2
