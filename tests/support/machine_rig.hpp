// SPDX-License-Identifier: BSD-2-Clause
//
// A whole `virt` machine on the fake host: description in, exits in, answers out. The guest's side of the interrupt
// hardware is played by fake list registers.
#pragma once

#include <hosts/fake/event_port.hpp>
#include <hosts/fake/guest_space.hpp>
#include <hosts/fake/heap_allocator.hpp>
#include <hosts/fake/list_registers.hpp>
#include <hosts/fake/services.hpp>
#include <hosts/fake/vcpu.hpp>
#include <hosts/fake/virtual_timer.hpp>
#include <sel4vm/machine/arm/virt_machine.hpp>
#include <sel4vm/vm/executor.hpp>
#include <support/recording.hpp>

#include <deque>
#include <memory>
#include <utility>
#include <vector>

namespace sel4vm::test {

/// The `virt` board with 2 MiB of RAM and a raw kernel of one page (blob 0).
inline machine::MachineDescription small_machine(machine::GicVersion gic, u32 vcpus) {
    machine::MachineDescription vm;
    vm.name = "guest";
    vm.vcpu_count = vcpus;
    vm.gic.version = gic;
    static_cast<void>(
        vm.memory.emplace_back(machine::MemoryRegion{Gpa{0x4000'0000}, 8 * kMiB, machine::RamKind::eager}));
    static_cast<void>(vm.devices.emplace_back(machine::default_uart()));
    static_cast<void>(vm.devices.emplace_back(machine::default_rtc()));
    machine::ImageRecord kernel;
    kernel.size_bytes = kPageBytes;
    static_cast<void>(vm.images.emplace_back(kernel));
    return vm;
}

/// What the executor waits for: what a test scripts (and the rig then records), or a recorded run.
enum class EventSource : u8 { script, recording };

class MachineRig final : private ExecutorListener {
public:
    explicit MachineRig(const machine::MachineDescription &what,
                        fake::ListRegisters::Abilities abilities = fake::ListRegisters::full(),
                        std::vector<std::vector<u8>> blob_bytes = {std::vector<u8>(kPageBytes, u8{0x11})},
                        EventSource source = EventSource::script, const machine::PassedParts &passed = {},
                        machine::Networks *networks = nullptr)
        : description(what), files(std::move(blob_bytes)), blobs(files.begin(), files.end()),
          executor(source == EventSource::script ? static_cast<EventPort &>(recorder) : replay, clock, *this) {
        for (u16 i = 0; i < description.vcpu_count; ++i) {
            fake::Vcpu &vcpu = vcpus.emplace_back();
            ports.push_back({&vcpu, &lists.emplace_back(abilities), &timers.emplace_back()});
            events.add(VmId{0}, VcpuId{i}, vcpu);
        }
        machine::HostSide side{.id = VmId{0},
                               .space = space,
                               .vcpus = ports,
                               .allocator = allocator,
                               .log = log,
                               .clock = clock,
                               .entropy = entropy,
                               .timeouts = executor.timeouts(),
                               .console = &console};
        side.gic_cpu_interface = HostPhys{0x0804'0000};
        side.passed = passed;
        side.networks = networks;
        machine = std::make_unique<machine::VirtMachine>(description, blobs, side);
    }
    /// Builds and starts; false when either fails.
    [[nodiscard]] bool start() { return machine->build() && executor.add(machine->vm()) && machine->vm().start(); }
    /// Delivers one exit as the host would, and lets everything that follows from it happen.
    void deliver(const Exit &exit, u16 vcpu = 0) {
        events.script(VmId{0}, VcpuId{vcpu}, exit);
        for (int i = 0; i < 1000 && machine->vm().state() != VmState::stopped; ++i) {
            if (vcpus[vcpu].state() != fake::Vcpu::State::runnable && !events.pending_kick())
                break;
            if (!executor.step() || (events.script_empty() && !events.pending_kick()))
                break;
        }
    }

    fake::HeapAllocator allocator;
    fake::GuestSpace space;
    fake::Log log;
    fake::Clock clock;
    fake::Entropy entropy;
    fake::ByteSink console;
    fake::EventPort events;
    std::deque<fake::Vcpu> vcpus;
    std::deque<fake::ListRegisters> lists;
    std::deque<fake::VirtualTimer> timers;
    std::vector<aarch64::VcpuPorts> ports;
    machine::MachineDescription description;
    std::vector<std::vector<u8>> files;
    std::vector<std::span<const u8>> blobs;
    Recording recording{vcpus};
    ArrivalPort arrivals{events, recording};
    RecordingPort recorder{arrivals, clock, recording}; ///< of what `events` delivers
    ReplayPort replay{vcpus, clock};
    Executor executor;
    std::unique_ptr<machine::VirtMachine> machine;

private:
    void notification(u64, u64) override {}
    void vm_stopped(Vm &) override {}
};

} // namespace sel4vm::test
