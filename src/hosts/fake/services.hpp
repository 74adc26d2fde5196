// SPDX-License-Identifier: BSD-2-Clause
//
// The small ports of the fake host: time that moves when told to, sinks and logs that remember, chosen random bytes.
#pragma once

#include <sel4vm/host/services.hpp>

#include <string>
#include <vector>

namespace sel4vm::fake {

class Clock final : public sel4vm::Clock {
public:
    [[nodiscard]] u64 now_ticks() override { return now_; }
    [[nodiscard]] u64 ticks_per_second() override { return 62'500'000; }
    [[nodiscard]] Result<u64, HostError> wall_clock_seconds() override {
        if (wall_ == 0)
            return Err{HostError{HostErrorKind::not_available}};
        return u64{wall_};
    }
    void set(u64 ticks) { now_ = ticks; }
    void advance(u64 ticks) { now_ += ticks; }
    void set_wall_clock(u64 seconds) { wall_ = seconds; }

private:
    u64 now_ = 0;
    u64 wall_ = 0;
};

class ByteSink final : public sel4vm::ByteSink {
public:
    void put(std::span<const u8> bytes) override { text.append(bytes.begin(), bytes.end()); }
    std::string text;
};

class Log final : public sel4vm::Log {
public:
    void line(LogLevel level, std::string_view source, std::string_view text) override {
        lines.push_back({level, std::string(source), std::string(text)});
    }
    struct Line {
        LogLevel level;
        std::string source;
        std::string text;
    };
    std::vector<Line> lines;
};

class Entropy final : public sel4vm::Entropy {
public:
    [[nodiscard]] Status<HostError> fill(std::span<u8> out) override {
        if (!available)
            return Err{HostError{HostErrorKind::not_available}};
        for (u8 &byte : out)
            byte = next_++;
        return Ok{};
    }
    bool available = true;

private:
    u8 next_ = 1;
};

} // namespace sel4vm::fake
