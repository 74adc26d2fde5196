// SPDX-License-Identifier: BSD-2-Clause
//
// Boots Linux in a virtual machine with the C++ interface, on the el2 host: what ../c-minimal does in C. A VM is described by plain
// records; the machine made from them owns every device, and the device tree comes from the same records, so nothing has to be
// said twice, placed by hand or freed.
#include <hosts/el2/capi/images.hpp>
#include <hosts/el2/platform/line.hpp>
#include <hosts/el2/vcpu/processor.hpp>
#include <sel4vm/machine/console_switch.hpp>
#include <sel4vm/machine/validate.hpp>
#include <sel4vm/machine/virt_machine.hpp>
#include <sel4vm/vm/executor.hpp>

#include <array>

using namespace sel4vm;

namespace {

using Images = std::array<std::span<const u8>, 2>; // kernel, initrd

machine::MachineDescription linux_guest(const Images &images, el2::GicVersionsSupported gic) {
    machine::MachineDescription vm;
    vm.name = "linux";
    vm.cmdline = "console=ttyAMA0";
    vm.gic.version = gic.v3 ? machine::GicVersion::v3 : machine::GicVersion::v2;
    (void)vm.memory.emplace_back(machine::MemoryRegion{Gpa{0x4000'0000}, 256 * kMiB});
    (void)vm.devices.emplace_back(machine::default_uart());
    u32 blob = 0;
    for (const auto kind : {machine::ImageKind::kernel, machine::ImageKind::initrd}) {
        machine::ImageRecord image;
        image.kind = kind;
        image.blob = blob;
        image.size_bytes = images[blob++].size();
        (void)vm.images.emplace_back(image);
    }
    return vm;
}

/// The host's serial line, as the guest's console.
struct SerialLine final : ByteSink, machine::ByteSource {
    explicit SerialLine(el2::Console &port, el2::LineMode mode) : console(port), output(port, mode) {}
    void put(std::span<const u8> bytes) override { output.put(bytes); }
    [[nodiscard]] usize read(std::span<u8> out) override { return console.read(out); }
    el2::Console &console;
    el2::LineOutput output;
};

struct Listener final : ExecutorListener {
    explicit Listener(machine::ConsoleSwitch &switch_) : consoles(switch_) {}
    void notification(u64, u64) override { consoles.pump(); }
    void vm_stopped(Vm &) override {}
    machine::ConsoleSwitch &consoles;
};

int run(el2::Host &host, el2::LineLog &log, el2::LineMode mode) {
    const auto complain = [&log](std::string_view what) {
        log.line(LogLevel::error, "linux", what);
        return 2;
    };
    el2::BundleImages files;
    files.open(host, log);
    const auto kernel = files.find("kernel"), initrd = files.find("initrd");
    if (!kernel || !initrd)
        return complain("the bundle has no kernel and initrd");
    const Images images{*kernel, *initrd};

    el2::Processor processor(host.gic(), host.interrupts(), el2::ProcessorSetup::of(host.platform()));
    SerialLine line(host.console(), mode);
    machine::ConsoleSwitch consoles(line, line, {});
    Listener listener(consoles);
    Executor executor(processor, host.clock(), listener);

    const machine::MachineDescription description = linux_guest(images, processor.gic_versions());
    if (const auto problems = machine::validate(description, 0); !problems.empty())
        return complain(problems[0].expected.view());
    auto space = host.make_guest_space();
    if (!space)
        return complain("no memory for its address space");
    el2::Vcpu vcpu(processor, **space, {VmId{0}, VcpuId{0}});
    const machine::VcpuPorts ports{&vcpu, &vcpu.list_registers(), &vcpu.timer()};
    machine::HostSide side{.id = VmId{0},
                           .space = **space,
                           .vcpus = {&ports, 1},
                           .allocator = host.heap(),
                           .log = log,
                           .clock = host.clock(),
                           .entropy = host.entropy(),
                           .timeouts = executor.timeouts(),
                           .console = consoles.add(description.name)};
    if (const auto &gicv = host.platform().gic.virtual_interface)
        side.gic_cpu_interface = gicv->base();

    auto guest = Owned<machine::VirtMachine>::make(host.heap(), description, images, side);
    if (!guest)
        return complain("no memory for the machine");
    if (const auto built = guest->build(); !built)
        return complain(built.error().message.view());
    consoles.connect(0, *guest->console_uart());
    if (!executor.add(guest->vm()) || !guest->vm().start())
        return complain("its images could not be loaded");
    host.console().listen(host.interrupts(), processor, 1);
    executor.run();
    return guest->vm().stop_reason() == StopReason::powered_off ? 0 : 1;
}

} // namespace

int sel4vm::el2::app_main(Host &host) {
    const LineMode mode = host.has_bootarg("console=marked") ? LineMode::marked : LineMode::plain;
    LineLog log(host.console(), mode);
    const int status = run(host, log, mode);
    log.exit_status(static_cast<u8>(status));
    return mode == LineMode::marked ? 0 : status;
}
