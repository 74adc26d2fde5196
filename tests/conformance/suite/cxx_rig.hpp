// SPDX-License-Identifier: BSD-2-Clause
//
// A VM of the C++ interface over the ports of the linked host, and a whole machine on it.
#pragma once

#include <suite/guest.h>
#include <suite/tests.h>

#include <sel4vm/dev/arm/psci.hpp>
#include <sel4vm/program/host_objects.hpp>
#include <sel4vm/vm/executor.hpp>

#include <optional>
#include <span>
#include <string_view>

namespace sel4vm::test {

/// The host of C++ programs over the environment of the suite.
class LinkedEnvironment {
public:
    explicit LinkedEnvironment(conformance_t *t);
    LinkedEnvironment(const LinkedEnvironment &) = delete;
    LinkedEnvironment &operator=(const LinkedEnvironment &) = delete;
    ~LinkedEnvironment();
    /// nullptr when it could not be opened, which is a failure of the test.
    [[nodiscard]] aarch64::ProgramHost *host() const { return host_; }

private:
    aarch64::ProgramHost *host_ = nullptr;
};

class CxxRig final : private LifecycleHooks, private ExecutorListener {
public:
    explicit CxxRig(conformance_t *t);
    CxxRig(const CxxRig &) = delete;
    CxxRig &operator=(const CxxRig &) = delete;
    ~CxxRig();

    [[nodiscard]] bool ready() const { return vm_.has_value(); }
    [[nodiscard]] Vm &vm() { return *vm_; }
    [[nodiscard]] static GpaRange range(u64 base, u64 size_bytes) { return *GpaRange::make(Gpa{base}, size_bytes); }
    /// A program at CODE.
    void load(std::span<const u32> code);
    /// Until it stops; none when it did not.
    [[nodiscard]] StopReason run();
    [[nodiscard]] u64 result(unsigned index);

private:
    [[nodiscard]] BootStep prepare_boot(Vm &, BootCall) override { return BootStep::ready({CODE, 0}); }
    void paused(Vm &) override {}
    void resuming(Vm &) override {}
    void stopped(Vm &, StopReason) override {}
    void notification(u64, u64) override {}
    void vm_stopped(Vm &) override {}

    conformance_t *t_;
    LinkedEnvironment environment_;
    program::HostObjects objects_;
    std::optional<Vm> vm_;
    std::optional<Executor> executor_;
    dev::Psci psci_;
};

/// The instruction, or for smc the one by which guests of this host call their firmware.
[[nodiscard]] u32 by_conduit(const conformance_t *t, u32 instruction);

/// Boots a firmware image on the `virt` machine, with each GIC that the host has, and compares what it prints.
void run_virt_machine(conformance_t *t, std::span<const u8> firmware, std::string_view expected);

} // namespace sel4vm::test
