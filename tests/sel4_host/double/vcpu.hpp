// SPDX-License-Identifier: BSD-2-Clause
//
// A VCPU object: a CPU that executes A64 code, with the guest's own system registers, list registers and timer in it. The thread's
// registers are put into it for each turn.
#pragma once

#include <sel4_host/double/thread.hpp>

#include <hosts/fake/guest_cpu.hpp>

#include <array>

namespace sel4vm::sel4_double {

class Vcpu final : public Object, private fake::GuestMemory {
public:
    static constexpr ObjectKind kKind = ObjectKind::vcpu;
    explicit Vcpu(fake::Clock &clock);
    void finalise() override;

    void associate(Tcb &with);
    void dissociate();
    /// One turn of the thread's guest; the exit that ended it.
    [[nodiscard]] std::optional<Exit> run(unsigned instructions);
    /// A list register whose interrupt ended and was not reported; it is reported now.
    [[nodiscard]] std::optional<unsigned> take_ended();
    /// By a call on this CPU, or by one that does not hold them: then it is what memory has.
    [[nodiscard]] u64 read(seL4_VCPUReg which);
    void write(seL4_VCPUReg which, u64 value);

    fake::GuestCpu cpu;
    Tcb *thread = nullptr;
    bool waits = false; ///< in a WFI that does not trap

private:
    [[nodiscard]] std::optional<Page> look_up(Gpa at) const override;
    void save();
    void restore_on(u64 node);
    std::array<u64, seL4_VCPUReg_Num> in_memory_{};
};

/// What lets its holder make secure monitor calls; with a badge, of one function only.
class Smc final : public Object {
public:
    static constexpr ObjectKind kKind = ObjectKind::smc;
    Smc() : Object(kKind, 0) {}
};

} // namespace sel4vm::sel4_double
