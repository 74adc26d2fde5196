// SPDX-License-Identifier: BSD-2-Clause
//
// Stands between a serial port of one VM and the console, passes everything on, and does what the VM's description says when
// the guest's kernel gives up: its VM, and no other, is stopped or restarted. A kernel may be configured to reboot or to switch
// off by itself, so it has two seconds for that; a reset or a stop of the VM ends the watch over that line. What a program in the
// guest prints looks the same from outside and has the same effect on its own VM.
#pragma once

#include <sel4vm/base/text.hpp>
#include <sel4vm/host/services.hpp>
#include <sel4vm/machine/description.hpp>
#include <sel4vm/machine/panic_line.hpp>
#include <sel4vm/vm/timeout.hpp>
#include <sel4vm/vm/vm.hpp>

#include <atomic>

namespace sel4vm::machine {

class PanicWatch final : public ByteSink, private TimeoutHandler {
public:
    static constexpr u64 kGraceSeconds = 2;
    /// Bytes of what the guest gives as its reason that a message repeats.
    static constexpr usize kLongestReason = 100;

    /// All outlive this; `vm` is the one whose serial port writes here.
    PanicWatch(Vm &vm, PanicPolicy policy, ByteSink &console, Clock &clock, TimeoutQueue &timeouts)
        : vm_(vm), policy_(policy), console_(console), clock_(clock), timeouts_(timeouts), grace_(*this) {}
    PanicWatch(const PanicWatch &) = delete;
    PanicWatch &operator=(const PanicWatch &) = delete;
    ~PanicWatch() { forget(); }

    void put(std::span<const u8> bytes) override;
    /// The VM starts anew, or has stopped.
    void forget();

private:
    void timeout() override;

    Vm &vm_;
    PanicPolicy policy_;
    ByteSink &console_;
    Clock &clock_;
    TimeoutQueue &timeouts_;
    Timeout grace_;
    enum class Phase : u8 {
        watching,
        grace, ///< nobody writes the rest until the phase is watching again
        acting
    };
    std::atomic<Phase> phase_{Phase::watching};
    PanicLine line_;
    Text<140> detail_; ///< for people; of the line that began the grace
};

} // namespace sel4vm::machine
